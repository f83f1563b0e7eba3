"""Turns what the parser found into posts: their names, addresses and times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.feed.wrapped import unwrapped
from monitor.contract import Fetched
from monitor.model import Author, DateSource, Post, PostRef, RawItem

_LONGEST_ID = 400
_LONGEST_TYPE = 100
_MOST_MINUTES = 7 * 24 * 60
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a feed, read: its posts and what it says about itself.

    `malformed` counts entries in which nothing can be read, `hostile` among them those that would
    have choked the parser; `left_out` counts those past the limit. `wish` is how long the feed
    would like to be left alone.
    """

    posts: tuple[Post, ...]
    next_url: str
    malformed: int
    hostile: int
    left_out: int
    closed: bool
    wish: timedelta | None


def read_page(found: Mapping[str, Any], fetched: Fetched, *, platform: str, feed_host: str) -> Page:
    """The posts of one parsed answer, each with its own bytes where they could be cut out."""
    base = join(fetched.url, found["link"]) or fetched.url
    posts = tuple(
        _post(entry, fetched, base, platform, feed_host)
        for entry in found["entries"]
        if entry["title"] or entry["text"]
    )
    return Page(
        posts=posts,
        next_url=join(fetched.url, found["next"]),
        malformed=len(found["entries"]) - len(posts) + found["hostile"],
        hostile=found["hostile"],
        left_out=found["all"] - len(found["entries"]),
        closed=found["closed"],
        wish=_wish(found, fetched.header("cache-control")),
    )


def join(base: str, address: str) -> str:
    """`address` as seen from `base`; empty where that is no web address."""
    try:
        joined = urljoin(base, address.strip()) if address.strip() else ""
        parts = urlsplit(joined)
    except ValueError:
        return ""
    return joined if parts.scheme in {"http", "https"} and parts.hostname else ""


def _post(
    entry: Mapping[str, Any], fetched: Fetched, base: str, platform: str, feed_host: str
) -> Post:
    link = join(base, entry["link"])
    inside = join(base, unwrapped(link))
    url = inside or link
    # A search engine gives each hit a guid of its own; the post is named by where it stands.
    guid = "" if inside else entry["id"]
    # The front page of a feed is the name of no post, whichever field it stands in.
    front = {base, fetched.url}
    guid, name = ("" if one in front else one for one in (guid, url))
    media = (join(url or base, address) for address in entry["media"])
    return Post(
        ref=PostRef(platform=platform, native_id=_native_id(guid, name, entry, feed_host)),
        text=entry["text"],
        url=url,
        title=entry["title"],
        author=Author(name=entry["author"]["name"], url=join(base, entry["author"]["url"])),
        published=datetime.fromisoformat(entry["published"]) if entry["published"] else None,
        published_raw=entry["published_raw"],
        dated_by=DateSource(entry["dated_by"]),
        media_urls=tuple(dict.fromkeys(address for address in media if address)),
        raw=_raw(entry, fetched),
        answer=fetched.answer,
    )


def _native_id(guid: str, url: str, entry: Mapping[str, Any], feed_host: str) -> str:
    """The name of a post for ever: its guid, else its address, else a hash of its words.

    An address names the post in every feed that carries it, with and without TLS; any other guid
    is only good within its own site.
    """
    named = _address_name(guid)
    if not named and guid:
        named = f"{feed_host}/{guid}"
    if not named:
        named = _address_name(url)
    if not named:
        words = f"{entry['title']}\n{entry['text']}"
        named = f"{feed_host}/sha256:{hashlib.sha256(words.encode()).hexdigest()}"
    if len(named) > _LONGEST_ID:
        named = f"{feed_host}/sha256:{hashlib.sha256(named.encode()).hexdigest()}"
    return named


def _address_name(address: str) -> str:
    """An address without its scheme and with its host in small letters; empty if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{host}{parts.path or '/'}{query}{fragment}"


def _raw(entry: Mapping[str, Any], fetched: Fetched) -> RawItem:
    media_type = fetched.header("content-type")[:_LONGEST_TYPE] or "application/xml"
    if "start" not in entry:
        return RawItem(content=fetched.body, media_type=media_type, offset=None)
    content = fetched.body[entry["start"] : entry["end"]]
    return RawItem(content=content, media_type=media_type, offset=entry["start"])


def _wish(found: Mapping[str, Any], cache_control: str) -> timedelta | None:
    """The longest rest that the feed asks for: its ttl, its update period, its max-age."""
    wishes = [_minutes(found["ttl"]), _period(found), _max_age(cache_control)]
    return max((wish for wish in wishes if wish), default=None)


def _minutes(text: str) -> timedelta | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return timedelta(minutes=min(int(text[:9]), _MOST_MINUTES))


def _period(found: Mapping[str, Any]) -> timedelta | None:
    period = _PERIODS.get(found["period"].lower())
    often = found["frequency"]
    times = int(often[:6]) if often.isascii() and often.isdigit() else 1
    return period / max(times, 1) if period else None


def _max_age(cache_control: str) -> timedelta | None:
    for directive in cache_control.lower().split(","):
        name, _, value = directive.strip().partition("=")
        seconds = value.strip(' "')
        if name == "max-age" and seconds.isascii() and seconds.isdigit():
            return timedelta(seconds=min(int(seconds[:9]), _MOST_MINUTES * 60))
    return None
