"""The proofs of an export: every entry and every earlier checkpoint, against one signed end."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor.errors import EvidenceError
from monitor.evidence.log import GetNode, consistency_proof, inclusion_proof, verify_inclusion
from monitor.storage.dossier import Planned

Proofs = tuple[dict[int, tuple[bytes, ...]], dict[int, tuple[bytes, ...]]]


def prove(
    indices: Sequence[int],
    earlier: Sequence[int],
    size: int,
    read: Callable[[Planned], GetNode],
) -> Proofs:
    """Inclusion proofs by index, and consistency proofs by earlier size, in the log of `size`.

    `read` reads all planned nodes at once.

    Raises:
        EvidenceError: an entry is not in the log of that size, or a node is missing.
    """
    planned = Planned()
    _build(indices, earlier, size, planned.ask)
    return _build(indices, earlier, size, read(planned))


def _build(indices: Sequence[int], earlier: Sequence[int], size: int, get_node: GetNode) -> Proofs:
    inclusion = {index: inclusion_proof(index, size, get_node) for index in indices}
    consistency = {old: consistency_proof(old, size, get_node) for old in earlier}
    return inclusion, consistency


def check(
    inclusion: Mapping[int, Sequence[bytes]], hashes: Mapping[int, bytes], size: int, root: bytes
) -> None:
    """Check our own proofs before they leave: a bad one is found here, not in a court.

    Raises:
        EvidenceError: an entry does not lead to the root that was signed.
    """
    for index, proof in inclusion.items():
        try:
            verify_inclusion(hashes[index], index, size, proof, root)
        except EvidenceError as error:
            raise EvidenceError(
                f"{error}; run `staff-mentions evidence verify` before anything is exported"
            ) from error


def written(hashes: Sequence[bytes]) -> list[Any]:
    """Hashes in base64."""
    return [base64.b64encode(each).decode() for each in hashes]
