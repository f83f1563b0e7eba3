"""The gate before the rules: one pass that stops the posts in which they could find nothing.

A firehose brings a thousand posts a second and almost none of them names anybody. The gate reads a
post as bytes: one automaton over forenames, titles and the schools' own words, and a look at the
word beside each forename. Signs of a disguise send the post through once more, undisguised.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.matching.full_names import MOST_NAMESAKES, reads_as_words
from monitor.matching.gate_bytes import (
    INSIDE,
    VOWEL,
    WORD_BYTES,
    bytes_of,
    decoded,
    first_word,
    flatten,
    kinds_of,
    last_word,
    sign_kinds,
    undisguised,
)
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
    surname_edges,
)
from monitor.matching.index import Index
from monitor.matching.names import is_unusual
from monitor.matching.normalise import fold
from monitor.matching.words import TITLES, common_surnames, is_ordinary

_NOBODY, _NEEDS_A_TIE, _SOMEBODY = range(3)
_VOWEL_BEFORE = re.compile(rb"(?<![a-z0-9'])[aiou]\. ?(?=[a-z])")
_VOWEL_BEHIND = re.compile(rb", ?[aiou](?![a-z0-9'])")
_SPACED = re.compile(r"(?<![^\W_])[^\W_]{1,2}(?:[ .\-_*·•|/\\,~]{1,3}[^\W_](?![^\W_])){2,40}")
_TAG = re.compile(r"#(\w{6,60})")
_BESIDE_MASK = re.compile(
    r"(?<![^\W_])(?:([^\W_]{1,24})[ .]{1,2})?[^\W_]{1,20}\*[\w*']{0,24}(?:,? ([^\W_]{1,24}))?"
)
_REACH = 96
_SHORTEST_PLURAL = 4  # letters of a word that may take an "s", and the gap before it, less one


class Gate:
    """Says of a text, quickly, whether the rules could find anything in it in open scope."""

    def __init__(self, index: Index) -> None:
        self._index = index
        forms = self._forms = forms_in(index)
        kinds: dict[bytes, int] = {f" {word} ".encode(): TITLE for word in sorted(TITLES)}
        kinds.update({f" {letter} ".encode(): INITIAL for letter in "bcdefghjklmnpqrstvwxyz"})
        kinds.update({letter.encode() * 3: RUN for letter in "abcdefghijklmnopqrstuvwxyz"})
        kinds.update({b" " + form.encode() + b" ": FORENAME for form in sorted(forms)})
        kinds.update(own_words(index))
        self._patterns = list(kinds)
        self._kinds = bytes(kinds.values())
        self._find = automaton(self._patterns).find_matches_as_indexes
        self._glued = sorted(form for form in forms if len(form) > 2 and form.isalpha())  # noqa: PLR2004
        self._find_glued = automaton(
            [form.encode() for form in self._glued]
        ).find_matches_as_indexes
        known_signs = sign_kinds()
        self._sign_kinds = bytes(known_signs.values())
        self._find_signs = automaton(list(known_signs)).find_matches_as_indexes
        self._begins, self._ends = surname_edges(index)
        self._goes_with = lru_cache(maxsize=65_536)(self._named)

    def passes(self, text: str) -> bool:
        """Whether the rules could find something; never wrongly false, seldom wrongly true."""
        raw = bytes_of(text)
        flat = flatten(raw)
        hits = self._find(flat, True)
        signs = 0
        for sign, _, _ in self._find_signs(kinds_of(raw), True):
            signs |= self._sign_kinds[sign]
        if hits:
            verdict = self._weigh(flat, hits)
            if verdict:
                return True
            if verdict is None:
                signs |= INSIDE
        if signs & VOWEL and self._vowel(raw):
            return True
        if b"#" in raw and self._tags(text):
            return True
        return signs > 0 and signs != VOWEL and self.passes_disguised(text)

    # --- the plain pass ----------------------------------------------------------------------

    def _weigh(  # noqa: C901 - the hot loop: a call more would cost a tenth
        self, flat: bytes, hits: list[tuple[int, int, int]]
    ) -> bool | None:
        """Judge the hits of the automaton: true, false, or None where a letter is repeated."""
        kinds = self._kinds
        seen = 0
        for pattern, start, end in hits:
            kind = kinds[pattern]
            if kind == FORENAME:
                behind = flat[end : flat.find(b" ", end)] or first_word(flat[end : end + _REACH])
                before = flat[flat.rfind(b" ", 0, start) + 1 : start] or last_word(flat, start)
                if (
                    behind in self._begins
                    or before in self._ends
                    or not is_ordinary(behind.decode())
                ):
                    found = self._beside(flat, pattern, start, end - 1)
                    if found == _SOMEBODY:
                        return True
                    seen |= found << MANY
            elif kind == INITIAL:
                if self._has_rare(flat[end - 1 : end + _REACH]) or self._has_rare_before(
                    flat, start
                ):
                    return True
                seen |= 1 << INITIAL
            elif kind in {RUN, TITLE}:
                seen |= 1 << kind
            elif flat[end] not in WORD_BYTES or (
                end - start > _SHORTEST_PLURAL
                and flat[end] == ord("s")
                and flat[end + 1] not in WORD_BYTES
            ):
                if kind == STRONG:
                    return True
                seen |= 1 << kind
        if seen & 1 << PLACE and seen & (1 << TITLE | 1 << WEAK | 1 << INITIAL | 1 << MANY):
            return True
        return None if seen & 1 << RUN else False

    def _beside(self, flat: bytes, pattern: int, start: int, end: int) -> int:
        """Return whether a surname that goes with a forename stands behind or before it."""
        form = self._patterns[pattern].decode().replace(" ", "")
        behind = [part.decode() for part in flat[end : end + _REACH].split(None, 6)[:6]]
        best = _NOBODY
        for begin in range(min(3, len(behind))):
            best = max(best, self._surname_from(behind[begin : begin + 4], form))
            if best == _SOMEBODY or (begin == 0 and self._is_slip(behind[0])):
                return _SOMEBODY
            if len(behind[begin]) > 1 and is_ordinary(behind[begin]):
                break
        before = [part.decode() for part in flat[max(0, start - _REACH) : start + 1].split()[-4:]]
        for count in range(1, len(before) + 1):
            surname = "".join(before[-count:]).replace("'", "")
            found = self._goes_with(surname, form)
            parted = flat[start - 1 : start + 1] == b"  "  # as a comma leaves it
            best = max(
                best, min(found, _NEEDS_A_TIE) if is_ordinary(surname) and not parted else found
            )
        return best

    def _surname_from(self, words: list[str], form: str) -> int:
        joined, best = "", _NOBODY
        for word in words:
            joined += word.removesuffix("'s").replace("'", "")
            best = max(best, self._goes_with(joined, form))
            if joined[-1:] == "s":
                best = max(best, self._goes_with(joined[:-1], form))
        return best

    def _named(self, surname: str, form: str) -> int:
        """Return whether few people bear a name, so that it counts anywhere, or many."""
        if surname not in self._index.surnames:
            return _NOBODY
        most = MOST_NAMESAKES * 2 + 1  # rows, of which a person may have several
        count = self._index.count_named(surname, form, most=most)
        if not count:
            return _NOBODY
        if count >= most or reads_as_words(self._index, surname, form, turned=False):
            return _NEEDS_A_TIE
        return _SOMEBODY

    def _is_slip(self, word: str) -> bool:
        index = self._index
        flat = word.removesuffix("'s").replace("'", "")
        return (
            len(flat) > 4  # noqa: PLR2004
            and flat.isalpha()
            and flat not in index.surnames
            and flat not in common_surnames()
            and not is_ordinary(flat)
            and bool(index.near(flat))
        )

    def _has_rare(self, behind: bytes) -> bool:
        joined = ""
        for part in behind.split(None, 4)[:4]:
            joined += part.decode().removesuffix("'s").replace("'", "")
            for word in (joined, joined.removesuffix("s")):
                if word in self._index.surnames and is_unusual(word):
                    return True
        return False

    def _has_rare_before(self, flat: bytes, start: int) -> bool:
        before = [part.decode() for part in flat[max(0, start - _REACH) : start].split()[-3:]]
        joined = ("".join(before[-count:]).replace("'", "") for count in range(1, len(before) + 1))
        return any(word in self._index.surnames and is_unusual(word) for word in joined)

    def _vowel(self, raw: bytes) -> bool:
        """Whether "A." leads to, or ", A" follows, an unusual surname."""
        small = raw.lower()
        return any(
            self._has_rare(flatten(small[found.end() : found.end() + _REACH]))
            for found in _VOWEL_BEFORE.finditer(small)
        ) or any(
            self._has_rare_before(
                flatten(small[max(0, found.start() - _REACH) : found.start()]), _REACH
            )
            for found in _VOWEL_BEHIND.finditer(small)
        )

    def _tags(self, text: str) -> bool:
        flat = text.lower() if text.isascii() else fold(text)
        return any(self._is_glued_name(found[1].replace("_", "")) for found in _TAG.finditer(flat))

    def _is_glued_name(self, run: str) -> bool:
        """Whether a forename is directly followed, or led, by its surname in a run of letters."""
        for pattern, start, end in self._find_glued(run.encode("ascii", "replace"), True):
            form = self._glued[pattern]
            for stop in range(end + 2, min(len(run), end + 32) + 1):
                if self._goes_with(run[end:stop], form) == _SOMEBODY:
                    return True
            for begin in range(max(0, start - 32), start - 1):
                if self._goes_with(run[begin:start], form) == _SOMEBODY:
                    return True
        return False

    # --- the disguise pass -------------------------------------------------------------------

    def passes_disguised(self, text: str) -> bool:
        """Whether the rules could find somebody whose name is disguised in this text."""
        text = fold(text)
        for shown in undisguised(text):
            if self._passes_shown(shown):
                return True
        if any(self._is_odd_name(word) for word in decoded(text)):
            return True
        for found in _SPACED.finditer(text):
            letters = "".join(sign for sign in found[0] if sign.isalnum())
            if self._is_glued_name(letters) or self._holds_surname(letters):
                return True
        return "*" in text and self._masked_beside_forename(text)

    def _is_odd_name(self, word: str) -> bool:
        return (
            len(word) > 2  # noqa: PLR2004
            and (word in self._index.surnames or word in self._forms)
            and not is_ordinary(word)
        )

    def _passes_shown(self, text: str) -> bool:
        flat = flatten(text.encode("ascii", "replace"))
        return bool(self._weigh(flat, self._find(flat, overlapping=True)))

    def _holds_surname(self, letters: str) -> bool:
        """Whether letters that stand apart make a surname, perhaps beside a plain forename."""
        return any(
            letters[begin:end] in self._index.surnames
            for begin in range(min(3, len(letters)))
            for end in range(begin + 4, len(letters) + 1)
        ) or any(letters[begin:] in self._index.surnames for begin in range(len(letters) - 3))

    def _masked_beside_forename(self, text: str) -> bool:
        """Whether a forename or an initial stands directly beside a word with masked letters."""
        return any(
            len(word) == 1 or word in self._forms
            for found in _BESIDE_MASK.finditer(text)
            for word in found.groups()
            if word
        )
