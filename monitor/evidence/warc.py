"""A captured item as a WARC file (ISO 28500:2017, WARC 1.1), for the tools of web archives.

Two records: the item's own bytes as a `resource`, and as `metadata` the request and the answer that
it stood in (status, headers, size, digest, and the place in it): of the rest of that answer nothing
is kept. It is made when the item is captured, kept in the vault, and its digest is sealed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from monitor.evidence.canonical import write_time
from monitor.model import Answer, Post

_URI_CHARACTERS = "!#$%&'()*+,/:;=?@[]~-._"
_NO_ADDRESS = "about:blank"
_BYTES = "application/octet-stream"


def original(post: Post) -> bytes:
    """The bytes to keep of a post: those that carried it, or its words where there are none."""
    return post.raw.content if post.raw else post.text.encode()


def captured(post: Post, *, at: datetime) -> bytes:
    """The WARC file of a post as it arrived; `at` is the capture, where no answer has a time.

    The same capture gives the same bytes, so that one that is tried again is kept once.
    """
    raw, answer = original(post), post.answer
    kind = post.raw.media_type if post.raw else "text/plain; charset=utf-8"
    facts = list(_of_answer(answer)) if answer else []
    if post.raw is not None and post.raw.offset is not None:
        facts.append(("item-offset", str(post.raw.offset)))
    address = answer.url if answer else post.url
    return packed(raw, kind, address, write_time(answer.received_at if answer else at), facts)


def packed(
    item: bytes, kind: str, address: str, date: str, facts: Iterable[tuple[str, str]], log: str = ""
) -> bytes:
    """A WARC file of one item and what is known of the answer it stood in.

    `date` is as the log writes times. The records are named after what they hold and `log`.
    """
    target = quote(address, safe=_URI_CHARACTERS) or _NO_ADDRESS
    seed = f"{log}/{target}/{date}/{sha256(item).hexdigest()}"
    name = _name(seed, "item")
    shared = [("WARC-Target-URI", target), ("WARC-Date", date)]
    told = "".join(f"{fact}: {_line(value)}\r\n" for fact, value in facts)
    beside = [
        ("WARC-Concurrent-To", name),
        ("Content-Type", "application/warc-fields"),
    ]
    return b"".join(
        (
            _record("resource", name, [*shared, ("Content-Type", _line(kind) or _BYTES)], item),
            _record("metadata", _name(seed, "answer"), [*shared, *beside], told.encode()),
        )
    )


def _of_answer(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.request or ():
        yield "http-request-header", f"{name}: {value}"
    yield "http-status", str(answer.status)
    for name, value in answer.headers:
        yield "http-header", f"{name}: {value}"
    yield "answer-size", str(answer.size)
    yield "answer-sha256", answer.sha256


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


def _name(seed: str, part: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, f'{seed}/{part}')}>"


def _line(value: str) -> str:
    """A value of one line: what a server said may hold anything."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())
