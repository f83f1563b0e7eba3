"""Signed notes (C2SP signed-note) with Ed25519: a text that one or more keys have signed.

A key is known by its name and four bytes of a hash. Signatures of unknown keys are ignored, so that
witnesses may add theirs; a bad signature of a known key refuses the whole note.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from monitor.errors import EvidenceError

MAX_NOTE: Final = 1024 * 1024
"""Characters of a note, with all of its signatures."""
MAX_SIGNATURES: Final = 100

_ED25519: Final = b"\x01"
_KEY_SIZE: Final = 32
_KEY_ID_SIZE: Final = 4
_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "— "
_SPACE: Final = re.compile(r"\s")
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_READABLE_BY_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
"""A group may read, because a systemd credential carries its right in the group's bits."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and its name, written as "name+hash+base64"."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != _KEY_SIZE:
            raise EvidenceError("an Ed25519 public key has 32 bytes")

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a verifier key from its text.

        Raises:
            EvidenceError: it is not one, is of another kind than Ed25519, or its hash is wrong.
        """
        name, key_id, material = _split_key(written)
        key = cls(name, material)
        if key_id != key.key_id.hex():
            raise EvidenceError("the verifier key is damaged: its hash does not fit")
        return key

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        hashed = sha256(self.name.encode() + b"\n" + _ED25519 + self.public)
        return hashed.digest()[:_KEY_ID_SIZE]

    def verifies(self, signature: bytes, text: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its name; the name of a log's key is the log's origin."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != _KEY_SIZE:
            raise EvidenceError("an Ed25519 private key has 32 bytes")

    @classmethod
    def generate(cls, name: str) -> Self:
        """A new key.

        Raises:
            EvidenceError: the name is empty or has spaces or a plus sign.
        """
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key that `save` wrote.

        Raises:
            EvidenceError: there is none, it is damaged, or others may read it.
        """
        try:
            mode = path.stat().st_mode
            written = path.read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise EvidenceError(f"{path}: the signing key cannot be read ({error})") from error
        if mode & _READABLE_BY_OTHERS:
            raise EvidenceError(f"{path}: other users may read the signing key; chmod 600 it")
        if not written.startswith(_PRIVATE):
            raise EvidenceError(f"{path}: not a signing key")
        name, key_id, seed = _split_key(written.removeprefix(_PRIVATE))
        key = cls(name, seed)
        if key_id != key.verifier.key_id.hex():
            raise EvidenceError(f"{path}: the signing key is damaged: its hash does not fit")
        return key

    def save(self, path: Path) -> None:
        """Write the key to a new file that only its owner may read, and see it onto the disk.

        Raises:
            EvidenceError: the file is there already, since a key is never overwritten, or the disk
                refuses; what was begun is then taken away again.
        """
        key_id, material = self.verifier.key_id.hex(), _base64(_ED25519 + self.seed)
        written = f"{_PRIVATE}{self.name}+{key_id}+{material}\n".encode()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise EvidenceError(f"{path}: is there already; a key is never overwritten") from error
        except OSError as error:
            raise EvidenceError(f"{path}: the signing key cannot be written ({error})") from error
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries O_EXCL
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            sync_directory(path.parent)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise EvidenceError(f"{path}: the signing key cannot be written ({error})") from error

    @property
    def verifier(self) -> VerifierKey:
        """The public half, which anybody may hold."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifierKey(self.name, private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over the text."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)


def sign_text(text: str, keys: Sequence[SigningKey]) -> str:
    """A note: the text, an empty line, and a signature line of each key.

    Raises:
        EvidenceError: the text is empty, has control characters, or does not end its last line.
    """
    if not keys or not text.endswith("\n") or _CONTROL.search(text):
        raise EvidenceError("a note is lines of text without control characters, and a key")
    body = _utf8(text)
    lines = [f"{_DASH}{key.name} {_base64(key.verifier.key_id + key.sign(body))}\n" for key in keys]
    return f"{text}\n{''.join(lines)}"


def open_text(note: str, verifiers: Iterable[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """The text of a note and the known keys that signed it, at least one.

    Raises:
        EvidenceError: no known key signed it, a known key's signature is bad, or it is no note.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in verifiers}
    body = text.encode()
    signers: list[VerifierKey] = []
    for name, key_id, signature in signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.verifies(signature, body):
            raise EvidenceError(
                f"the signature of {name} does not fit: the text or the signature was altered"
            )
        signers.append(key)
    if not signers:
        names = ", ".join(sorted({name for name, _, _ in signatures}))
        raise EvidenceError(f"no known key signed this; it carries signatures of {names}")
    return text, tuple(signers)


def split_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text of a note and its signature lines (name, key id, signature), nothing verified.

    Raises:
        EvidenceError: it is no signed note.
    """
    if len(note) > MAX_NOTE or _CONTROL.search(note):
        raise EvidenceError("too long for a signed note, or has control characters")
    _utf8(note)
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise EvidenceError("not a signed note: there is no signature after an empty line")
    signatures = [_signature(line) for line in lines.removesuffix("\n").split("\n")]
    if len(signatures) > MAX_SIGNATURES:
        raise EvidenceError(f"a note with more than {MAX_SIGNATURES} signatures")
    return text + "\n", signatures


def sync_directory(directory: Path) -> None:
    """See a directory's names onto the disk, so that a power cut cannot take a new file back."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, written = line.removeprefix(_DASH).partition(" ")
    decoded = unbase64(written)
    if not line.startswith(_DASH) or decoded is None or len(decoded) <= _KEY_ID_SIZE:
        raise EvidenceError("not a signed note: a signature line is damaged")
    _check_name(name)
    return name, decoded[:_KEY_ID_SIZE], decoded[_KEY_ID_SIZE:]


def _split_key(written: str) -> tuple[str, str, bytes]:
    """Name, hash in hex, and the 32 bytes of a written key."""
    parts = written.split("+", 2)  # base64 may hold a plus sign, a name may not
    material = unbase64(parts[-1])
    if len(parts) != len(("name", "hash", "key")) or material is None:
        raise EvidenceError("not a key: it should read name+hash+base64")
    if material[:1] != _ED25519:
        raise EvidenceError("not an Ed25519 key")
    return parts[0], parts[1], material[1:]


def _check_name(name: str) -> None:
    if not name or "+" in name or _SPACE.search(name) or _CONTROL.search(name):
        raise EvidenceError(f"{name!r} cannot name a key: no spaces, no plus sign, not empty")
    _utf8(name)


def unbase64(written: str) -> bytes | None:
    """The octets of standard base64 in its one canonical form; None for anything else."""
    try:
        octets = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if _base64(octets) == written else None


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EvidenceError("a note cannot hold half of a surrogate pair") from error
