"""Checkpoints of the log (C2SP tlog-checkpoint): how long it was and its root, signed.

A checkpoint that leaves the school (a time-stamp, a witness's mailbox) fixes everything up to its
size for good. The signing key may change; the old key then signs for the new one in a hand-over.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from monitor.errors import EvidenceError
from monitor.evidence.canonical import Json
from monitor.evidence.log import HASH_SIZE
from monitor.evidence.note import (
    SigningKey,
    VerifierKey,
    open_text,
    sign_text,
    split_note,
    unbase64,
)

__all__ = [
    "Checkpoint",
    "SigningKey",
    "VerifierKey",
    "first_key",
    "hand_over",
    "open_note",
    "read_hand_over",
    "sign",
    "stated",
]

HAND_OVER: Final = "staff-mentions/key-hand-over/v1"
"""First line of a hand-over: no log may have this origin, so neither can pass for the other."""

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log named `origin` has `size` entries, and this root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or self.origin == HAND_OVER:
            raise EvidenceError(f"{self.origin!r} cannot be the origin of a log")
        if not 0 <= self.size < 1 << 63 or len(self.root) != HASH_SIZE:
            raise EvidenceError("a checkpoint has a size and a root of 32 bytes")

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The checkpoint as a signed note.

    Raises:
        EvidenceError: the key belongs to another log.
    """
    if key.name != checkpoint.origin:
        raise EvidenceError(f"the key of {key.name} does not sign for {checkpoint.origin}")
    return sign_text(checkpoint.text, (key,))


def open_note(text: str, verifiers: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a signed note; signatures of unknown keys are ignored.

    Raises:
        EvidenceError: no known key named like its origin signed it, a known key's signature is
            bad, or it is no checkpoint.
    """
    body, signers = open_text(text, verifiers)
    checkpoint = _read(body)
    if all(key.name != checkpoint.origin for key in signers):
        raise EvidenceError(f"the checkpoint of {checkpoint.origin} is not signed by its own key")
    return checkpoint


def stated(text: str) -> Checkpoint:
    """What a note claims, its signatures not looked at: never a proof of anything.

    Raises:
        EvidenceError: it is no checkpoint.
    """
    return _read(split_note(text)[0])


def hand_over(old: SigningKey, new: SigningKey) -> Mapping[str, Json]:
    """The public fields of a `key.changed` entry: both keys, and a note that both have signed.

    The old key's signature passes its right on; the new key's shows that somebody holds it. From
    that entry on, the new key alone signs checkpoints, the one that covers the entry included.

    Raises:
        EvidenceError: the keys have different names, or are the same.
    """
    if old.name != new.name or old.seed == new.seed:
        raise EvidenceError("a key is handed over to another key of the same name")
    text = f"{HAND_OVER}\n{old.verifier}\n{new.verifier}\n"
    note = sign_text(text, (old, new))
    return {"old_key": str(old.verifier), "new_key": str(new.verifier), "note": note}


def read_hand_over(
    public: Mapping[str, Json], verifiers: Iterable[VerifierKey]
) -> tuple[VerifierKey, VerifierKey]:
    """The old and the new key of a `key.changed` entry, when a key in `verifiers` handed over.

    Raises:
        EvidenceError: it is not a hand-over from a known key, or either signature is bad.
    """
    match public:
        case {"old_key": str(old_written), "new_key": str(new_written), "note": str(note)}:
            old, new = VerifierKey.parse(old_written), VerifierKey.parse(new_written)
        case _:
            raise EvidenceError("the entry does not hold a hand-over of the signing key")
    if old not in set(verifiers):
        raise EvidenceError(f"the signing key was handed over by an unknown key, {old}")
    text, signers = open_text(note, (old, new))
    lines = text.removesuffix("\n").split("\n")
    if lines != [HAND_OVER, str(old), str(new)] or old.name != new.name or old == new:
        raise EvidenceError("the hand-over of the signing key says something else than its entry")
    if set(signers) != {old, new}:
        raise EvidenceError("the hand-over of the signing key is not signed by both keys")
    return old, new


def first_key(current: VerifierKey, hand_overs: Iterable[Mapping[str, Json]]) -> VerifierKey:
    """The key with which the log began, for a reader who trusts its current key.

    `hand_overs` are the public fields of every `key.changed` entry in the order of the log. Each
    was signed by both keys, so the trust in the last one reaches back to the first.

    Raises:
        EvidenceError: the chain does not end at the current key, or is broken.
    """
    for public in reversed(list(hand_overs)):
        written = public.get("old_key")
        if not isinstance(written, str):
            raise EvidenceError("the entry does not hold a hand-over of the signing key")
        old, new = read_hand_over(public, (VerifierKey.parse(written),))
        if new != current:
            raise EvidenceError(f"the log handed its key over to {new}, not to {current}")
        current = old
    return current


def _read(body: str) -> Checkpoint:
    lines = body.removesuffix("\n").split("\n")
    if len(lines) < len(("origin", "size", "root")) or not all(lines):
        raise EvidenceError("not a checkpoint: it needs an origin, a size and a root")
    origin, size, written = lines[:3]  # further lines are extensions, signed but not ours
    root = unbase64(written)
    if not _SIZE.fullmatch(size) or root is None or len(root) != HASH_SIZE:
        raise EvidenceError("not a checkpoint: its size or its root is damaged")
    return Checkpoint(origin, int(size), root)
