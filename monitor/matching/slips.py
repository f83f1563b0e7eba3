"""Surnames with one typing slip: a letter left out, put in, changed, or two swapped."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

_SHORTEST = 6
_HASH_MASK = (1 << 64) - 1


class Slips:
    """Surnames of six letters or more, found by any spelling that is one slip away."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        hashes, numbers = array("Q"), array("L")
        for number, name in enumerate(names):
            if len(name) >= _SHORTEST:
                for hashed in _shortened(name):
                    hashes.append(hashed)
                    numbers.append(number)
        order = np.argsort(np.asarray(hashes), kind="stable")
        self._hashes = array("Q", np.asarray(hashes)[order].tobytes())
        self._numbers = array("L", np.asarray(numbers)[order].tobytes())

    def near(self, word: str) -> tuple[str, ...]:
        """Return the surnames of six letters or more that are one typing slip from this word."""
        found: set[str] = set()
        for hashed in _shortened(word):
            at = bisect_left(self._hashes, hashed)
            while at < len(self._hashes) and self._hashes[at] == hashed:
                found.add(self._names[self._numbers[at]])
                at += 1
        return tuple(sorted(name for name in found if is_one_slip(word, name)))


def _shortened(word: str) -> list[int]:
    """Return the hashes of a word and of what is left of it without each of its letters."""
    words = {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
    return [hash(each) & _HASH_MASK for each in words]


def is_one_slip(word: str, name: str) -> bool:
    """Whether one letter is left out, put in, changed or swapped, not the first."""
    if word == name or word[0] != name[0]:
        return False
    if len(word) == len(name):
        wrong = [k for k in range(len(word)) if word[k] != name[k]]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1  # noqa: PLR2004
        return len(wrong) == 1 or (
            swapped and word[wrong[0]] == name[wrong[1]] and word[wrong[1]] == name[wrong[0]]
        )
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    return len(longer) == len(shorter) + 1 and any(
        longer[:k] + longer[k + 1 :] == shorter for k in range(len(longer))
    )
