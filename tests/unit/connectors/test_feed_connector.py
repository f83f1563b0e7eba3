"""A feed over time: news, edits, pages, moves, and the ways in which it can be away."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.feed.connector import FeedConfig, FeedConnector
from monitor.errors import MalformedError, RefusedError, TransientError
from monitor.model import Batch, Cursor, PostRef, Presence
from monitor.testing import ReplayHttp, Reply, replay_tools
from tests.unit.connectors.feeds import (
    FOUR_TIMES_AN_HOUR,
    URL,
    entry_xml,
    feed,
    next_page,
    poll,
    reply,
    titles,
)


async def test_only_new_posts_and_edits_are_told() -> None:
    http = ReplayHttp({URL: reply(entry_xml(2), entry_xml(1))})
    first = await poll(http)
    http.replies[URL] = reply(entry_xml(3), entry_xml(2, " (corrected)"), entry_xml(1))
    second = await poll(http, first.cursor)
    assert titles(first) == ["Post 2", "Post 1"]
    assert titles(second) == ["Post 3", "Post 2 (corrected)"]
    assert second.posts[1].ref == first.posts[0].ref
    assert second.posts[1].version != first.posts[0].version


async def test_a_server_that_changes_its_etag_each_time_brings_nothing_new() -> None:
    http = ReplayHttp({URL: reply(entry_xml(1), headers=(("ETag", '"a"'),))})
    first = await poll(http)
    http.replies[URL] = reply(entry_xml(1), headers=(("ETag", '"b"'),))
    second = await poll(http, first.cursor)
    assert second.posts == ()
    assert second.not_modified


async def test_validators_are_sent_back_and_304_keeps_the_cursor() -> None:
    headers = (("ETag", '"a"'), ("Last-Modified", "Fri, 20 Nov 2026 08:00:00 GMT"))
    http = ReplayHttp({URL: reply(entry_xml(1), headers=headers)})
    first = await poll(http)
    second = await poll(http, first.cursor)
    assert http.asked[1][1] == {
        "If-None-Match": '"a"',
        "If-Modified-Since": "Fri, 20 Nov 2026 08:00:00 GMT",
    }
    assert second == Batch(posts=(), cursor=first.cursor, answers=second.answers, not_modified=True)
    assert second.answers[0].status == 304


async def test_the_cursor_of_another_address_is_not_used() -> None:
    other = "https://blog.dunnowby.example/new.xml"
    http = ReplayHttp({URL: reply(entry_xml(1)), other: reply(entry_xml(1))})
    first = await poll(http)
    moved = await poll(http, first.cursor, url=other)
    assert titles(moved) == ["Post 1"]
    assert http.asked[1] == (other, {})


@pytest.mark.parametrize("cursor", ["", "{}", "[]", "null", "nonsense", '{"v":1,"address":3}'])
async def test_a_damaged_cursor_is_a_first_poll(cursor: str) -> None:
    batch = await poll(ReplayHttp({URL: reply(entry_xml(1))}), Cursor(cursor))
    assert titles(batch) == ["Post 1"]


async def test_the_cursor_holds_no_address() -> None:
    url = "https://blog.dunnowby.example/feed.xml?token=sesame-open"
    batch = await poll(ReplayHttp({url: reply(entry_xml(1))}), url=url)
    assert batch.cursor is not None
    assert "sesame" not in batch.cursor
    assert "dunnowby" not in batch.cursor


async def test_older_pages_are_read_until_one_is_known() -> None:
    older = [f"{URL}?page={number}" for number in (2, 3, 4)]
    http = ReplayHttp({URL: reply(entry_xml(1))})
    first = await poll(http)
    http.replies = {
        URL: reply(entry_xml(5), entry_xml(4), head=next_page(older[0])),
        older[0]: reply(entry_xml(3), entry_xml(2), head=next_page(older[1])),
        older[1]: reply(entry_xml(1), head=next_page(older[2])),
    }
    second = await poll(http, first.cursor)
    assert titles(second) == ["Post 5", "Post 4", "Post 3", "Post 2"]
    assert second.complete
    assert len(second.answers) == 3


async def test_a_first_poll_reads_one_page() -> None:
    http = ReplayHttp({URL: reply(entry_xml(5), head=next_page(f"{URL}?page=2"))})
    batch = await poll(http)
    assert len(http.asked) == 1
    assert batch.complete


@pytest.mark.parametrize(
    "following",
    [
        URL,
        f"{URL}?page=broken",
        f"{URL}?page=missing",
        f"{URL}?page=2",
        "https://elsewhere.example/feed.xml",
        "",
    ],
    ids=["a loop", "a broken page", "a missing page", "no end", "another host", "no next page"],
)
async def test_what_may_have_been_missed_is_said(following: str) -> None:
    http = ReplayHttp({URL: reply(entry_xml(1))})
    first = await poll(http)
    http.replies = {
        URL: reply(entry_xml(9), head=next_page(following) if following else ""),
        f"{URL}?page=broken": Reply(body=b"<html>Sorry</html>"),
        **{
            f"{URL}?page={number}": reply(
                entry_xml(9 - number), head=next_page(f"{URL}?page={number + 1}")
            )
            for number in (2, 3, 4, 5, 6)
        },
    }
    second = await poll(http, first.cursor, max_pages=3)
    assert "Post 9" in titles(second)
    assert not second.complete
    assert "may have been missed" in second.note
    assert "https://elsewhere.example/feed.xml" not in [url for url, _ in http.asked]
    assert len(http.asked) <= 4


async def test_an_answer_that_was_cut_off_is_asked_for_again() -> None:
    whole = feed(entry_xml(2), entry_xml(1))
    http = ReplayHttp({URL: Reply(body=whole)})
    first = await poll(http)
    http.replies[URL] = Reply(
        body=feed(entry_xml(3), entry_xml(2))[:-50], headers=(("ETag", '"x"'),)
    )
    second = await poll(http, first.cursor)
    assert second.posts[0].title == "Post 3"
    assert not second.complete
    assert "cut off" in second.note
    http.replies[URL] = Reply(
        body=feed(entry_xml(3), entry_xml(2), entry_xml(1)), headers=(("ETag", '"x"'),)
    )
    third = await poll(http, second.cursor)
    assert http.asked[-1][1] == {}
    assert "Post 1" not in titles(third)


async def test_entries_past_the_limit_are_counted_and_said() -> None:
    batch = await poll(ReplayHttp({URL: reply(*map(entry_xml, range(9)))}), max_entries=4)
    assert len(batch.posts) == 4
    assert not batch.complete
    assert "5 entries" in batch.note


async def test_entries_without_a_word_are_counted_as_malformed() -> None:
    batch = await poll(ReplayHttp({URL: reply("<item><link>x</link></item>", entry_xml(1))}))
    assert titles(batch) == ["Post 1"]
    assert batch.malformed == 1


@pytest.mark.parametrize(
    ("head", "headers", "minutes"),
    [
        ("<ttl>20</ttl>", (), 20),
        ("<ttl>nonsense</ttl>", (), None),
        ("<ttl>600</ttl>", (), 60),
        ("", (("Cache-Control", "public, max-age=300"),), 5),
        ("<ttl>1</ttl>", (("Cache-Control", "max-age=300"),), 5),
        ("", (("Cache-Control", "no-cache"),), None),
        (FOUR_TIMES_AN_HOUR, (), 15),
    ],
)
async def test_a_feed_that_asks_for_patience_gets_some(
    head: str, headers: tuple[tuple[str, str], ...], minutes: int | None
) -> None:
    http = ReplayHttp({URL: reply(entry_xml(1), head=head, headers=headers)})
    batch = await poll(http)
    wanted = None if minutes is None else http.clock.now() + timedelta(minutes=minutes)
    assert batch.not_before == wanted


async def test_a_gone_feed_is_refused_and_a_missing_one_may_come_back() -> None:
    gone, missing = RefusedError("gone", status=410), RefusedError("missing", status=404)
    with pytest.raises(RefusedError):
        await poll(ReplayHttp(failure=gone))
    with pytest.raises(TransientError):
        await poll(ReplayHttp(failure=missing))


async def test_a_web_page_is_a_broken_source() -> None:
    with pytest.raises(MalformedError, match="source broken: the answer is a web page"):
        await poll(ReplayHttp({URL: Reply(body=b"<html><body>Sign in</body></html>")}))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://x.example/"},
        {"url": "x.example/feed"},
        {"url": "http://["},
        {"url": URL, "max_entries": 0},
        {"url": URL, "platform": ""},
        {"url": URL, "adress": "x"},
        {},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeedConfig.model_validate(settings)


async def test_a_page_that_answers_still_stands_and_one_that_does_not_is_gone() -> None:
    http = ReplayHttp({"https://blog.dunnowby.example/1": Reply(body=b"<html/>")})
    connector = FeedConnector(FeedConfig(url=URL), replay_tools(http))
    ref = PostRef("web", "x")
    seen = [
        (await connector.look_again(ref, f"https://blog.dunnowby.example/{number}")).presence
        for number in (1, 2)
    ]
    assert seen == [Presence.PRESENT, Presence.GONE]
    with pytest.raises(RefusedError):
        await connector.look_again(ref, "")


async def test_the_cursor_is_small() -> None:
    batch = await poll(ReplayHttp({URL: reply(*map(entry_xml, range(100)))}))
    assert batch.cursor is not None
    assert len(batch.cursor) < 3_500
    assert json.loads(batch.cursor)["v"] == 1
