"""What was found of a stretch of the log by whoever read it alone, ready to be joined to the rest.

A stretch begins at a multiple of a power of two, at most so long: so it is made of whole subtrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from monitor.evidence.leaf import Json


@dataclass(frozen=True, slots=True)
class Event:
    """An entry that decides about others: which was erased, or which key signs from here on."""

    index: int
    kind: str
    public: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The entries from `start` up to `stop`, of which each by itself is whole.

    `peaks` holds, for `stop` and each size of a checkpoint in between, the complete subtrees from
    `start` on, the largest first. `erased` are the entries that were erased. `nodes` says whether
    the stored nodes over these entries are those that come out of them.
    """

    start: int
    stop: int
    peaks: Mapping[int, tuple[bytes, ...]]
    erased: tuple[int, ...]
    events: tuple[Event, ...]
    blobs: int
    pictures: int
    withheld: int
    nodes: bool


def levels_over(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of all complete subtrees over these leaves: the leaves, pairs of them, and so on.

    The first leaf has to stand at a multiple of a power of two that is not below their number.
    """
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=False)  # an odd one waits for its neighbour
        levels.append([sha256(b"\x01" + left + right).digest() for left, right in pairs])
    return levels


def peaks_of(levels: Sequence[Sequence[bytes]], count: int) -> tuple[bytes, ...]:
    """The complete subtrees of the first `count` leaves, the largest first."""
    return tuple(
        levels[level][(count >> level) - 1]
        for level in reversed(range(count.bit_length()))
        if count >> level & 1
    )
