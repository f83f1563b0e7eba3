"""Names with masked letters ("Francesca D'Ang*lo"), as far as the gate looks into them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from monitor.matching.gate_names import NamesBeside
from monitor.matching.names import PREFIXES
from monitor.matching.words import is_ordinary

_BESIDE_MASK = re.compile(
    r"(?<![^\W_])((?:[^\W_]{1,24}(?:[ .]{1,2}|['-]|, )){0,4})([^\W_]{1,20}\*[\w*']{0,24})"
    r"(?=((?:,?[ '-][^\W_][\w*]{0,24}){0,4}))"
)
_MASKED_WORD = re.compile(r"[\w*]+")


def masked_beside_forename(text: str, names: NamesBeside, forms: AbstractSet[str]) -> bool:
    """Whether a forename or initial, itself perhaps masked, goes with a masked word of a text.

    `forms` are the forenames of the roster in all their forms. Middle names and the pieces of a
    surname may stand between the two, ordinary words may not.
    """
    for found in _BESIDE_MASK.finditer(text):
        before, behind = _MASKED_WORD.findall(found[1])[::-1], _MASKED_WORD.findall(found[3])
        if any(len(word) == 1 or word in forms for word in (*before[:1], *behind[:1])):
            return True
        masked = found[2].replace("'", "")
        if any(names.is_masked_forename(masked, word) for word in (*_led(behind), *before[:1])):
            return True
        parted = before[:1] != [] and names.begins_surname(before[0])
        if any(
            word in forms and (parted or names.is_masked_surname(masked, word))
            for word in _led(before)
        ):
            return True
    return False


def _led(words: list[str]) -> Iterator[str]:
    """Yield the words up to the first ordinary one, which is no middle name."""
    for word in words:
        yield word
        if is_ordinary(word) and word not in PREFIXES:
            return
