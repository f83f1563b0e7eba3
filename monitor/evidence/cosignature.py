"""Cosignatures of witnesses (C2SP tlog-cosignature, v1): "I saw this checkpoint at this time".

A cosignature is one more signature line of the checkpoint's note. It covers a time besides the
text, and its keys are of a kind of their own (0x04), so neither can pass for a log's signature.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from monitor.errors import EvidenceError
from monitor.evidence.canonical import Json
from monitor.evidence.note import VerifierKey, split_note, unbase64
from monitor.model import aware

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
        at = _checked(key, signature, text)
        line = f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"
        found.append(Cosignature(key, at, line))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry of the log says of one cosignature: whose it is, on which checkpoint, when."""

    size: int
    witness: str
    at: datetime


def told_of(public: Mapping[str, Json]) -> Told:
    """What the public fields of a `checkpoint.cosigned` entry say.

    Raises:
        EvidenceError: they are not those of such an entry.
    """
    match public:
        case {"checkpoint": int(size), "witness": str(witness), "cosigned_at": str(at)}:
            with suppress(ValueError):
                return Told(size, witness, aware(datetime.fromisoformat(at)))
        case _:
            pass
    raise EvidenceError("an entry about a cosignature does not say whose it is and when it came")


@dataclass(frozen=True, slots=True)
class Kept:
    """The cosignatures that stand under the checkpoints: `held` were checked and hold.

    `unknown` names, once each, the keys of the others, as "name+hash": nobody here can check those.
    """

    held: int
    unknown: tuple[str, ...]


def review(
    notes: Mapping[int, str],
    told: Iterable[Told],
    own: Iterable[VerifierKey],
    keys: Iterable[CosignerKey],
) -> Kept:
    """Check every cosignature kept under the checkpoints, and that the log tells of each.

    `notes` are the checkpoints by their size, `told` the log's entries about cosignatures, `own`
    every key that the log has had (its signatures are not looked at here), `keys` those of the
    witnesses in the config.

    Raises:
        EvidenceError: a known key's cosignature does not fit, one is gone that an entry tells of,
            or a line stands there that no entry tells of.
    """
    missing, known = set(told), {(key.name, key.key_id): key for key in keys}
    ours = {(key.name, key.key_id) for key in own}
    held, unknown = 0, dict[str, None]()
    for size, note in notes.items():
        text, signatures = split_note(note)
        for name, key_id, signature in signatures:
            if (name, key_id) in ours:
                continue
            key = known.get((name, key_id))
            try:
                at = _time_of(name, signature) if key is None else _checked(key, signature, text)
            except EvidenceError as error:
                raise EvidenceError(f"the checkpoint of {size} entries: {error}") from error
            if Told(size, name, at) not in missing:
                raise EvidenceError(
                    f"the checkpoint of {size} entries carries a signature of {name} that no entry"
                    " of the log tells of"
                )
            missing.discard(Told(size, name, at))
            if key is None:
                unknown[f"{name}+{key_id.hex()}"] = None
            else:
                held += 1
    for each in sorted(missing, key=lambda one: (one.size, one.witness, one.at)):
        raise EvidenceError(
            f"{each.witness} cosigned the checkpoint of {each.size} entries at {each.at}, as the"
            " log tells, but that cosignature does not stand there any more"
        )
    return Kept(held, tuple(unknown))


def _time_of(name: str, signature: bytes) -> datetime:
    """The time that a cosignature claims; nothing is verified."""
    seconds = int.from_bytes(signature[:8], "big")
    if len(signature) != _SIGNATURE_SIZE or not 0 < seconds <= _LATEST:
        raise EvidenceError(f"the cosignature of {name} is damaged")
    return datetime.fromtimestamp(seconds, UTC)


def _checked(key: CosignerKey, signature: bytes, text: str) -> datetime:
    """The time of a cosignature by this key, found to fit the text of its note."""
    at = _time_of(key.name, signature)
    signed = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n{text}".encode()
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature[8:], signed)
    except (InvalidSignature, ValueError) as error:
        raise EvidenceError(
            f"the cosignature of {key.name} does not fit: the text or it was altered"
        ) from error
    return at


def joined(note: str, more: Iterable[Cosignature]) -> str:
    """The note with these lines behind its own, each once."""
    for each in more:
        if each.line not in note:
            note += each.line
    return note
