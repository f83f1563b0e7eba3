"""The gate before the rules: one pass that stops the posts in which they could find nothing.

A firehose brings a thousand posts a second and almost none of them names anybody. The gate reads a
post as bytes: one automaton over forenames, titles and the schools' own words, and a look at the
word beside each forename. Signs of a disguise send the post through once more, undisguised.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter

from monitor.matching.gate_bytes import (
    INSIDE,
    VOWEL,
    WORD_BYTES,
    bytes_of,
    decoded,
    flatten,
    kinds_of,
    sign_kinds,
    undisguised,
)
from monitor.matching.gate_names import REACH, SOMEBODY, NamesBeside
from monitor.matching.gate_patterns import (
    FORENAME,
    INITIAL,
    MANY,
    PLACE,
    RUN,
    STRONG,
    TITLE,
    WEAK,
    automaton,
    forms_in,
    own_words,
)
from monitor.matching.index import Index
from monitor.matching.normalise import fold
from monitor.matching.words import TITLES, is_ordinary

_VOWEL_BEFORE = re.compile(rb"(?<![a-z0-9'])[aiou]\. ?(?=[a-z])")
_VOWEL_BEHIND = re.compile(rb", ?[aiou](?![a-z0-9'])")
_SPACED = re.compile(r"(?<![^\W_])[^\W_]{1,2}(?:[ .\-_*·•|/\\,~]{1,3}[^\W_](?![^\W_])){2,40}")
_TAG = re.compile(r"#(\w{6,60})")
_BESIDE_MASK = re.compile(
    r"(?<![^\W_])(?:([^\W_]{1,24})[ .]{1,2})?([^\W_]{1,20}\*[\w*']{0,24})"
    r"(?:,?[ -]([^\W_][\w*]{0,24}))?"
)
_SHORTEST_PLURAL = 4  # letters of a word that may take an "s", and the gap before it, less one
_AT_ONCE = 256
_TELLING = frozenset({STRONG, PLACE, INITIAL, RUN})  # without one of these, the others are nothing
_COUNTED = frozenset({RUN, TITLE})
_CODED = re.compile(rb"[0-9_]")
_Hit = tuple[int, int, int]  # the number of a pattern, and where it begins and ends
_end = itemgetter(2)


def _ends(flat: bytes, start: int, end: int) -> bool:
    """Whether a word ends where a pattern does, or is its plural."""
    return flat[end] not in WORD_BYTES or (
        end - start > _SHORTEST_PLURAL and flat[end] == ord("s") and flat[end + 1] not in WORD_BYTES
    )


class Gate:
    """Says of a text, quickly, whether the rules could find anything in it in open scope."""

    def __init__(self, index: Index) -> None:
        forms = forms_in(index)
        self._names = NamesBeside(index, forms)
        self._forms = forms
        kinds: dict[bytes, int] = {f" {word} ".encode(): TITLE for word in sorted(TITLES)}
        kinds.update({f" {letter} ".encode(): INITIAL for letter in "bcdefghjklmnpqrstvwxyz"})
        kinds.update({letter.encode() * 3: RUN for letter in "abcdefghijklmnopqrstuvwxyz"})
        kinds.update({b" " + form.encode() + b" ": FORENAME for form in sorted(forms)})
        kinds.update(own_words(index))
        # What holds a digit or "_" (most accounts) is sought only in posts that hold one: the
        # automaton that reads every post is then small enough to be quick.
        coded = [pattern for pattern in kinds if _CODED.search(pattern)]
        self._find_coded = automaton(coded).find_matches_as_indexes
        self._coded_kinds = bytes(kinds.pop(pattern) for pattern in coded)
        self._patterns = list(kinds)
        self._kinds = bytes(kinds.values())
        self._find = automaton(self._patterns).find_matches_as_indexes
        known_signs = sign_kinds()
        self._sign_kinds = bytes(known_signs.values())
        self._find_signs = automaton(list(known_signs)).find_matches_as_indexes

    def passes(self, text: str) -> bool:
        """Whether the rules could find something; never wrongly false, seldom wrongly true."""
        raw = text.encode() if text.isascii() else bytes_of(text)
        flat = flatten(raw)
        return self._judge(text, raw, kinds_of(raw), flat, self._find(flat, True))

    def _judge(self, text: str, raw: bytes, signed: bytes, flat: bytes, hits: list[_Hit]) -> bool:
        """Decide on a text from its bytes, their kinds, its flat form and the hits in that."""
        signs = 0
        for sign, _, _ in self._find_signs(signed, True):
            signs |= self._sign_kinds[sign]
        seen = 0
        if b"1" in signed or b"_" in signed:
            seen = self._coded(flat)
            if seen & 1 << STRONG:
                return True
        if hits or seen:
            verdict = self._weigh(flat, hits, raw, seen)
            if verdict:
                return True
            if verdict is None:
                signs |= INSIDE
        if signs & VOWEL and self._vowel(raw):
            return True
        if b"#" in raw and self._tags(text):
            return True
        return signs > 0 and signs != VOWEL and self.passes_disguised(text)

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
        raws = [text.encode() if text.isascii() else bytes_of(text) for text in texts]
        whole = b"  ".join(raws)
        ends = list(accumulate(len(raw) + 2 for raw in raws))
        marked = {number for number, raw in enumerate(raws) if b"#" in raw}
        signed = kinds_of(whole)
        for _, start, _ in self._find_signs(signed, True):
            marked.add(bisect_right(ends, start))
        flat = flatten(whole)
        if b"1" in signed or b"_" in signed:
            coded = self._find_coded(flat, True)
            marked.update(bisect_right(ends, start) for _, start, _ in coded)
        kinds = self._kinds
        hits = self._find(flat, True)
        for pattern, start, end in hits:
            kind = kinds[pattern]
            if kind in _TELLING or (kind == FORENAME and self._names.looks(flat, start, end)):
                marked.add(bisect_right(ends, start))
        for number in sorted(marked):
            # With the gaps around it a text stands in the whole as it would stand by itself.
            stop = ends[number]
            begin = stop - len(raws[number]) - 2
            first, last = (bisect_right(hits, at, key=_end) for at in (begin, stop))
            own = [(p, start - begin, end - begin) for p, start, end in hits[first:last]
                   if start >= begin]  # fmt: skip
            if self._judge(texts[number], raws[number], signed[begin:stop], flat[begin:stop], own):
                yield number

    # --- the plain pass ----------------------------------------------------------------------

    def _coded(self, flat: bytes) -> int:
        """Return the kinds, as bits, of the accounts and words with a digit in a text."""
        seen = 0
        for pattern, start, end in self._find_coded(flat, True):
            if _ends(flat, start, end):
                seen |= 1 << self._coded_kinds[pattern]
        return seen

    def _weigh(  # noqa: C901 - the hot loop: a call more would cost a tenth
        self, flat: bytes, hits: list[tuple[int, int, int]], raw: bytes = b"", seen: int = 0
    ) -> bool | None:
        """Judge the hits of the automaton: true, false, or None where a letter is repeated.

        `raw` has the signs that `flat` lacks; without it every gap may lie inside a name.
        """
        kinds = self._kinds
        for pattern, start, end in hits:
            kind = kinds[pattern]
            if kind == FORENAME:
                if self._names.looks(flat, start, end):
                    found = self._names.beside(flat, self._form(pattern), start, end - 1, raw)
                    if found == SOMEBODY:
                        return True
                    seen |= found << MANY
            elif kind == INITIAL:
                if self._names.has_rare(flat[end - 1 : end + REACH]) or self._names.has_rare_before(
                    flat, start
                ):
                    return True
                seen |= 1 << INITIAL
            elif kind in _COUNTED:
                seen |= 1 << kind
            elif _ends(flat, start, end):
                if kind == STRONG:
                    return True
                seen |= 1 << kind
        if seen & 1 << PLACE and seen & (1 << TITLE | 1 << WEAK | 1 << INITIAL | 1 << MANY):
            return True
        return None if seen & 1 << RUN else False

    def _form(self, pattern: int) -> str:
        return self._patterns[pattern].decode().replace(" ", "")

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
            self._names.is_glued_name(found[1].replace("_", "")) for found in _TAG.finditer(flat)
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
        for found in _SPACED.finditer(text):
            letters = "".join(sign for sign in found[0] if sign.isalnum())
            if self._names.is_glued_name(letters) or self._names.holds_surname(letters):
                return True
            if not is_ordinary(letters) and any(
                letters[begin:] in self._forms for begin in range(len(letters) - 2)
            ):
                return True  # a surname behind it may stand at some distance
        return "*" in text and self._masked_beside_forename(text)

    def _passes_shown(self, text: str) -> bool:
        flat = flatten(text.encode("ascii", "replace"))
        seen = self._coded(flat)
        return bool(
            seen & 1 << STRONG or self._weigh(flat, self._find(flat, overlapping=True), b"", seen)
        )

    def _masked_beside_forename(self, text: str) -> bool:
        """Whether a forename or initial, itself perhaps masked, stands beside a masked word."""
        return any(
            any(len(word) == 1 or word in self._forms for word in (found[1], found[3]) if word)
            or self._names.is_masked_forename(found[2].replace("'", ""), found[3] or "")
            for found in _BESIDE_MASK.finditer(text)
        )
