"""Tells the holder of an old checkpoint whether today's log still contains all that it covered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import Checkpoint, open_note, stated
from monitor.evidence.log import (
    Frontier,
    GetNode,
    consistency_proof,
    leaf_hash,
    verify_consistency,
)
from monitor.evidence.note import VerifierKey


@dataclass(frozen=True, slots=True)
class Contained:
    """The log of `size` entries and this root begins with the log of the checkpoint.

    `proof` is the consistency proof of RFC 6962, 2.1.2, from `checkpoint` to that root.
    """

    checkpoint: Checkpoint
    size: int
    root: bytes
    proof: tuple[bytes, ...]


def open_kept(note: str, verifiers: Iterable[VerifierKey], origin: str) -> Checkpoint:
    """The checkpoint in a note that somebody outside kept.

    `verifiers` are every key that the log of this `origin` has had.

    Raises:
        EvidenceError: it is of another log, none of these keys signed it, or it was altered.
    """
    claimed = stated(note)
    if claimed.origin != origin:
        raise EvidenceError(
            f"this checkpoint belongs to another log, {claimed.origin}; this log is {origin}"
        )
    try:
        return open_note(note, verifiers)
    except EvidenceError as error:
        raise EvidenceError(
            f"the checkpoint cannot be relied on: {error}. Either the file was changed, or this log"
            " has another key than the one that signed it: the key was replaced without a hand-over"
        ) from error


def still_contains(
    kept: Checkpoint, contents: Iterable[bytes], head: tuple[int, bytes], get_node: GetNode
) -> Contained:
    """Compare a checkpoint with the log as it is: by its entries, then by the tree above them.

    `contents` are the leaf bytes from entry 0 on, read only as far as the checkpoint goes; `head`
    is the size and the root today, `get_node` reads the stored tree.

    Raises:
        EvidenceError: what the checkpoint covered is not what the log holds, and how it differs.
    """
    size, root = head
    if size < kept.size:
        missing = kept.size - size
        raise EvidenceError(
            f"entries are gone: the checkpoint was signed when the log had {kept.size} entries, and"
            f" today it has {size}; the last {missing} of those are missing"
        )
    frontier = Frontier()
    for content in contents:
        if frontier.size == kept.size:
            break
        frontier.push(leaf_hash(content))
    if frontier.size < kept.size:
        raise EvidenceError(
            f"entries are gone: of the first {kept.size} only {frontier.size} can be read"
        )
    if frontier.root() != kept.root:
        raise EvidenceError(
            f"the log was changed: at least one of its first {kept.size} entries is not as it was"
            " when the checkpoint was signed (`staff-mentions evidence verify` may name it)"
        )
    try:
        proof = consistency_proof(kept.size, size, get_node)
        verify_consistency(kept.size, size, proof, kept.root, root)
    except EvidenceError as error:
        raise EvidenceError(f"the tree of the log does not fit its entries: {error}") from error
    return Contained(kept, size, root, proof)
