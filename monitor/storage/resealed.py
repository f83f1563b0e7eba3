"""A row as the very characters that were sealed about it, so that an entry need not be opened.

A disclosure is base64url of `["SALT","NAME",VALUE]` (docs/evidence-format.md). With our salts of 16
bytes the first 32 characters are the bracket and the salt; what follows depends on name and value
alone, so it can be written from the row and compared as it stands. Where it is another, nothing is
known yet: `rowcheck` opens the entry, compares the values, and says what differs.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from monitor.evidence.canonical import TO_URL, check_canonical, check_names, read
from monitor.evidence.entries import PROGRAM
from monitor.evidence.leaf import Json
from monitor.evidence.verify import BLOB_FIELD, WARC_FIELD

SALTED: Final = 32
"""So many characters of a disclosure hold `["` and a salt of 16 bytes."""

_write = msgspec.json.Encoder(order="sorted").encode
_read = msgspec.json.Decoder().decode
_SHORT: Final = 64
_ODD: Final = frozenset({bytes, float})


class Resealed(NamedTuple):
    """What stands in the entry of a row.

    `at` is its time ("": no row says it). `own` are the public fields that are hardly ever the same
    in two entries, written out; `public` are the others. `ends` are what follows the salts of its
    disclosures, by name, and `blobs` the names and digests of those that name blobs.
    """

    at: str
    own: tuple[tuple[bytes, bytes], ...]
    public: Mapping[str, Json]
    ends: Mapping[str, bytes]
    blobs: tuple[tuple[str, str], ...] = ()


SYNCHRONISED: Final = "clock.synchronised"
"""What stands in the entry's field `clock` under that name."""


class UnlikeError(Exception):
    """The row cannot have been sealed like this; `rowcheck` finds out what is wrong with it."""


POST: Final = (
    "entry_index", "erased_by", "captured_at", "first_seen_at", "platform", "native_id", "version",
    "source", "url", "title", "text", "thread", "author_handle", "author_name", "author_native_id",
    "author_url", "published", "published_raw", "dated_by", "media_urls_json", "raw_sha256",
    "warc_sha256", "raw_media_type", "raw_offset", "answer_json", "clock_synchronised", "scope",
)  # fmt: skip


def post(row: Any) -> Resealed:
    """The columns of `POST`."""
    _demand_plain(row)
    (
        _index, _erased, captured, first_seen, platform, native_id, version,
        source, url, title, text, thread, handle, name, author_id, author_url,
        published, published_raw, dated_by, media, raw_sha256, warc_sha256,
        media_type, offset, answer, synchronised, scope,
    ) = row  # fmt: skip
    words, heading = _write(text), _write(title)
    # As `Post.version` has it.
    if sha256(b"[" + heading + b", " + words + b"]").hexdigest()[:16] != version:
        raise UnlikeError
    written = {
        "handle": handle,
        "name": name,
        "native_id": author_id,
        "url": author_url,
    }
    time = None if published is None else moment(published) + "+00:00"
    dated = {"as_given": published_raw, "at": time, "field": dated_by}
    at = moment(captured)
    return Resealed(
        at + "Z",
        (
            (b'"captured_at":', _write(at + "+00:00")),
            (b'"first_seen_at":', _write(moment(first_seen) + "+00:00")),
        ),
        {
            "platform": platform,
            "scope": scope,
            "source": source,
            SYNCHRONISED: _truth(synchronised),
        },
        {
            "answer": _end("answer", _answer(answer)),
            "author": _end("author", _write(written)),
            "media_urls": _end("media_urls", _text(media)),
            "native_id": _end("native_id", _write(native_id)),
            "published": _end("published", _write(dated)),
            "raw_media_type": _end("raw_media_type", _write(media_type)),
            "raw_offset": _end("raw_offset", _allowed(_write(offset))),
            "raw_sha256": _end("raw_sha256", _write(raw_sha256)),
            "text": _end("text", words),
            "thread": _end("thread", _write(thread)),
            "title": _end("title", heading),
            "url": _end("url", _write(url)),
            "version": _end("version", _write(version)),
            "warc_sha256": _end("warc_sha256", _write(warc_sha256)),
        },
        ((BLOB_FIELD, raw_sha256), (WARC_FIELD, warc_sha256)),
    )


MENTION: Final = (
    "entry_index", "erased_by", "target_kind", "target_id", "certainty", "matches_json",
    "first_look", "platform", "native_id", "version",
)  # fmt: skip
OF_MENTION: Final = ("entry_index", "platform", "native_id", "version")
"""What is needed of the mention's post, and stands after the columns of `MENTION`."""


