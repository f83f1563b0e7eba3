"""The gate before the rules: one pass that stops the posts in which they could find nothing.

A firehose brings a thousand posts a second and almost none of them names anybody. The gate reads a
post as bytes: one automaton over forenames, titles and the schools' own words, and a look at the
word beside each forename. Signs of a disguise send the post through once more, undisguised.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from monitor.matching.edges import LETTERS_APART
from monitor.matching.gate_bytes import (
    INSIDE,
    OPENING,
    VOWEL,
    bytes_of,
    decoded,
    flatten,
    joined,
    kinds_of,
    sign_kinds,
    texts_with,
    undisguised,
)
from monitor.matching.gate_masks import masked_beside_forename
from monitor.matching.gate_names import REACH, SOMEBODY, NamesBeside
from monitor.matching.gate_patterns import (
    FORENAME,
    INITIAL,
    MANY,
    PLACE,
    RUN,
    STRONG,
    WEAK,
    automaton,
    forms_in,
)
from monitor.matching.gate_words import OwnWords, Span, ends_word
from monitor.matching.index import Index
from monitor.matching.normalise import fold
from monitor.matching.words import is_ordinary

_VOWEL_BEFORE = re.compile(rb"(?<![a-z0-9'])[aiou]\. ?(?=[a-z])")
_VOWEL_BEHIND = re.compile(rb", ?[aiou](?![a-z0-9'])")
# Two letters that stand apart: in whatever `LETTERS_APART` finds, and in few posts besides.
_APART = re.compile(r"[ .\-_*·•|/\\,~][^\W_][ .\-_*·•|/\\,~]{1,3}[^\W_](?![^\W_])")
_TAG = re.compile(r"#(\w[\w'-]{5,60})")
_CUT = str.maketrans("'_", "  ")
_TAG_GAPS = re.compile(r"[_'-]")
_AT_ONCE = 256
_number = itemgetter(0)


@dataclass(slots=True)
class _Seen:
    """What was seen in one text: signs of a disguise, hits of the automaton, whether digits.

    `looked`: only hits are among them whose forename may have a surname beside it (`looks`).
    """

    signs: int = 0
    hits: list[Span] = field(default_factory=list)
    coded: bool = False
    looked: bool = False


class Gate:
    """Says of a text, quickly, whether the rules could find anything in it in open scope."""

    def __init__(self, index: Index) -> None:
        forms = forms_in(index)
        self._names = NamesBeside(index, forms)
        self._forms = forms
        self._words = OwnWords(index, forms)
        self._find = self._words.find
        known_signs = sign_kinds()
        self._sign_kinds = bytes(known_signs.values())
        self._find_signs = automaton(list(known_signs)).find_matches_as_indexes

    def passes(self, text: str) -> bool:
        """Whether the rules could find something; never wrongly false, seldom wrongly true."""
        raw = text.encode() if text.isascii() else bytes_of(text)
        flat, signed = flatten(raw), kinds_of(raw)
        signs = 0
        for sign, _, _ in self._find_signs(signed, True):
            signs |= self._sign_kinds[sign]
        hits = self._find(flat, True)
        coded = b"1" in signed or b"_" in signed
        if not (hits or signs or coded or b"#" in raw or b"'" in flat):
            return False
        return self._judge(text, raw, flat, _Seen(signs, hits, coded))

    def passing(self, texts: Sequence[str]) -> list[int]:
        """Return the numbers of the texts that pass, read in one go: `passes`, only quicker.

        Every stage reads all texts before the next begins, so that each stays in the processor's
        cache; texts without a hit cost nothing beyond the automaton.
        """
        return [
            begin + number
            for begin in range(0, len(texts), _AT_ONCE)
            for number in self._passing_together(texts[begin : begin + _AT_ONCE])
        ]

    def _passing_together(self, texts: Sequence[str]) -> Iterator[int]:
        """Yield the numbers of the texts that pass: few have anything to weigh, one by one."""
        raw, ends = joined(texts)
        flat = flatten(raw)
        seen = self._signs_together(raw, ends)
        kinds, looks, find, rfind = self._words.kinds, self._names.looks, flat.find, flat.rfind
        behind, before = self._names.answers
        for pattern, start, end in self._find(flat, True):
            if kinds[pattern] == FORENAME:
                # What `looks` says, without a call, where both words beside are well known: those
                # directly beside, or with one sign more between.
                after = flat[end : find(b" ", end)] or flat[end + 1 : find(b" ", end + 1)]
                maybe = behind.get(after)
                if maybe is False:
                    lead = flat[rfind(b" ", 0, start) + 1 : start]
                    lead = lead or flat[rfind(b" ", 0, start - 1) + 1 : start - 1]
                    maybe = before.get(lead)
                if maybe is False or (maybe is None and not looks(flat, start, end)):
                    continue
            number = bisect_right(ends, start)
            if end <= ends[number]:
                begin = ends[number - 1] if number else 0
                own = seen.setdefault(number, _Seen())
                own.looked = True
                own.hits.append((pattern, start - begin, end - begin))
        for found in OPENING.finditer(flat):
            seen.setdefault(bisect_right(ends, found.start()), _Seen())
        for number, own in sorted(seen.items(), key=_number):
            # With the gaps around it a text stands in the whole as it would stand by itself.
            begin, stop = ends[number - 1] if number else 0, ends[number]
            if self._judge(texts[number], raw[begin : stop - 2], flat[begin:stop], own):
                yield number

    def _signs_together(self, raw: bytes, ends: list[int]) -> dict[int, _Seen]:
        """Return, by the number of a text, the signs of a disguise, of digits and of hashtags."""
        seen: dict[int, _Seen] = {}
        signed = kinds_of(raw)
        for sign, start, end in self._find_signs(signed, True):
            number = bisect_right(ends, start)
            if end <= ends[number]:
                seen.setdefault(number, _Seen()).signs |= self._sign_kinds[sign]
        for byte in (b"1", b"_"):
            for number in texts_with(byte, signed, ends):
                seen.setdefault(number, _Seen()).coded = True
        for number in texts_with(b"#", b" " + raw, ends):
            seen.setdefault(number, _Seen())
        return seen

    def _judge(self, text: str, raw: bytes, flat: bytes, seen: _Seen) -> bool:
        """Decide on a text from its bytes, their flat form and what was seen in them."""
        signs = seen.signs
        bits = self._words.kinds_coded(flat) if seen.coded else 0
        if bits & 1 << STRONG:
            return True
        if seen.hits or bits:
            # Beside a place a title may be disguised or in a hashtag, and "A." is an initial.
            bits |= (signs > 0 or b"#" in raw) << WEAK
            verdict = self._weigh(flat, seen.hits, raw, bits, looked=seen.looked)
            if verdict:
                return True
            if verdict is None:
                signs |= INSIDE
        if signs & VOWEL and self._vowel(raw):
            return True
        if b"#" in raw and self._tags(text):
            return True
        if signs > 0 and signs != VOWEL and self.passes_disguised(text):
            return True
        # The rules cut words at every apostrophe and "_"; here that is done where it may matter.
        cut = b"_" in flat or OPENING.search(flat) is not None
        return cut and self.passes(fold(text).translate(_CUT))

    # --- the plain pass ----------------------------------------------------------------------

    def _weigh(  # noqa: C901 - the hot loop: a call more would cost a tenth
        self,
        flat: bytes,
        hits: list[Span],
        raw: bytes = b"",
        seen: int = 0,
        *,
        looked: bool = False,
    ) -> bool | None:
        """Judge the hits of the automaton: true, false, or None where a name may be drawn out.

        `raw` has the signs that `flat` lacks; without it every gap may lie inside a name.
        """
        kinds, word_end = self._words.kinds, 0
        for pattern, start, end in hits:
            kind = kinds[pattern]
            if kind == FORENAME:
                if looked or self._names.looks(flat, start, end):
                    found = self._names.beside(
                        flat, self._words.forms[pattern], start, end - 1, raw
                    )
                    if found == SOMEBODY:
                        return True
                    seen |= found << MANY
            elif kind == INITIAL:
                if self._names.has_rare(flat[end - 1 : end + REACH]) or self._names.has_rare_before(
                    flat, start
                ):
                    return True
                seen |= 1 << INITIAL
            elif kind == RUN:
                if start >= word_end:
                    word_end = flat.find(b" ", end)
                    seen |= self._names.may_repeat(flat, start, word_end) << RUN
            elif ends_word(flat, start, end):
                if kind == STRONG:
                    return True
                seen |= 1 << kind
        if seen & 1 << PLACE and (
            seen & (1 << WEAK | 1 << INITIAL | 1 << MANY)
            or self._words.holds_weak(flat)
            or self._names.holds_glued(flat)
        ):
            return True
        return None if seen & 1 << RUN else False

    def _vowel(self, raw: bytes) -> bool:
        """Whether "A." leads to, or ", A" follows, an unusual surname."""
        small = raw.lower()
        return any(
            self._names.has_rare(flatten(small[found.end() : found.end() + REACH]))
            for found in _VOWEL_BEFORE.finditer(small)
        ) or any(
            self._names.has_rare_before(
                flatten(small[max(0, found.start() - REACH) : found.start()]), REACH
            )
            for found in _VOWEL_BEHIND.finditer(small)
        )

    def _tags(self, text: str) -> bool:
        flat = text.lower() if text.isascii() else fold(text)
        return any(
            self._names.is_glued_name(_TAG_GAPS.sub("", found[1]), slips=True)
            for found in _TAG.finditer(flat)
        )

    # --- the disguise pass -------------------------------------------------------------------

    def passes_disguised(self, text: str) -> bool:
        """Whether the rules could find somebody whose name is disguised in this text."""
        text = fold(text)
        for shown in undisguised(text):
            if self._passes_shown(shown):
                return True
        if any(self._names.is_odd_name(word) for word in decoded(text)):
            return True
        for found in LETTERS_APART.finditer(text) if _APART.search(text) else ():
            letters = "".join(sign for sign in found[0] if sign.isalnum())
            if self._names.is_glued_name(letters) or self._names.holds_surname(letters):
                return True
            if not is_ordinary(letters) and any(
                letters[begin:] in self._forms for begin in range(len(letters) - 2)
            ):
                return True  # a surname behind it may stand at some distance
        return "*" in text and masked_beside_forename(text, self._names, self._forms)

    def _passes_shown(self, text: str) -> bool:
        flat = flatten(text.encode("ascii", "replace"))
        seen = self._words.kinds_coded(flat)
        return bool(
            seen & 1 << STRONG or self._weigh(flat, self._find(flat, overlapping=True), b"", seen)
        )
