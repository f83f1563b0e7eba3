"""Columns of rows in the JSON and in the letters in which their values were sealed.

Each function takes the values of one column, one a row, and gives what was sealed for each of them;
or it raises `UnlikeError`, where one is of a kind that was never sealed like that.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec

from monitor.evidence.canonical import MAX_INTEGER, TO_URL

_lines = msgspec.json.Encoder(order="sorted").encode_lines
_write = msgspec.json.Encoder(order="sorted").encode

_Small = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class UnlikeError(Exception):
    """A row cannot have been sealed like this; `rowcheck` finds out what is wrong with it."""


class _Answer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What `entries.post_captured` seals of an answer, in the order of the names."""

    headers: list[tuple[str, str]]
    received_at: str
    request: list[tuple[str, str]] | msgspec.UnsetType = msgspec.UNSET
    sha256: str
    size: _Small
    status: _Small
    url: str


class _Match(msgspec.Struct, forbid_unknown_fields=True):
    """A match as the row of a mention keeps it."""

    confidence: float
    context: list[str]
    end: _Small
    field: str
    rule: str
    start: _Small
    text: str


_read_answer = msgspec.json.Decoder(_Answer | None).decode
_read_matches = msgspec.json.Decoder(list[_Match]).decode
_read_texts = msgspec.json.Decoder(list[str]).decode
_read_scores = msgspec.json.Decoder(tuple[float, float, float] | None).decode
_read_reasons = msgspec.json.Decoder(list[tuple[_Small, _Small, str, float]]).decode

_STORED: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}\n)*", re.ASCII
)
"""Times as SQLite keeps those that we write, each in a line; not every such day was one."""
_TEXT: Final = frozenset({str, type(None)})
_WHOLE: Final = frozenset({int, type(None)})
_TRUTHS: Final = {None: None, 0: False, 1: True}
_TRUE_TYPES: Final = frozenset({int, bool, type(None)})


def demand_text(*columns: Sequence[Any]) -> None:
    """Refuse what SQLite keeps wherever it is put, and JSON writes like text."""
    for column in columns:
        if not _TEXT.issuperset(map(type, column)):
            raise UnlikeError


def written(values: Sequence[Any]) -> list[bytes]:
    """Plain values in canonical JSON, in which no line ever ends."""
    return _lines(values).split(b"\n")[:-1]


def whole(values: Sequence[Any]) -> Sequence[Any]:
    """A column of whole numbers that every reader of JSON knows."""
    if not _WHOLE.issuperset(map(type, values)):
        raise UnlikeError
    if any(value is not None and abs(value) > MAX_INTEGER for value in values):
        raise UnlikeError
    return values


def truths(values: Sequence[Any]) -> list[bool | None]:
    """A column of truth: SQLite keeps 0 and 1."""
    if not _TRUE_TYPES.issuperset(map(type, values)):
        raise UnlikeError
    return [_TRUTHS[value] for value in values]


def moments(values: Sequence[Any]) -> list[Any]:
    """A column of time as the log writes it, without its zone."""
    if None in values:
        told = iter(moments([value for value in values if value is not None]))
        return [None if value is None else next(told) for value in values]
    try:
        lines = "\n".join([*values, ""])
    except TypeError:
        return _moments_one_by_one(values)
    found = lines.replace(" ", "T").split("\n")[:-1]
    if len(found) != len(values) or not _STORED.fullmatch(lines):
        return _moments_one_by_one(values)
    for day in {moment[:10] for moment in found}:
        date.fromisoformat(day)
    return found


def times(values: Sequence[Any]) -> list[bytes]:
    """The same as the times of entries, with their zone."""
    return "Z\n".join([*moments(values), ""]).encode().split(b"\n")[:-1]


def _moments_one_by_one(values: Sequence[Any]) -> list[str]:
    """Times that are no text, or written otherwise; many rows were written at once."""
    known = {value: _moment(value) for value in dict.fromkeys(values)}
    return [known[value] for value in values]


def _moment(value: Any) -> str:
    """SQLite keeps text, in UTC."""
    if type(value) is str:
        return datetime.fromisoformat(value).isoformat(timespec="microseconds")
    if type(value) is datetime and value.tzinfo is not None and not value.utcoffset():
        return value.isoformat(timespec="microseconds")[:-6]
    raise UnlikeError


def answers(values: Sequence[Any]) -> list[bytes]:
    """The row says null where the entry leaves out a request that is not known."""
    found = [value.encode().replace(b'"request":null,', b"", 1) for value in values]
    return _demand_as_written(found, _read_answer)


def plain_texts(values: Sequence[Any]) -> list[bytes]:
    """Lists of text, which were sealed as they stand."""
    return _demand_as_written([value.encode() for value in values], _read_texts)


def _demand_as_written(found: list[bytes], read: Any) -> list[bytes]:
    """Refuse JSON that is not canonical, or in another shape than the one that is read."""
    if found != [_write(read(each)) for each in found]:
        raise UnlikeError
    return found


def matches(values: Sequence[Any]) -> list[bytes]:
    """The matches of mentions, whose fractions are sealed as text."""
    return written(
        [
            [
                {
                    "confidence": f"{match.confidence:.6f}",
                    "context": match.context,
                    "end": match.end,
                    "field": match.field,
                    "rule": match.rule,
                    "start": match.start,
                    "text": match.text,
                }
                for match in _read_matches(value)
            ]
            for value in values
        ]
    )


def reasons(values: Sequence[Any]) -> list[bytes]:
    """The reasons of grades, likewise."""
    return written(
        [
            [
                {"end": end, "start": start, "text": text, "weight": f"{weight:.6f}"}
                for start, end, text, weight in _read_reasons(value)
            ]
            for value in values
        ]
    )


def confidences(values: Sequence[Any]) -> list[bytes]:
    """The scores of grades, likewise; None where there are none."""
    return written([_scores(value) for value in values])


def _scores(value: Any) -> dict[str, str] | None:
    found = _read_scores(value)
    if found is None:
        return None
    threatening, abusive, neutral = found
    return {
        "abusive": f"{abusive:.6f}",
        "neutral": f"{neutral:.6f}",
        "threatening": f"{threatening:.6f}",
    }


def ends(name: str, values: Iterable[bytes]) -> list[bytes]:
    """What follows the salts in the disclosures of a field with these values in JSON."""
    before = b'","%b",' % name.encode()
    lines = b"".join(map(b2a_base64, [before + value + b"]" for value in values]))
    return lines.translate(TO_URL, b"=").split(b"\n")[:-1]


def ends_of_few(
    name: str,
    values: Sequence[Any],
    write: Callable[[Sequence[Any]], Sequence[bytes]] = written,
) -> list[bytes]:
    """The same of plain values that come again and again, so each is written once."""
    distinct = list(dict.fromkeys(values))
    known = dict(zip(distinct, ends(name, write(distinct)), strict=True))
    return [known[value] for value in values]