def mention(row: Any) -> Resealed:
    """The columns of `MENTION` and `OF_MENTION`."""
    _demand_plain(row)
    _index, _erased, kind, target, certainty, matches, first_look, *names = row[: len(MENTION)]
    post_entry, *of_post = row[len(MENTION) :]
    if names != of_post:
        raise UnlikeError
    found = _read(matches)
    for match in found:
        match["confidence"] = f"{match['confidence']:.6f}"
    said = {"certainty": certainty, "first_look": _truth(first_look)}
    ends = {
        "matches": _end("matches", _allowed(_write(found))),
        "target": _end("target", _write({"id": target, "kind": kind})),
    }
    return Resealed("", ((b'"post_entry":', _write(post_entry)),), said, ends)


GRADE: Final = (
    "entry_index", "at", "severity", "unsure", "scores_json", "flags_json", "reasons_json", "by",
    "model", "note",
)  # fmt: skip
OF_GRADE: Final = ("entry_index",)
"""What is needed of the grade's mention, and stands after the columns of `GRADE`."""


def grade(row: Any) -> Resealed:
    """The columns of `GRADE` and `OF_GRADE`."""
    _demand_plain(row)
    _index, at, severity, unsure, scores, flags, reasons, by, model, note, mention_entry = row
    by_person = by not in PROGRAM
    probable = _read(scores)
    if probable:
        threatening, abusive, neutral = probable
        probable = {
            "abusive": f"{abusive:.6f}",
            "neutral": f"{neutral:.6f}",
            "threatening": f"{threatening:.6f}",
        }
    why = [
        {"end": end, "start": start, "text": text, "weight": f"{weight:.6f}"}
        for start, end, text, weight in _read(reasons)
    ]
    said = {"by": "person" if by_person else by, "model": model}
    ends = {
        "flags": _end("flags", _text(flags)),
        "note": _end("note", _write(note)),
        "person": _end("person", _write(by if by_person else "")),
        "reasons": _end("reasons", _allowed(_write(why))),
        "scores": _end("scores", _write(probable)),
        "severity": _end("severity", _write(severity)),
        "unsure": _end("unsure", _write(_truth(unsure))),
    }
    own = ((b'"mention_entry":', _write(mention_entry)),)
    return Resealed(moment(at) + "Z", own, said, ends)


def _demand_plain(row: Any) -> None:
    """Refuse what SQLite keeps wherever it is put, and JSON writes like something else.

    Bytes become text, and what is beyond all numbers becomes null.
    """
    if not _ODD.isdisjoint(map(type, row)):
        raise UnlikeError


def moment(value: Any) -> str:
    """A column of time as the log writes it, without its zone: SQLite keeps text, in UTC."""
    if type(value) is str:
        return f"{value[:10]}T{value[11:]}"
    if type(value) is datetime and value.tzinfo is not None and not value.utcoffset():
        return value.isoformat(timespec="microseconds")[:-6]
    raise UnlikeError


def _truth(value: Any) -> bool | None:
    """A column of truth: SQLite keeps 0 and 1."""
    if value is None or type(value) is bool:
        return value
    if type(value) is int and value in {0, 1}:
        return bool(value)
    raise UnlikeError


def _text(value: Any) -> bytes:
    """A column of JSON that was sealed as it stands."""
    if type(value) is not str:
        raise UnlikeError
    return _allowed(value.encode())


def _answer(value: Any) -> bytes:
    """The row says null where the entry leaves out a request that is not known."""
    return _allowed(value.encode().replace(b'"request":null,', b"", 1))


def _allowed(written: bytes) -> bytes:
    """JSON that may stand in an entry like this, which only its reader knows (`canonical`)."""
    return _known_allowed(written) if len(written) <= _SHORT else _read_allowed(written)


def _read_allowed(written: bytes) -> bytes:
    value = read(written, "the row")
    check_names(value, "the row")
    check_canonical([(value, written, "the row")])
    return written


_known_allowed = lru_cache(maxsize=4096)(_read_allowed)


def _end(name: str, value: bytes) -> bytes:
    """What follows the salt in a disclosure."""
    return _known_end(name, value) if len(value) <= _SHORT else _written_end(name, value)


def _written_end(name: str, value: bytes) -> bytes:
    end = b2a_base64(b'","%b",%b]' % (name.encode(), value), newline=False)
    return end.translate(TO_URL).rstrip(b"=")


_known_end = lru_cache(maxsize=4096)(_written_end)
"""Most short values come again and again: empty ones, grades, people."""
