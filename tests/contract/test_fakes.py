"""The fakes keep the contract that they stand in for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.contract import Looker, Poller, Streamer
from monitor.errors import MalformedError, RefusedError, TransientError
from monitor.model import Batch, Cursor, Message, Post, PostRef, Presence
from monitor.testing import (
    A_MORNING,
    FakeClock,
    FakeConnector,
    FakeStream,
    OpenFence,
    RecordingAlerter,
    ReplayHttp,
    Reply,
    script,
)

POSTS = tuple(Post(PostRef("web", str(n)), text=text) for n, text in enumerate(("fair", "bins")))
MESSAGE = Message(
    message_id="1@dunnowby.example",
    recipient="head@dunnowby.example",
    recipient_name="The Head",
    subject="A test",
    text="A test",
    html="<p>A test</p>",
    urgent=False,
    created_at=A_MORNING,
)


async def test_a_fake_connector_plays_its_script_and_then_has_nothing_new() -> None:
    batch = Batch(posts=POSTS, cursor=Cursor("1"))
    connector = FakeConnector(script(batch, TransientError("away")))
    assert isinstance(connector, Poller)
    assert isinstance(connector, Looker)
    assert not isinstance(connector, Streamer)
    assert await connector.poll(None) is batch
    with pytest.raises(TransientError):
        await connector.poll(Cursor("1"))
    idle = await connector.poll(Cursor("1"))
    assert (idle.posts, idle.not_modified, idle.cursor) == ((), True, "1")
    assert connector.asked == [None, "1", "1"]


async def test_a_fake_connector_sees_what_it_is_told_to_see() -> None:
    here, gone, unseen = (PostRef("web", name) for name in "abc")
    connector = FakeConnector(sights={gone: Presence.GONE, unseen: TransientError("away")})
    assert (await connector.look_again(here, "")).presence is Presence.PRESENT
    assert (await connector.look_again(gone, "")).presence is Presence.GONE
    with pytest.raises(TransientError):
        await connector.look_again(unseen, "")


async def test_a_fake_stream_drops_what_nobody_wants() -> None:
    stream = FakeStream(script(Batch(posts=POSTS, cursor=Cursor("1")), TransientError("away")))
    assert isinstance(stream, Streamer)
    assert not isinstance(stream, Poller)
    batches = stream.stream(None, lambda text: "fair" in text)
    first = await anext(batches)
    assert [post.text for post in first.posts] == ["fair"]
    assert first.cursor == "1"
    with pytest.raises(TransientError):
        await anext(batches)
    assert [batch async for batch in stream.stream(Cursor("1"), lambda _: True)] == []
    assert stream.asked == [None, "1"]


async def test_a_recording_alerter_fails_as_told_and_then_takes() -> None:
    alerter = RecordingAlerter()
    alerter.failures.append(TransientError("away"))
    with pytest.raises(TransientError):
        await alerter.send(MESSAGE)
    assert (await alerter.send(MESSAGE)).at == A_MORNING
    assert alerter.sent == [MESSAGE]


async def test_a_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    before = clock.monotonic()
    await clock.sleep(90)
    assert clock.now() == A_MORNING + timedelta(seconds=90)
    assert clock.monotonic() == before + 90
    clock.step_wall(timedelta(hours=-1))
    assert clock.now() < A_MORNING
    assert clock.monotonic() == before + 90
    assert FakeClock(datetime(2027, 1, 1, tzinfo=UTC)).now().year == 2027


async def test_a_replay_answers_like_a_server() -> None:
    http = ReplayHttp({"https://a.example/": Reply(body=b"x", headers=(("ETag", '"1"'),))})
    first = await http.get("https://a.example/")
    again = await http.get("https://a.example/", headers={"If-None-Match": '"1"'})
    assert (first.body, first.not_modified) == (b"x", False)
    assert (again.body, again.not_modified, again.answer.status) == (b"", True, 304)
    with pytest.raises(RefusedError) as caught:
        await http.get("https://b.example/")
    assert caught.value.status == 404
    assert (await http.peek("https://b.example/")).status == 404
    http.failure = TransientError("away")
    for call in (http.get, http.peek):
        with pytest.raises(TransientError):
            await call("https://a.example/")


async def test_an_open_fence_runs_the_same_parsers_and_fails_in_the_same_way() -> None:
    arguments = {"content_type": "text/xml", "max_entries": "5"}
    found = await OpenFence().run("connectors.feed.parsing:parse", b"<rss", arguments)
    assert "broken" in found
    with pytest.raises(MalformedError, match="KeyError"):
        await OpenFence().run("connectors.feed.parsing:parse", b"<rss/>", {})
