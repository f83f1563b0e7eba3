"""Reads the bytes of a feed: the one place that knows feedparser, run in the fenced process.

Nothing of the service is imported here but plain text functions, so that the process stays small.
What it gives back is JSON-able; `connectors.feed.reading` turns it into posts.
"""

from __future__ import annotations

import calendar
import io
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from connectors.feed import cutting
from monitor.text import clean, media_in, plain_text, unescape_once

_SHORT = 2_000
_MOST_MEDIA = 50
_MARKUP = frozenset({"text/html", "application/xhtml+xml"})
_EXCERPT_COMPARED = 80
_GZIP = b"\x1f\x8b"


def parse(body: bytes, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The entries of a feed, or `{"broken": why}` for anything that is not a feed.

    Args:
        body: the whole answer.
        arguments: `content_type`, the header as it came, and `max_entries`.
    """
    if not body.strip():
        return {"broken": "the answer is empty"}
    if body.startswith(_GZIP):
        return {"broken": "the answer is a compressed file that does not say so"}
    text, unit = cutting.narrow(body)
    hostile = 0
    if danger := cutting.danger(text):
        weeded, hostile = cutting.weed(text) if unit == 1 else (text, 0)
        if not hostile or cutting.danger(weeded):
            return {"broken": f"the answer {danger}"}
        body = text = weeded
    readable, content_type = cutting.readable(body, unit, arguments["content_type"])
    found = feedparser.parse(
        io.BytesIO(readable),  # bytes alone would be tried as the name of a file
        response_headers={"content-type": content_type},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if "out of memory" in str(found.get("bozo_exception", "")):
        raise MemoryError
    closed = cutting.is_closed(text)
    if broken := _broken(found, text, closed=closed):
        return {"broken": broken}
    if hostile and not found.entries:
        return {"broken": f"the answer {danger}"}
    page = _feed(found, text, unit, closed=closed, most=int(arguments["max_entries"]))
    return {**page, "hostile": hostile}


def _broken(found: Any, text: bytes, *, closed: bool) -> str:
    if found.entries:
        return ""
    if not found.version:
        start = text[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if start.startswith((b"{", b"[")):
            return "the answer is JSON, not a feed"
        if any(sign in start for sign in (b"<html", b"<!doctype html", b"<head", b"<body")):
            return "the answer is a web page, not a feed"
        return "the answer is not a feed"
    return "" if closed else "the answer ends before its first item"


def _feed(found: Any, text: bytes, unit: int, *, closed: bool, most: int) -> dict[str, Any]:
    spans = cutting.item_spans(text)
    if len(spans) != len(found.entries):
        spans = []  # one could be somebody else's: the whole answer is the better evidence
    channel = found.feed
    rss = not found.version.startswith("atom")
    entries = [_entry(entry, rss=rss) for entry in found.entries[:most]]
    for entry, (start, end) in zip(entries, spans, strict=False):
        entry.update(start=start * unit, end=end * unit)
    return {
        "version": found.version,
        "link": _short(channel, "link"),
        "next": _link(channel, "next"),
        "ttl": _short(channel, "ttl"),
        "period": _short(channel, "sy_updateperiod"),
        "frequency": _short(channel, "sy_updatefrequency"),
        "entries": entries,
        "all": len(found.entries),
        "closed": closed or not found.bozo,
    }


def _entry(entry: Any, *, rss: bool) -> dict[str, Any]:
    markups = [_value(part) for part in _list(entry, "content")]
    text = _joined([_plain(part, rss=rss) for part in _list(entry, "content")])
    summary = _detail(entry, "summary")
    if summary is not None:
        markups.append(_value(summary))
        text = _with_summary(text, _plain(summary, rss=rss))
    title = _detail(entry, "title")
    published, raw, dated_by = _date(entry)
    return {
        "id": _short(entry, "id"),
        "link": _short(entry, "link") or _link(entry, "alternate"),
        "title": "" if title is None else _plain(title, rss=rss),
        "text": text,
        "author": _author(entry),
        "published": published,
        "published_raw": raw,
        "dated_by": dated_by,
        "media": _media(entry, markups),
    }


def _plain(part: Any, *, rss: bool) -> str:
    """The words of a title or text. RSS cannot say whether it means markup; it mostly does."""
    value = _value(part)
    if rss or part.get("type") in _MARKUP:
        return plain_text(value)
    return clean(unescape_once(value))


def _value(part: Any) -> str:
    value = part.get("value")
    return value if isinstance(value, str) else ""


def _joined(texts: list[str]) -> str:
    return "\n\n".join(dict.fromkeys(text for text in texts if text))


def _with_summary(text: str, summary: str) -> str:
    """The content, and the summary above it unless it is only the content's beginning."""
    opening = " ".join(summary.split())[:_EXCERPT_COMPARED].rstrip("[].… ")
    return text if opening in " ".join(text.split()) else _joined([summary, text])


def _author(entry: Any) -> dict[str, str]:
    detail = dict.get(entry, "author_detail") or {}
    name = _short(detail, "name") or _short(entry, "author") or _short(detail, "email")
    return {"name": name, "url": _short(detail, "href")}


def _date(entry: Any) -> tuple[str, str, str]:
    """The time as ISO 8601 in UTC, the words it was read from, and the field they stood in.

    `dict.get`, because feedparser's own `get` answers a question for `updated` with `published`.
    """
    raws = []
    for field in ("published", "updated", "created"):
        raw = _short(entry, field)
        moment = _moment(dict.get(entry, f"{field}_parsed"))
        if moment:
            return moment, raw, "updated" if field == "updated" else "published"
        raws.append(raw)
    return "", next((raw for raw in raws if raw), ""), "none"


def _moment(parsed: time.struct_time | None) -> str:
    if parsed is None:
        return ""
    try:
        seconds = calendar.timegm(parsed)
        return datetime.fromtimestamp(seconds, tz=UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _media(entry: Any, markups: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for field, key in (("media_content", "url"), ("media_thumbnail", "url")):
        found.update((_short(part, key), None) for part in _list(entry, field))
    for link in _list(entry, "links"):
        if link.get("rel") == "enclosure":
            found[_short(link, "href")] = None
    for markup in markups:
        found.update((clean(address, _SHORT), None) for address in media_in(markup))
    found.pop("", None)
    return list(found)[:_MOST_MEDIA]


def _list(mapping: Any, key: str) -> list[Any]:
    value = dict.get(mapping, key)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _detail(entry: Any, key: str) -> Any:
    """The part of an entry with its type, where feedparser kept one; else its bare words."""
    detail = dict.get(entry, f"{key}_detail")
    if isinstance(detail, dict):
        return detail
    value = dict.get(entry, key)
    return {"value": value, "type": "text/html"} if isinstance(value, str) else None


def _link(mapping: Any, rel: str) -> str:
    return next(
        (_short(one, "href") for one in _list(mapping, "links") if one.get("rel") == rel), ""
    )


def _short(mapping: Any, key: str) -> str:
    value = dict.get(mapping, key)
    return clean(value, _SHORT) if isinstance(value, str) else ""
