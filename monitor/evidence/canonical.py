"""The JSON of the log: RFC 8785, kept so small that every reader in every language sees the same.

Names are printable ASCII, so that any order of characters is the same order; numbers are whole and
small enough for a double; text is whole Unicode; times are in UTC to the microsecond. What is read
must be in exactly the form in which it would be written, so that a name that stands twice, or a
second way to write a character, is refused.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from monitor.errors import EvidenceError
from monitor.model import aware

Json: TypeAlias = bool | int | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What a field may hold: no fractions, which travel as strings, so that all readers agree."""

MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 2**53 - 1
"""The largest whole number on which every JSON reader agrees (RFC 8785, RFC 7493)."""

_AT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
CONTAINERS: Final = frozenset({dict, list})
TO_URL: Final = bytes.maketrans(b"+/", b"-_")
FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING: Final = (b"", b"!", b"==", b"=")

_encode = json.JSONEncoder(
    ensure_ascii=False,
    allow_nan=False,
    sort_keys=True,
    check_circular=False,  # plain() has bounded the depth
    separators=(",", ":"),
).encode


def canonical(value: Any, where: str) -> bytes:
    """RFC 8785 bytes of plain values; with ASCII names and whole numbers, Python agrees with it.

    Raises:
        EvidenceError: `where` holds half of a surrogate pair, which no UTF-8 can carry.
    """
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise EvidenceError(
            f"{where} holds half of a surrogate pair at character {error.start}: not text"
        ) from error


def plain(value: Json, where: str, depth: int = 0) -> Any:
    """The value in dicts, lists and scalars, every part of it allowed."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise EvidenceError(f"{where}: {value} is too large; give it as a string")
        return value
    if depth == MAX_DEPTH:
        raise EvidenceError(f"{where}: nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        for key in value:
            _check_name(key, where)
        return {key: plain(inner, f"{where}.{key}", depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{where}[{n}]", depth + 1) for n, inner in enumerate(value)]
    raise EvidenceError(f"{where}: {type(value).__name__} cannot be sealed; give it as a string")


@lru_cache(maxsize=1024)
def _is_name(key: str) -> bool:
    """Nested names are printable ASCII, and none that SD-JWT gives a meaning."""
    return key.isascii() and key.isprintable() and key not in {"", "_sd", "..."}


def _check_name(key: object, where: str) -> None:
    if not isinstance(key, str) or not _is_name(key):
        raise EvidenceError(f"{where}: {key!r} cannot be a name; use printable ASCII, not '_sd'")


def check_names(value: Any, where: str, depth: int = 0) -> None:
    """Refuse the names and the depth that `plain` would refuse, in a value that was read."""
    if isinstance(value, dict):
        for key in value:
            _check_name(key, where)
        within = list(value.values())
    elif isinstance(value, list):
        within = value
    else:
        return
    if depth == MAX_DEPTH:
        raise EvidenceError(f"{where}: nested more than {MAX_DEPTH} deep")
    for inner in within:
        if type(inner) in CONTAINERS:  # most are not, and this is asked of every value
            check_names(inner, where, depth + 1)


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= len(str(-MAX_INTEGER)) else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        raise EvidenceError("a number is too large to be read the same way everywhere")
    return number


def _fraction(written: str) -> float:
    raise EvidenceError(f"the number {written} is not whole")


_decoder = json.JSONDecoder(parse_float=_fraction, parse_int=_whole, parse_constant=_fraction)


def _allowed(depth: int) -> Any:
    """The type of what may be read without asking further: whole small numbers, `depth` nested."""
    flat = None | bool | str | Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    kind: Any = flat
    for _ in range(depth):
        kind = flat | list[kind] | dict[str, kind]
    return kind


# The quick reader and writer know the same language where they answer; where they do not, or answer
# otherwise, the exact ones below decide and say why.
_quick_read = msgspec.json.Decoder(_allowed(4)).decode
_quick_write = msgspec.json.Encoder(order="sorted").encode


def read(written: bytes, what: str) -> Any:
    """Read one JSON value, not yet known to be canonical; see `check_canonical`.

    Raises:
        EvidenceError: it is not JSON, or holds a number that is not a small whole one.
    """
    try:
        return _quick_read(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_exactly(written, what)


def _read_exactly(written: bytes, what: str) -> Any:
    try:
        text = written.decode()
        value, end = _decoder.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{what} is not JSON") from error
    if end != len(text):
        raise EvidenceError(f"{what} goes on after its end")
    return value


def check_canonical(pieces: Sequence[tuple[Any, bytes, str]]) -> None:
    """Check that each value, read from these bytes, would be written as these bytes again.

    Raises:
        EvidenceError: the first that is written in another way, by its description.
    """
    for value, written, what in pieces:
        try:
            same = _quick_write(value) == written
        except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError, RecursionError):
            same = False
        if not same and canonical(value, what) != written:
            raise EvidenceError(f"{what} is not in canonical form")


def write_time(moment: datetime) -> str:
    """A time as the log writes it: UTC, RFC 3339, always six digits after the second."""
    return aware(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_time(written: object) -> datetime:
    """A time of the log, aware, in UTC.

    Raises:
        EvidenceError: it is written in any other way.
    """
    if isinstance(written, str) and _AT.fullmatch(written):
        try:
            return datetime.fromisoformat(written)
        except ValueError:
            pass  # a 31 February is refused below, like any other way of writing no time
    raise EvidenceError(f"{written!r} is not a time as the log writes it")


def base64url(octets: bytes) -> str:
    """RFC 4648, section 5, without padding."""
    return binascii.b2a_base64(octets, newline=False).translate(TO_URL).rstrip(b"=").decode()


def unbase64url(encoded: bytes) -> bytes:
    """The octets of `base64url`.

    Raises:
        EvidenceError: there are other characters in it, or a number of them that cannot be.
    """
    try:
        return binascii.a2b_base64(
            encoded.translate(FROM_URL) + _PADDING[len(encoded) & 3], strict_mode=True
        )
    except binascii.Error as error:
        raise EvidenceError("it is not base64url") from error
