"""The append-only Merkle log: RFC 6962 hashing, the compact range, and proofs over stored nodes.

A node is named by (level, index): level 0 holds the leaf hashes, and node (l, i) covers the leaves
from i * 2**l up to (i + 1) * 2**l. Only complete subtrees are stored, so none ever changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from monitor.errors import EvidenceError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

GetNode = Callable[[int, int], bytes]
"""Reads the stored hash of the complete subtree (level, index)."""


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: it covers 2**level leaves from index * 2**level."""

    level: int
    index: int
    hash: bytes


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 of a zero byte and the content (RFC 6962, 2.1)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and both children (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The compact range [0, size): the complete subtrees at the right edge, the largest first.

    It is all that an appender needs to know of the log; it grows with the logarithm of its size.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def of(cls, size: int, get_node: GetNode) -> Frontier:
        """The frontier of a log of `size` leaves, from its stored nodes.

        Raises:
            EvidenceError: `size` is negative, or a node is missing or not 32 bytes.
        """
        frontier = cls()
        frontier._peaks = [_read(get_node, node) for node in _cover(0, size)]
        frontier._size = size
        return frontier

    @property
    def size(self) -> int:
        """How many leaves the log has."""
        return self._size

    def append(self, leaf: bytes) -> list[Node]:
        """Add a leaf hash; the interior nodes that it completed, the lowest first.

        The leaf itself is node (0, size - 1), and is the caller's to store.
        """
        return [
            Node(level, self._size - 1 >> level, completed)
            for level, completed in enumerate(self.push(leaf), start=1)
        ]

    def push(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash; only the hashes of what `append` returns, for readers of whole logs."""
        index, peaks = self._size, self._peaks
        current = leaf
        completed = []
        while index & 1:
            current = sha256(b"\x01" + peaks.pop() + current).digest()
            completed.append(current)
            index >>= 1
        peaks.append(current)
        self._size += 1
        return completed

    def join(self, count: int, peaks: Sequence[bytes]) -> None:
        """Add `count` leaves at once, given as their complete subtrees, the largest first.

        The log has to end at a multiple of the largest.
        """
        levels = (level for level in reversed(range(count.bit_length())) if count >> level & 1)
        for level, peak in zip(levels, peaks, strict=True):
            index, current = self._size >> level, peak
            while index & 1:
                current = node_hash(self._peaks.pop(), current)
                index >>= 1
            self._peaks.append(current)
            self._size += 1 << level

    def root(self, further: Sequence[bytes] = ()) -> bytes:
        """The root hash of the log as it stands, or with further complete subtrees at its end."""
        return _fold([*self._peaks, *further])


def verify_levels(size: int, read_level: Callable[[int], Iterator[bytes]]) -> None:
    """Check every stored interior node of a log of `size` leaves against the level below it.

    `read_level` gives the stored hashes of one level in the order of their indices; it is asked
    for each level twice, the leaves (level 0) once. Nothing is held.

    Raises:
        EvidenceError: the first node that is missing, too many, or not the hash of its children.
    """
    level, count = 0, size
    while count:
        below = read_level(level)
        level, count, index = level + 1, count >> 1, 0
        for found in read_level(level):
            # Two nodes below make one above; an odd last one waits for its neighbour.
            left, right = next(below, b""), next(below, b"")
            if index == count or node_hash(left, right) != found:
                raise EvidenceError(f"node {index} of level {level} of the log was altered")
            index += 1
        if index != count:
            raise EvidenceError(f"node {index} of level {level} of the log is missing")


def inclusion_proof(index: int, size: int, get_node: GetNode) -> tuple[bytes, ...]:
    """The hashes that prove leaf `index` in the log of `size` leaves (RFC 6962, 2.1.1).

    Reads at most 2 * log2(size) stored nodes.

    Raises:
        EvidenceError: there is no such leaf, or a node is missing.
    """
    if not 0 <= index < size:
        raise EvidenceError(f"a log of {size} entries has no entry {index}")
    return _path(get_node, start=0, end=size, index=index)


def consistency_proof(old: int, new: int, get_node: GetNode) -> tuple[bytes, ...]:
    """The hashes that prove that the log of `old` leaves is the beginning of that of `new` (2.1.2).

    Empty where both are the same or `old` is 0: every log begins with the empty one.

    Raises:
        EvidenceError: `old` is larger than `new` or negative, or a node is missing.
    """
    if not 0 <= old <= new:
        raise EvidenceError(f"a log of {new} entries has never had {old}")
    if old in {0, new}:
        return ()
    return _subproof(get_node, start=0, end=new, old=old)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf is entry `index` of the log with this size and root (RFC 9162, 2.1.3.2).

    Raises:
        EvidenceError: it is not, or the proof has another length than it must have.
    """
    if not 0 <= index < size:
        raise EvidenceError(f"a log of {size} entries has no entry {index}")
    _check_hashes((leaf, root, *proof))
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise EvidenceError(f"the proof of entry {index} is too long")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise EvidenceError(f"the proof of entry {index} is too short")
    if current != root:
        raise EvidenceError(f"entry {index} is not in the log of {size} entries with this root")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the old log is the beginning of the new one (RFC 9162, 2.1.4.2).

    Raises:
        EvidenceError: it is not: what was once in the log has been changed or taken out.
    """
    _check_hashes((old_root, new_root, *proof))
    if not 0 <= old <= new:
        raise EvidenceError(f"the log had {old} entries and now has {new}: entries were taken out")
    if old in {0, new}:
        same = old_root == EMPTY_ROOT if old == 0 else old_root == new_root
        if proof or not same:
            raise EvidenceError(f"the log of {old} entries is not the one that was signed")
        return
    if _replay(old, new, proof, old_root) != (old_root, new_root):
        raise EvidenceError(f"the log of {new} entries does not begin with its first {old}")


def _replay(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """The two roots to which a consistency proof leads."""
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    path = list(proof) if node else [old_root, *proof]
    if not path:
        raise EvidenceError("the proof is too short")
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise EvidenceError("the proof is too long")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise EvidenceError("the proof is too short")
    return first, second


def _path(get_node: GetNode, *, start: int, end: int, index: int) -> tuple[bytes, ...]:
    """Siblings from leaf `index` up to the root of the leaves [start, end)."""
    siblings: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            siblings.append(_range_root(get_node, middle, end))
            end = middle
        else:
            siblings.append(_range_root(get_node, start, middle))
            start = middle
    return tuple(reversed(siblings))


def _subproof(get_node: GetNode, *, start: int, end: int, old: int) -> tuple[bytes, ...]:
    """SUBPROOF of RFC 6962, 2.1.2, without recursion; `old` counts from the start of the log."""
    proof: list[bytes] = []
    whole = True  # the old log is still the whole of [0, old), whose root the verifier knows
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_root(get_node, middle, end))
            end = middle
        else:
            proof.append(_range_root(get_node, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_range_root(get_node, start, end))
    return tuple(reversed(proof))


def _range_root(get_node: GetNode, start: int, end: int) -> bytes:
    """The root of the leaves [start, end), where `start` is as aligned as the tree makes it."""
    return _fold([_read(get_node, node) for node in _cover(start, end)])


def _cover(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees that make up [start, end), the largest first."""
    if end < start:
        raise EvidenceError(f"a log cannot have {end} entries")
    cover = []
    while start < end:
        level = (end - start).bit_length() - 1
        cover.append((level, start >> level))
        start += 1 << level
    return cover


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    current = peaks[-1]
    for peak in reversed(peaks[:-1]):
        current = node_hash(peak, current)
    return current


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return int(1 << (count - 1).bit_length() - 1)


def _read(get_node: GetNode, node: tuple[int, int]) -> bytes:
    found = get_node(*node)
    if type(found) is not bytes or len(found) != HASH_SIZE:
        raise EvidenceError(f"node {node} of the log is damaged: it is not {HASH_SIZE} bytes")
    return found


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise EvidenceError(f"a hash is not {HASH_SIZE} bytes")
