"""A captured item as a WARC file (ISO 28500:2017, WARC 1.1), for the tools of web archives.

Two records: the item's own bytes as a `resource`, and as `metadata` the answer that it stood in
(status, headers, size, digest, and the place in it): of the rest of that answer nothing was kept.
Both say only what is disclosed; the sealed entry, not this file, is the evidence.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from monitor.export.redact import Shown

_URI_CHARACTERS = "!#$%&'()*+,/:;=?@[]~-._"


def captured(entry: Shown, raw: bytes, log: str) -> bytes | None:
    """The WARC file of a `post.captured` entry; None where the answer it stood in is withheld.

    `log` is the log's origin: with the entry's number it makes the same record names each time.
    """
    answer = entry.get("answer")
    if not isinstance(answer, dict):
        return None
    address = quote(str(answer["url"]), safe=_URI_CHARACTERS)
    item = _name(log, entry.index, "item")
    kind = _line(str(entry.get("raw_media_type") or "application/octet-stream"))
    shared = [("WARC-Target-URI", address), ("WARC-Date", str(answer["received_at"]))]
    facts = "".join(f"{name}: {_line(str(value))}\r\n" for name, value in _facts(entry, answer))
    return b"".join(
        (
            _record("resource", item, [*shared, ("Content-Type", kind)], raw),
            _record(
                "metadata",
                _name(log, entry.index, "answer"),
                [
                    *shared,
                    ("WARC-Concurrent-To", item),
                    ("Content-Type", "application/warc-fields"),
                ],
                facts.encode(),
            ),
        )
    )


def _facts(entry: Shown, answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "http-status", answer["status"]
    for name, value in answer["headers"]:
        yield "http-header", f"{name}: {value}"
    yield "answer-size", answer["size"]
    yield "answer-sha256", answer["sha256"]
    offset = entry.get("raw_offset")
    if offset is not None:
        yield "item-offset", offset
    yield "log-entry", entry.index


def _record(kind: str, name: str, headers: Sequence[tuple[str, str]], block: bytes) -> bytes:
    digest = base64.b32encode(sha256(block).digest()).decode()
    lines = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", name),
        *headers,
        ("WARC-Block-Digest", f"sha256:{digest}"),
        ("Content-Length", str(len(block))),
    ]
    head = "WARC/1.1\r\n" + "".join(f"{field}: {value}\r\n" for field, value in lines)
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def _name(log: str, index: int, part: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, f'{log}/{index}/{part}')}>"


def _line(value: str) -> str:
    """A value of one line: what a server said may hold anything."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())
