"""A linear second reader: hashed words and letter groups, added to the network's answer.

It sees the exact words and spellings that the network blurs; both together are better than either
(docs/grading.md gives the measured effect).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from monitor.errors import GradingError
from monitor.grading.reading import INSTITUTION, PERSON

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BUCKETS = 1 << 18
ANSWERS = 13
"""The three grades, then the ten flags in the order of `Flag`."""
MOST_CHARACTERS = 4_000
SHORT = 240
"""Characters; in longer texts one bad sentence drowns, so this reader counts less there."""
_TOKEN = re.compile(r"@\w+|:[a-z ]+:|[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
_SHORTEST, _LONGEST = 2, 5


def features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the buckets of a reading and their values; words and letters each of length 1."""
    plain = text[:MOST_CHARACTERS].replace(PERSON, " @staff ").replace(INSTITUTION, " @school ")
    tokens = _TOKEN.findall(plain.lower())
    words = [f"w{token}" for token in tokens]
    words += [f"b{one} {two}" for one, two in pairwise(tokens)]
    letters = [group for token in tokens for group in _groups(token)]
    parts = [_counted(words), _counted(letters)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


@lru_cache(maxsize=4096)
def _groups(token: str) -> tuple[str, ...]:
    """Return every run of two to five letters of a word with its borders."""
    bordered = f" {token} "
    sizes = range(_SHORTEST, min(_LONGEST, len(bordered)) + 1)
    return tuple(bordered[at : at + n] for n in sizes for at in range(len(bordered) - n + 1))


def _counted(grams: list[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    numbers = [crc32(gram.encode("utf-8", "replace")) & (BUCKETS - 1) for gram in grams]
    found, counts = np.unique(np.asarray(numbers, dtype=np.int64), return_counts=True)
    values = (1 + np.log(counts)).astype(np.float32) if len(counts) else np.zeros(0, np.float32)
    return found, values / max(1e-6, float(np.linalg.norm(values)))


class Ngrams:
    """The trained weights: (buckets, answers) in 8 bits with one scale an answer."""

    def __init__(self, weights: NDArray[np.int8], scale: NDArray[np.float32]) -> None:
        self._weights = weights
        self._scale = scale

    @classmethod
    def load(cls, file: Path) -> Ngrams:
        """Read the weights.

        Raises:
            GradingError: when the file is missing or has another shape.
        """
        try:
            with np.load(file, allow_pickle=False) as kept:
                weights, scale = kept["weights"], kept["scale"]
        except (OSError, ValueError, KeyError) as error:
            raise GradingError(f"the weights cannot be read: {file.name}") from error
        if weights.shape != (BUCKETS, ANSWERS) or scale.shape != (ANSWERS,):
            raise GradingError(f"the weights have another shape: {file.name}")
        return cls(weights, scale)

    def logits(self, text: str) -> NDArray[np.float64]:
        """Return (answers,) scores of a reading; flags are log-odds but for an offset."""
        buckets, values = features(text)
        heard = min(1.0, SHORT / max(1, len(text)))
        result: NDArray[np.float64] = (values @ self._weights[buckets]) * self._scale.astype(float)
        return result * heard
