"""One entry of the log: bytes that commit to every field, and the disclosures beside them.

A leaf is a version byte and canonical JSON. What anybody may read stands in it openly; each secret
field (text, author, names, addresses, digests of bytes) is there only as a salted digest, in the
disclosure form of SD-JWT (RFC 9901). Leave a disclosure out and the field is redacted, destroy it
and the field is erased: the leaf, and so the log, still verifies. docs/evidence-format.md has the
rules and worked vectors; nothing here may change without a new version byte.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from monitor.errors import EvidenceError
from monitor.evidence.canonical import (
    CONTAINERS,
    Json,
    base64url,
    canonical,
    check_canonical,
    check_names,
    plain,
    read,
    read_time,
    unbase64url,
    write_time,
)
from monitor.evidence.log import leaf_hash
from monitor.model import aware

__all__ = [
    "VERSION",
    "Disclosure",
    "Json",
    "Leaf",
    "OpenedLeaf",
    "Sealed",
    "digest_of",
    "open_leaf",
    "read_disclosure",
    "read_time",
    "seal",
    "write_time",
]

VERSION: Final = 1
MAX_CONTENT: Final = 64 * 1024
"""Bytes of one leaf: the log stays small because whatever is long is committed to, not held."""
MAX_DISCLOSURE: Final = 16 * 1024 * 1024
"""Characters of one encoded disclosure."""
MAX_SECRETS: Final = 256
MIN_SALT: Final = 16
MAX_SALT: Final = 64

_VERSION_BYTE: Final = bytes((VERSION,))
_SHORTEST_SALT: Final = (MIN_SALT * 4 + 2) // 3
_LONGEST_SALT: Final = (MAX_SALT * 4 + 2) // 3
_PARTS: Final = len(("salt", "name", "value"))

_OWN: Final = frozenset({"kind", "at", "_sd", "_sd_alg"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_KIND: Final = re.compile(r"(?=.{3,64}\Z)[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+", re.ASCII)
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def _salt() -> bytes:
    return secrets.token_bytes(MIN_SALT)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is to be sealed: `at` says when it happened, aware; names are `[a-z][a-z0-9_]*`."""

    kind: str
    at: datetime
    public: Mapping[str, Json]
    secret: Mapping[str, Json]

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", aware(self.at))


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A secret field: `encoded` is base64url(JSON [salt, name, value]), `digest` is in the leaf."""

    name: str
    encoded: str
    digest: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A leaf ready for the log: its bytes, their leaf hash (RFC 6962), and what is kept beside."""

    content: bytes
    leaf_hash: bytes
    disclosures: tuple[Disclosure, ...]


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """A leaf as read back; `withheld` counts the secret fields whose disclosure was not given."""

    kind: str
    at: datetime
    public: Mapping[str, Json]
    secret: Mapping[str, Json]
    withheld: int


def seal(leaf: Leaf, *, salts: Callable[[], bytes] = _salt) -> Sealed:
    """Turn a leaf into bytes that commit to all of it; `salts` gives 16 to 64 random bytes a field.

    Raises:
        EvidenceError: a name, a value or a size that the format does not allow, and where.
    """
    if not _is_kind(leaf.kind):
        raise EvidenceError(f"{leaf.kind!r} is not a kind of entry; write it as in 'post.captured'")
    _check_fields(leaf)
    made = tuple(_disclose(name, leaf.secret[name], salts()) for name in sorted(leaf.secret))
    fields: dict[str, Any] = {name: plain(value, name) for name, value in leaf.public.items()}
    fields["kind"] = leaf.kind
    fields["at"] = write_time(leaf.at)
    fields["_sd"] = sorted(disclosure.digest for disclosure in made)
    fields["_sd_alg"] = "sha-256"
    content = _VERSION_BYTE + canonical(fields, "the entry")
    if len(content) > MAX_CONTENT:
        raise EvidenceError(
            f"a {leaf.kind} entry of {len(content)} bytes is over the {MAX_CONTENT} allowed; "
            "what is long belongs in a secret field or in the vault"
        )
    return Sealed(content, leaf_hash(content), made)


def open_leaf(content: bytes, disclosures: Iterable[str]) -> OpenedLeaf:
    """Read a leaf back with the encoded disclosures that the reader holds, all or some of them.

    The fields of `secret` come in the order of the disclosures.

    Raises:
        EvidenceError: the bytes are not a leaf, or a disclosure does not belong to it.
    """
    fields, digests = _read_fields(content)
    committed = _set_of(digests)
    pieces: list[tuple[Any, bytes, str]] = [(fields, content[1:], "the entry")]
    secret: dict[str, Json] = {}
    for encoded in disclosures:
        digest = digest_of(encoded)
        if digest not in committed:
            raise EvidenceError(_stranger(encoded))
        committed.discard(digest)
        parts, written = _read_parts(encoded)
        pieces.append((parts, written, "a disclosure"))
        name = parts[1]
        if name in secret or name in fields:
            raise EvidenceError(f"field {name!r} stands in the entry twice")
        secret[name] = parts[2]
    check_canonical(pieces)
    for digest in committed:
        if not _DIGEST.fullmatch(digest):
            raise EvidenceError("the digests of the entry's secret fields are damaged")
    kind, at = fields.pop("kind"), read_time(fields.pop("at"))
    del fields["_sd"], fields["_sd_alg"]
    return OpenedLeaf(kind, at, fields, secret, len(committed))


