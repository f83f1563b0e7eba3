"""A captured item as a WARC file, read back by the rules of ISO 28500 and by nothing of ours."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from monitor.evidence import warc
from monitor.evidence.leaf import Leaf, seal
from monitor.evidence.vault import Vault
from monitor.evidence.verify import StoredEntry
from monitor.export.archived import archived
from monitor.export.redact import Shown, closure, show
from monitor.model import Answer, Post, PostRef, RawItem

RAW = b"<item><title>Words</title>\r\n\r\nWARC/1.1\r\n</item>"
HEADERS = (("content-type", "application/rss+xml"), ("etag", "a\r\nWARC-Type: response"))
ANSWER = {
    "url": "https://forum.example/feed?q=a b",
    "status": 200,
    "headers": [list(pair) for pair in HEADERS],
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


AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def post(**fields: Any) -> Post:
    usual: dict[str, Any] = {
        "text": "Words",
        "raw": RawItem(RAW, "application/rss+xml", 120),
        "answer": Answer(
            url=str(ANSWER["url"]),
            status=200,
            headers=HEADERS,
            sha256="ab" * 32,
            size=4096,
            received_at=AT,
            request=(("Host", "forum.example"), ("If-None-Match", '"6"')),
        ),
    }
    return Post(PostRef("feed", "1"), **(usual | fields))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    kept = Vault(tmp_path / "vault")
    kept.put(RAW)
    return kept


def made(vault: Vault, shown: Shown, log: str = "school/log") -> bytes | None:
    return archived(shown, vault, sha256(RAW).hexdigest(), log)


def test_a_captured_post_is_kept_with_its_request_and_answer() -> None:
    item, answer = records(warc.captured(post(), at=AT))
    assert item.headers["WARC-Type"] == "resource"
    assert item.headers["Content-Type"] == "application/rss+xml"
    assert item.block == RAW
    said = answer.block.decode().split("\r\n")
    assert said[:2] == [
        "http-request-header: Host: forum.example",
        'http-request-header: If-None-Match: "6"',
    ]
    assert "http-status: 200" in said
    assert f"answer-sha256: {'ab' * 32}" in said
    assert "item-offset: 120" in said
    assert warc.captured(post(), at=AT) == warc.captured(post(), at=AT), "tried again, kept once"


def test_a_post_without_an_answer_is_kept_with_the_time_of_its_capture() -> None:
    item, answer = records(warc.captured(post(answer=None, raw=None), at=AT))
    assert item.block == b"Words"
    assert item.headers["WARC-Date"] == "2026-11-20T09:00:00.000000Z"
    assert item.headers["WARC-Target-URI"] == "about:blank"
    assert answer.block == b""


def test_what_was_kept_leaves_with_an_export_byte_for_byte(vault: Vault) -> None:
    whole = warc.captured(post(), at=AT)
    shown = entry(warc_sha256=vault.put(whole))
    assert made(vault, shown) == whole


@pytest.mark.parametrize("name", ["answer", "raw_sha256", "raw_offset", "url", "text", "raw"])
def test_the_file_is_left_out_with_whatever_stands_in_it(name: str) -> None:
    assert "warc_sha256" in closure([name])


def test_of_a_log_that_kept_none_it_is_made_from_what_is_shown(vault: Vault) -> None:
    data = made(vault, entry())
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


def test_names_of_records_are_the_same_each_time_and_no_others(vault: Vault) -> None:
    first, again = made(vault, entry()), made(vault, entry())
    assert first == again
    assert first is not None
    other = made(vault, entry(), "another/log")
    assert other is not None
    names = {each.headers["WARC-Record-ID"] for data in (first, other) for each in records(data)}
    assert len(names) == 4
    assert all(re.fullmatch(r"<urn:uuid:[0-9a-f-]{36}>", name) for name in names)


@pytest.mark.parametrize("hostile", ["text/html\r\nWARC-Type: x", "a\u2028b: c", ""])
def test_what_a_server_said_adds_no_field(vault: Vault, hostile: str) -> None:
    data = made(vault, entry(raw_media_type=hostile))
    assert data is not None
    item, answer = records(data)
    assert item.headers["WARC-Type"] == "resource"
    assert answer.headers["WARC-Type"] == "metadata"
    assert "http-header: etag: a WARC-Type: response" in answer.block.decode().split("\r\n")


def test_without_the_answer_there_is_no_file(vault: Vault) -> None:
    assert made(vault, entry(frozenset({"answer"}))) is None
    assert made(vault, entry(answer=None)) is None
