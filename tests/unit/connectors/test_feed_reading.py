"""What becomes of the entries of a feed: their names, addresses, times and bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import MalformedError
from monitor.model import DateSource, PostRef
from monitor.testing import ReplayHttp, Reply
from tests.unit.connectors.feeds import (
    FIXTURES,
    SHARED,
    URL,
    XML,
    entries,
    entry_xml,
    poll,
    reply,
)


async def test_a_guid_that_is_an_address_names_the_post_in_every_feed() -> None:
    one = "http://news.dunnowby.example/feed"
    two = "https://elsewhere.example/feed"
    guid = "<guid>https://News.Dunnowby.example/42?a=b#c</guid>"
    link = "<link>http://news.dunnowby.example/42?a=b#c</link>"
    http = ReplayHttp(
        {
            one: reply(f"<item><title>T</title>{guid}</item>"),
            two: reply(f"<item><title>T</title>{link}</item>"),
        }
    )
    posts = [(await poll(http, url=url)).posts[0] for url in (one, two)]
    assert posts[0].ref == posts[1].ref
    assert posts[0].ref == PostRef("web", "news.dunnowby.example/42?a=b#c")


async def test_other_guids_are_names_within_their_own_site() -> None:
    items = "<item><title>T</title><guid>4711</guid></item>"
    urls = ("https://a.example/feed", "https://a.example/other", "https://b.example/feed")
    http = ReplayHttp({url: reply(items) for url in urls})
    names = [(await poll(http, url=url)).posts[0].ref.native_id for url in urls]
    assert names == ["a.example/4711", "a.example/4711", "b.example/4711"]


async def test_a_post_without_any_name_is_named_by_its_words() -> None:
    posts = await entries("normal.xml")
    assert posts[2].ref.native_id.startswith("blog.dunnowby.example/sha256:")
    assert (await entries("normal.xml"))[2].ref == posts[2].ref


async def test_posts_that_link_to_the_front_page_are_told_apart() -> None:
    head = "<link>https://blog.dunnowby.example/</link>"
    for field in ("link", "guid"):
        name = f"<{field}>https://blog.dunnowby.example/</{field}>"
        items = [f"<item><title>{title}</title>{name}</item>" for title in "AB"]
        first, second = (await poll(ReplayHttp({URL: reply(*items, head=head)}))).posts
        assert first.ref != second.ref


WRAPPED = [
    (
        "https://www.google.com/url?rct=j&sa=t&url=https://paper.example/a?b=1&c=2&ct=ga&cd=X&usg=Y",
        "https://paper.example/a?b=1&c=2",
    ),
    (
        "https://www.google.co.uk/url?url=https%3A%2F%2Fpaper.example%2Fa%3Fb%3D1&ct=ga&usg=Y",
        "https://paper.example/a?b=1",
    ),
    (
        "http://www.bing.com/news/apiclick.aspx?ref=F&aid=&url=https%3a%2f%2fpaper.example%2fa&c=9",
        "https://paper.example/a",
    ),
    ("https://www.google.com/url?url=javascript:alert(1)&ct=ga", ""),
    ("https://www.google.com/search?url=https://paper.example/a", ""),
    ("https://google.com.evil.example/url?url=https://paper.example/a", ""),
]


@pytest.mark.parametrize(("link", "inside"), WRAPPED)
async def test_the_links_of_search_engines_are_opened_without_asking(
    link: str, inside: str
) -> None:
    escaped = link.replace("&", "&amp;")
    item = f"<item><title>T</title><link>{escaped}</link><guid>hit-{{}}</guid></item>"
    http = ReplayHttp({URL: reply(item.format(1), item.format(2))})
    batch = await poll(http)
    assert {post.url for post in batch.posts} == {inside or link}
    names = {post.ref.native_id for post in batch.posts}
    if inside:
        assert names == {inside.removeprefix("https://")}
        assert len(batch.posts) == 1, "one story found twice is one post"
    else:
        assert names == {"blog.dunnowby.example/hit-1", "blog.dunnowby.example/hit-2"}
    assert len(http.asked) == 1


async def test_a_name_that_is_too_long_is_shortened_to_its_hash() -> None:
    item = f"<item><title>T</title><guid>{'x' * 900}</guid></item>"
    post = (await poll(ReplayHttp({URL: reply(item)}))).posts[0]
    assert len(post.ref.native_id) < 100


async def test_relative_links_are_resolved_by_the_feed_and_then_by_its_address() -> None:
    posts = await entries("normal.xml")
    assert posts[1].url == "https://blog.dunnowby.example/posts/bins"
    assert "https://blog.dunnowby.example/pictures/fair.jpg" in posts[0].media_urls
    others = await entries("entries.atom", "https://forum.dunnowby.example/board/feed.atom")
    assert others[0].url == "https://forum.dunnowby.example/board/topic/17#p17"
    assert others[0].author.url == "https://forum.dunnowby.example/members/oddbody"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://[", "ftp://x.example/a"])
async def test_links_that_lead_nowhere_on_the_web_are_dropped(link: str) -> None:
    item = f"<item><title>T</title><link>{link}</link></item>"
    assert (await poll(ReplayHttp({URL: reply(item)}))).posts[0].url == ""


async def test_a_post_carries_its_time_and_where_that_stood() -> None:
    fair, bins, hello = await entries("normal.xml")
    assert fair.published == datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    assert fair.dated_by is DateSource.PUBLISHED
    assert (bins.published, bins.published_raw) == (None, "Seg, 16 Nov 2026 as usual")
    assert (hello.published, hello.published_raw) == (None, "")


async def test_the_bytes_of_a_post_stand_where_they_say() -> None:
    body = (FIXTURES / "normal.xml").read_bytes()
    for post in await entries("normal.xml"):
        assert post.raw is not None
        assert post.raw.offset is not None
        assert body[post.raw.offset :].startswith(post.raw.content)
        assert post.raw.content.startswith(b"<item>")
        assert post.raw.media_type == "application/xml"


async def test_the_whole_answer_is_kept_where_items_cannot_be_told_apart() -> None:
    for post in await entries("unclosed_item.xml"):
        assert post.raw is not None
        assert post.raw.offset is None
        assert post.raw.content == (FIXTURES / "unclosed_item.xml").read_bytes()


async def test_a_secret_address_of_google_is_named_as_one() -> None:
    url = "https://www.google.com/alerts/feeds/0123456789/9876543210"
    http = ReplayHttp({url: reply(entry_xml(1))})
    await poll(http, url=url)
    assert http.hidden == [("0123456789", "9876543210")]


def saved(path: Path) -> Reply:
    return Reply(body=path.read_bytes(), headers=XML)


def _shared_feeds() -> list[Path]:
    return sorted(
        path
        for path in (SHARED / "fixtures").rglob("*.*")
        if path.suffix in {".rss", ".xml", ".atom", ".rdf"}
    )


NO_FEEDS = {
    "html_instead_of_feed.rss",
    "invalid_characters_gzipped.xml",
    "iso88591_declared_utf8.xml",
    "photos_search_rest_xml.xml",
}


@pytest.mark.parametrize("path", _shared_feeds(), ids=lambda path: path.name)
async def test_every_shared_feed_gives_posts_that_can_be_kept(path: Path) -> None:
    url = f"https://feeds.example/{path.name}"
    http = ReplayHttp({url: saved(path)})
    if path.name in NO_FEEDS:
        with pytest.raises(MalformedError, match="source broken"):
            await poll(http, url=url)
        return
    batch = await poll(http, url=url)
    assert len({post.ref for post in batch.posts}) == len(batch.posts)
    for post in batch.posts:
        assert post.title or post.text
        json.dumps([post.title, post.text, post.url]).encode()
    again = await poll(ReplayHttp(http.replies), batch.cursor, url=url)
    assert again.posts == ()
