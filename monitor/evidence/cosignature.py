"""Cosignatures of witnesses (C2SP tlog-cosignature, v1): "I saw this checkpoint at this time".

A cosignature is one more signature line of the checkpoint's note. It covers a time besides the
text, and its keys are of a kind of their own (0x04), so neither can pass for a log's signature.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from monitor.errors import EvidenceError
from monitor.evidence.note import split_note, unbase64

_COSIGNATURE_V1: Final = b"\x04"
_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 8 + 64
_LATEST: Final = 253402300799
"""The last second that a time of ours can hold (year 9999)."""


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's public key and its name, written as "name+hash+base64( 04 || 32 bytes )"."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a cosigner's key from its text.

        Raises:
            EvidenceError: it is not one, is of another kind, or its hash does not fit.
        """
        parts = written.split("+", 2)  # base64 may hold a plus sign, a name may not
        material = unbase64(parts[-1])
        if len(parts) != len(("name", "hash", "key")) or not parts[0] or material is None:
            raise EvidenceError("not a witness's key: it should read name+hash+base64")
        if material[:1] != _COSIGNATURE_V1 or len(material) != 1 + _KEY_SIZE:
            raise EvidenceError("not a key for cosignatures: its base64 begins with BA")
        key = cls(parts[0], material[1:])
        if parts[1] != key.key_id.hex():
            raise EvidenceError("the witness's key is damaged: its hash does not fit")
        return key

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        hashed = sha256(self.name.encode() + b"\n" + _COSIGNATURE_V1 + self.public)
        return hashed.digest()[:4]

    def __str__(self) -> str:
        written = base64.b64encode(_COSIGNATURE_V1 + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{written}"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """That the holder of `key` saw the checkpoint at `at` (UTC); `line` is its line of the note."""

    key: CosignerKey
    at: datetime
    line: str


def cosignatures(note: str, keys: Iterable[CosignerKey]) -> tuple[Cosignature, ...]:
    """The cosignatures in a note by these keys, each checked; those of others are passed over.

    Raises:
        EvidenceError: it is no signed note, or a known key's cosignature does not fit it.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for name, key_id, signature in signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        seconds = int.from_bytes(signature[:8], "big")
        if len(signature) != _SIGNATURE_SIZE or not 0 < seconds <= _LATEST:
            raise EvidenceError(f"the cosignature of {name} is damaged")
        signed = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature[8:], signed)
        except (InvalidSignature, ValueError) as error:
            raise EvidenceError(
                f"the cosignature of {name} does not fit: the text or it was altered"
            ) from error
        line = f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"
        found.append(Cosignature(key, datetime.fromtimestamp(seconds, UTC), line))
    return tuple(found)


def joined(note: str, more: Iterable[Cosignature]) -> str:
    """The note with these lines behind its own, each once."""
    for each in more:
        if each.line not in note:
            note += each.line
    return note
