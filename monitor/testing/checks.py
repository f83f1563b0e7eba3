"""What every connector promises, as checks that run on its recordings.

A connector inherits them by keeping `recordings.toml` beside its fixtures; nobody edits them for
one platform. If a connector cannot pass, the contract is the discussion.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from pydantic import ValidationError

from monitor.contract import ConnectorPlugin, Looker, Poller
from monitor.errors import (
    AuthError,
    MalformedError,
    RateLimitedError,
    RemoteError,
    TransientError,
)
from monitor.model import Batch, Post, PostRef, Presence
from monitor.testing.replay import Recordings, ReplayHttp, Reply, replay_tools

Check = Callable[[ConnectorPlugin, Recordings], Awaitable[None]]

MOST_FIRST_REQUESTS = 3
"""A first poll stays small: it may read a page or two, never an archive."""
LONGEST_CURSOR = 1_000_000
"""Bytes of UTF-8."""


def build(plugin: ConnectorPlugin, recordings: Recordings, http: ReplayHttp) -> Poller:
    """The plugin's connector, built as the core builds it, on recordings."""
    connector = plugin.build(plugin.config(**recordings.settings), replay_tools(http))
    assert isinstance(connector, Poller)
    return connector


async def _polled(
    plugin: ConnectorPlugin, recordings: Recordings, replies: Mapping[str, Reply]
) -> tuple[Batch, ReplayHttp]:
    http = ReplayHttp(dict(replies))
    return await build(plugin, recordings, http).poll(None), http


async def unknown_settings_are_refused(plugin: ConnectorPlugin, recordings: Recordings) -> None:
    """A misspelt key is an error, not a default."""
    try:
        plugin.config.model_validate({**recordings.settings, "no_such_setting": 1})
    except ValidationError:
        return
    raise AssertionError("an unknown setting was taken")


async def a_poll_brings_posts_that_can_be_kept(
    plugin: ConnectorPlugin, recordings: Recordings
) -> None:
    """Each post has a name of its own, clean text, its answer, and its own bytes."""
    batch, http = await _polled(plugin, recordings, recordings.normal)
    assert batch.posts, "the normal recording holds no post"
    names = [post.ref for post in batch.posts]
    assert len(set(names)) == len(names), "two posts have one name"
    bodies = [reply.body for reply in http.replies.values()]
    for post in batch.posts:
        _check_post(post, bodies)
    assert all(answer.sha256 for answer in batch.answers)


def _check_post(post: Post, bodies: list[bytes]) -> None:
    assert post.ref.platform, "a post without a platform"
    assert post.ref.native_id, "a post without a name"
    assert post.text or post.title, "a post without words"
    for words in (post.text, post.title, post.author.name, post.thread):
        words.encode()  # a lone surrogate cannot be stored
        assert "\0" not in words, "a null character cannot be stored"
    assert post.answer is not None, "a post without its answer"
    assert post.raw is not None, "a post without its bytes"
    start = post.raw.offset or 0
    cut = (body[start : start + len(post.raw.content)] for body in bodies)
    assert post.raw.content in cut, "the bytes of a post are not where it says"
    if post.raw.offset is None:
        assert post.raw.content in bodies, "no offset means the whole answer"


async def polling_again_from_its_cursor_brings_nothing_new(
    plugin: ConnectorPlugin, recordings: Recordings
) -> None:
    """What stands still is told once, also to a connector built afresh, with or without a 304."""
    batch, _ = await _polled(plugin, recordings, recordings.normal)
    for replies in (recordings.normal, _without_validators(recordings.normal)):
        again = await build(plugin, recordings, ReplayHttp(dict(replies))).poll(batch.cursor)
        assert again.posts == (), "an old post was told again"


def _without_validators(replies: Mapping[str, Reply]) -> dict[str, Reply]:
    return {
        url: Reply(
            body=reply.body,
            status=reply.status,
            headers=tuple(
                (name, value)
                for name, value in reply.headers
                if name.lower() not in {"etag", "last-modified"}
            ),
        )
        for url, reply in replies.items()
    }


async def a_cursor_survives_storage(plugin: ConnectorPlugin, recordings: Recordings) -> None:
    """A cursor is text, of a length that a database row takes."""
    batch, _ = await _polled(plugin, recordings, recordings.normal)
    assert isinstance(batch.cursor, str), "a poll that read something keeps a cursor"
    assert json.loads(json.dumps(batch.cursor)) == batch.cursor
    assert len(batch.cursor.encode()) < LONGEST_CURSOR


async def a_first_poll_stays_small(plugin: ConnectorPlugin, recordings: Recordings) -> None:
    """Whoever starts to watch is not told the history of the world."""
    _, http = await _polled(plugin, recordings, recordings.normal)
    assert len(http.asked) <= MOST_FIRST_REQUESTS


async def media_are_listed_and_never_fetched(
    plugin: ConnectorPlugin, recordings: Recordings
) -> None:
    """A picture may be one that nobody is allowed to have."""
    batch, http = await _polled(plugin, recordings, recordings.normal)
    media = {url for post in batch.posts for url in post.media_urls}
    assert not media & {url for url, _ in http.asked}


async def an_empty_answer_is_an_answer(plugin: ConnectorPlugin, recordings: Recordings) -> None:
    """Looked, and found nothing: no post, no error."""
    batch, _ = await _polled(plugin, recordings, recordings.empty)
    assert batch.posts == ()
    assert batch.answers, "nobody can tell that it looked"


async def a_broken_answer_is_malformed(plugin: ConnectorPlugin, recordings: Recordings) -> None:
    """Could not look: never the same as found nothing."""
    try:
        batch, _ = await _polled(plugin, recordings, recordings.broken)
    except MalformedError:
        return
    raise AssertionError(f"a broken answer passed for one with {len(batch.posts)} posts")


async def a_failure_of_the_network_is_passed_on(
    plugin: ConnectorPlugin, recordings: Recordings
) -> None:
    """The core decides what to do about it; a connector swallows nothing."""
    failures: tuple[RemoteError, ...] = (
        TransientError("no network"),
        RateLimitedError("too often", timedelta(minutes=1)),
        AuthError("no key"),
    )
    for failure in failures:
        http = ReplayHttp(dict(recordings.normal), failure=failure)
        try:
            await build(plugin, recordings, http).poll(None)
        except type(failure):
            continue
        raise AssertionError(f"{type(failure).__name__} was swallowed")


async def a_second_look_tells_gone_from_unseen(
    plugin: ConnectorPlugin, recordings: Recordings
) -> None:
    """For connectors that look again: a 404 is gone, a failure is an error."""
    http = ReplayHttp()
    connector = build(plugin, recordings, http)
    if not isinstance(connector, Looker):
        return
    ref = PostRef(platform="any", native_id="one")
    url = "https://gone.dunnowby.example/post"
    seen = await connector.look_again(ref, url)
    assert seen.presence is Presence.GONE
    assert seen.ref == ref
    http.failure = TransientError("no network")
    try:
        await connector.look_again(ref, url)
    except TransientError:
        return
    raise AssertionError("could not look, and said something else")


CONNECTOR_CHECKS: tuple[Check, ...] = (
    unknown_settings_are_refused,
    a_poll_brings_posts_that_can_be_kept,
    polling_again_from_its_cursor_brings_nothing_new,
    a_cursor_survives_storage,
    a_first_poll_stays_small,
    media_are_listed_and_never_fetched,
    an_empty_answer_is_an_answer,
    a_broken_answer_is_malformed,
    a_failure_of_the_network_is_passed_on,
    a_second_look_tells_gone_from_unseen,
)