def digest_of(encoded: str) -> str:
    """The digest of an encoded disclosure: base64url(SHA-256(its ASCII)), without padding.

    Raises:
        EvidenceError: the disclosure has characters that no disclosure has.
    """
    try:
        return base64url(sha256(encoded.encode("ascii")).digest())
    except UnicodeEncodeError as error:
        raise EvidenceError("a disclosure has characters outside base64url") from error


def read_disclosure(encoded: str) -> tuple[str, Json]:
    """The name and the value in a disclosure.

    Raises:
        EvidenceError: it is not base64url of a canonical JSON array [salt, name, value].
    """
    parts, written = _read_parts(encoded)
    check_canonical([(parts, written, "a disclosure")])
    return parts[1], parts[2]


def _read_parts(encoded: str) -> tuple[list[Any], bytes]:
    """Salt, name and value of a disclosure, with the bytes that remain to be found canonical."""
    if len(encoded) > MAX_DISCLOSURE or not encoded.isascii():
        raise EvidenceError("a disclosure is too long or is not base64url")
    try:
        written = unbase64url(encoded.encode("ascii"))
    except EvidenceError as error:
        raise EvidenceError(f"a disclosure is damaged: {error}") from error
    parts = read(written, "a disclosure")
    if type(parts) is list and len(parts) == _PARTS:
        salt, name, value = parts
        if type(salt) is str and type(name) is str and _is_name(name):
            if not _SHORTEST_SALT <= len(salt) <= _LONGEST_SALT:
                raise EvidenceError(f"field {name!r} was sealed with too short or long a salt")
            if type(value) in CONTAINERS:
                check_names(value, name)
            return parts, written
    raise EvidenceError("a disclosure is not [salt, name, value]")


def _read_fields(content: bytes) -> tuple[dict[str, Any], Any]:
    """The members of a leaf, whose bytes remain to be found canonical, and its `_sd`."""
    if content[:1] != _VERSION_BYTE:
        found = content[:1].hex() or "nothing"
        raise EvidenceError(f"the entry begins with {found}, not with version {VERSION:02x}")
    if len(content) > MAX_CONTENT:
        raise EvidenceError(f"the entry is longer than {MAX_CONTENT} bytes")
    fields = read(content[1:], "the entry")
    if type(fields) is not dict or not fields.keys() >= _OWN or fields["_sd_alg"] != "sha-256":
        raise EvidenceError("the entry lacks kind, at, _sd or _sd_alg sha-256")
    kind, digests = fields["kind"], fields["_sd"]
    if type(kind) is not str or not _is_kind(kind):
        raise EvidenceError(f"{kind!r} is no kind of entry")
    for name, value in fields.items():
        if not _is_name(name) and name not in _OWN:
            raise EvidenceError(f"the entry has a field with the name {name!r}")
        if type(value) in CONTAINERS and name != "_sd":
            check_names(value, name)
    return fields, digests


def _set_of(digests: Any) -> set[str]:
    """The digests of a leaf, found to be a sorted list of different strings."""
    if type(digests) is not list or len(digests) > MAX_SECRETS:
        raise EvidenceError(f"the entry has no list of at most {MAX_SECRETS} digests")
    try:
        "".join(digests)  # the quickest way to learn that all of them are strings
    except TypeError as error:
        raise EvidenceError("the digests of the entry's secret fields are damaged") from error
    committed = set(digests)
    if sorted(committed) != digests:
        raise EvidenceError("the digests of the entry's secret fields are not sorted and unique")
    return committed


@lru_cache(maxsize=1024)
def _is_kind(kind: str) -> bool:
    return _KIND.fullmatch(kind) is not None


@lru_cache(maxsize=1024)
def _is_name(name: str) -> bool:
    return name not in _OWN and _NAME.fullmatch(name) is not None


def _disclose(name: str, value: Json, salt: bytes) -> Disclosure:
    if not MIN_SALT <= len(salt) <= MAX_SALT:
        raise EvidenceError(f"a salt has {len(salt)} bytes; {MIN_SALT} to {MAX_SALT} are needed")
    written = canonical([base64url(salt), name, plain(value, name)], f"field {name!r}")
    encoded = base64url(written)
    if len(encoded) > MAX_DISCLOSURE:
        raise EvidenceError(f"field {name!r} is too long to seal; keep it in the vault instead")
    return Disclosure(name, encoded, digest_of(encoded))


def _check_fields(leaf: Leaf) -> None:
    if len(leaf.secret) > MAX_SECRETS:
        raise EvidenceError(f"an entry has {len(leaf.secret)} secret fields; {MAX_SECRETS} at most")
    for name in (*leaf.public, *leaf.secret):
        if name in _OWN:
            raise EvidenceError(f"{name!r} belongs to the entry itself; a field needs another name")
        if not _is_name(name):
            raise EvidenceError(f"{name!r} cannot be the name of a field; write it as in 'post_id'")
    twice = sorted(leaf.public.keys() & leaf.secret.keys())
    if twice:
        raise EvidenceError(f"field {twice[0]!r} is both public and secret")


def _stranger(encoded: str) -> str:
    """What to say of a disclosure that the leaf does not commit to."""
    try:
        name, _ = read_disclosure(encoded)
    except EvidenceError:
        return "a disclosure is damaged: it is not one of those that were sealed with the entry"
    return f"field {name!r} is not what was sealed: its digest is not in the entry"
