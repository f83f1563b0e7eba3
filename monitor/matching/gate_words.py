"""What the gate looks for in every post, in posts with a digit, and beside a place; by worth."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from monitor.matching.gate_bytes import WORD_BYTES
from monitor.matching.gate_patterns import (
    FORENAME,
    INITIAL,
    RUN,
    TITLE,
    WEAK,
    automaton,
    own_words,
)
from monitor.matching.index import Index
from monitor.matching.words import TITLES

_SHORTEST_PLURAL = 4  # letters of a word that may take an "s", and the gap before it, less one
_BESIDE_A_PLACE = frozenset({TITLE, WEAK})  # nothing by themselves, so they are sought last
_CODED = re.compile(rb"[0-9_]")
Span = tuple[int, int, int]
"""The number of a pattern, and where it begins and ends."""


def ends_word(flat: bytes, start: int, end: int) -> bool:
    """Whether a word ends where a pattern does, or is its plural."""
    return flat[end] not in WORD_BYTES or (
        end - start > _SHORTEST_PLURAL and flat[end] == ord("s") and flat[end + 1] not in WORD_BYTES
    )


class OwnWords:
    """The automata over forenames, initials, titles and the schools' own words.

    What holds a digit or "_" (most accounts) is sought only in posts that hold one, and what counts
    only beside a place only there: the automaton that reads every post (`find`) stays small. Of its
    patterns `kinds` gives the worth, and `forms` the forename, by their numbers.
    """

    def __init__(self, index: Index, forms: AbstractSet[str]) -> None:
        kinds: dict[bytes, int] = {f" {word} ".encode(): TITLE for word in sorted(TITLES)}
        kinds.update({f" {letter} ".encode(): INITIAL for letter in "bcdefghjklmnpqrstvwxyz"})
        kinds.update({letter.encode() * 3: RUN for letter in "abcdefghijklmnopqrstuvwxyz"})
        for end in (b" ", b"'"):  # "Okafor, Rebecca's"
            kinds.update({b" " + form.encode() + end: FORENAME for form in sorted(forms)})
        kinds.update(own_words(index))
        coded = [pattern for pattern in kinds if _CODED.search(pattern)]
        self._find_coded = automaton(coded).find_matches_as_indexes
        self._coded_kinds = bytes(kinds.pop(pattern) for pattern in coded)
        weak = [pattern for pattern, kind in kinds.items() if kind in _BESIDE_A_PLACE]
        self._find_weak = automaton(weak).find_matches_as_indexes
        self._weak_kinds = bytes(kinds.pop(pattern) for pattern in weak)
        self.find = automaton(list(kinds)).find_matches_as_indexes
        self.kinds = bytes(kinds.values())
        self.forms = [
            pattern.decode().rstrip("'").replace(" ", "") if kind == FORENAME else ""
            for pattern, kind in kinds.items()
        ]

    def kinds_coded(self, flat: bytes) -> int:
        """Return the kinds, as bits, of the accounts and words with a digit in a text."""
        seen = 0
        for pattern, start, end in self._find_coded(flat, True):
            if ends_word(flat, start, end):
                seen |= 1 << self._coded_kinds[pattern]
        return seen

    def holds_weak(self, flat: bytes) -> bool:
        """Whether a title, or a word that more than one school bears, stands in a text."""
        return any(
            self._weak_kinds[pattern] == TITLE or ends_word(flat, start, end)
            for pattern, start, end in self._find_weak(flat, True)
        )
