"""Invented feeds and one way to poll them, for the tests of the feed connector."""

from __future__ import annotations

import os
from pathlib import Path

from connectors.feed.connector import FeedConfig, FeedConnector
from monitor.model import Batch, Cursor, Post
from monitor.testing import ReplayHttp, Reply, replay_tools

URL = "https://blog.dunnowby.example/feed.xml"
SHARED = Path(
    os.environ.get("STAFF_MENTIONS_SHARED", Path(__file__).resolve().parents[3] / "../shared")
)
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "feed"
XML = (("Content-Type", "application/xml"),)

FOUR_TIMES_AN_HOUR = (
    '<u:updatePeriod xmlns:u="http://purl.org/rss/1.0/modules/syndication/">hourly'
    '</u:updatePeriod><u:updateFrequency xmlns:u="http://purl.org/rss/1.0/modules/syndication/">4'
    "</u:updateFrequency>"
)


def entry_xml(number: int, words: str = "") -> str:
    link = f"https://blog.dunnowby.example/{number}"
    return f"<item><title>Post {number}{words}</title><link>{link}</link></item>"


def feed(*items: str, head: str = "") -> bytes:
    return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


def next_page(url: str) -> str:
    return f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="next" href="{url}"/>'


def reply(*items: str, head: str = "", headers: tuple[tuple[str, str], ...] = XML) -> Reply:
    return Reply(body=feed(*items, head=head), headers=headers)


async def poll(http: ReplayHttp, cursor: Cursor | None = None, **settings: object) -> Batch:
    config = FeedConfig.model_validate({"url": URL, **settings})
    return await FeedConnector(config, replay_tools(http)).poll(cursor)


async def entries(name: str, url: str = URL) -> tuple[Post, ...]:
    http = ReplayHttp({url: Reply(body=(FIXTURES / name).read_bytes(), headers=XML)})
    return (await poll(http, url=url)).posts


def titles(batch: Batch) -> list[str]:
    return [post.title for post in batch.posts]
