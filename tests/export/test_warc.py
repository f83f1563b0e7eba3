"""A captured item as a WARC file, read back by the rules of ISO 28500 and by nothing of ours."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from monitor.evidence.leaf import Leaf, seal
from monitor.evidence.verify import StoredEntry
from monitor.export.redact import Shown, show
from monitor.export.warc import captured

RAW = b"<item><title>Words</title>\r\n\r\nWARC/1.1\r\n</item>"
ANSWER = {
    "url": "https://forum.example/feed?q=a b",
    "status": 200,
    "headers": [["content-type", "application/rss+xml"], ["etag", "a\r\nWARC-Type: response"]],
    "sha256": "ab" * 32,
    "size": 4096,
    "received_at": "2026-11-20T09:00:00.000000Z",
}


@dataclass(frozen=True)
class Record:
    headers: dict[str, str]
    block: bytes


def records(data: bytes) -> list[Record]:
    """Every record, by nothing but the grammar: version, fields, a blank line, block, two CRLF."""
    found = []
    while data:
        assert data.startswith(b"WARC/1.1\r\n")
        head, _, rest = data.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
        headers = dict(fields)
        assert len(headers) == len(fields), "a field stands twice"
        length = int(headers["Content-Length"])
        found.append(Record(headers, rest[:length]))
        assert rest[length : length + 4] == b"\r\n\r\n"
        data = rest[length + 4 :]
    return found


def entry(left_out: frozenset[str] = frozenset(), **fields: Any) -> Shown:
    secret: dict[str, Any] = {
        "answer": ANSWER,
        "raw_media_type": "application/rss+xml",
        "raw_offset": 120,
    }
    leaf = Leaf("post.captured", datetime(2026, 11, 20, 9, tzinfo=UTC), {}, {**secret, **fields})
    sealed = seal(leaf)
    told = tuple((each.name, each.encoded) for each in sealed.disclosures)
    return show(StoredEntry(7, sealed.content, sealed.leaf_hash, told), left_out)


def test_the_item_and_the_answer_it_stood_in_are_two_records() -> None:
    data = captured(entry(), RAW, "school/log")
    assert data is not None
    item, answer = records(data)
    assert item.headers["WARC-Type"] == "resource"
    assert item.block == RAW
    digest = base64.b32encode(sha256(RAW).digest()).decode()
    assert item.headers["WARC-Block-Digest"] == f"sha256:{digest}"
    assert item.headers["WARC-Target-URI"] == "https://forum.example/feed?q=a%20b"
    assert item.headers["WARC-Date"] == "2026-11-20T09:00:00.000000Z"
    assert answer.headers["WARC-Concurrent-To"] == item.headers["WARC-Record-ID"]
    said = answer.block.decode().split("\r\n")
    assert "http-status: 200" in said
    assert "item-offset: 120" in said
    assert f"answer-sha256: {'ab' * 32}" in said


def test_names_of_records_are_the_same_each_time_and_no_others() -> None:
    first, again = captured(entry(), RAW, "school/log"), captured(entry(), RAW, "school/log")
    assert first == again
    assert first is not None
    other = captured(entry(), RAW, "another/log")
    assert other is not None
    names = {each.headers["WARC-Record-ID"] for data in (first, other) for each in records(data)}
    assert len(names) == 4
    assert all(re.fullmatch(r"<urn:uuid:[0-9a-f-]{36}>", name) for name in names)


@pytest.mark.parametrize("hostile", ["text/html\r\nWARC-Type: x", "a\u2028b: c", ""])
def test_what_a_server_said_adds_no_field(hostile: str) -> None:
    data = captured(entry(raw_media_type=hostile), RAW, "school/log")
    assert data is not None
    item, answer = records(data)
    assert item.headers["WARC-Type"] == "resource"
    assert answer.headers["WARC-Type"] == "metadata"
    assert "http-header: etag: a WARC-Type: response" in answer.block.decode().split("\r\n")


def test_without_the_answer_there_is_no_file() -> None:
    assert captured(entry(frozenset({"answer"})), RAW, "school/log") is None
    assert captured(entry(answer=None), RAW, "school/log") is None
