"""The promises of connectors are worth something: connectors that break them are caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.feed.connector import PLUGIN, FeedConfig, FeedConnector
from monitor.contract import ConnectorPlugin, Settings, Tools
from monitor.errors import MalformedError, RemoteError
from monitor.model import Batch, Cursor, Observation, PostRef, Presence
from monitor.testing import load_recordings
from monitor.testing.checks import (
    CONNECTOR_CHECKS,
    Check,
    a_broken_answer_is_malformed,
    a_failure_of_the_network_is_passed_on,
    a_poll_brings_posts_that_can_be_kept,
    a_second_look_tells_gone_from_unseen,
    an_empty_answer_is_an_answer,
    media_are_listed_and_never_fetched,
    polling_again_from_its_cursor_brings_nothing_new,
    unknown_settings_are_refused,
)

RECORDINGS = load_recordings(Path(__file__).resolve().parents[2] / "fixtures" / "feed")


class Forgetful(FeedConnector):
    async def poll(self, cursor: Cursor | None) -> Batch:  # noqa: ARG002 - that is the fault
        return await super().poll(None)


class Silent(FeedConnector):
    async def poll(self, cursor: Cursor | None) -> Batch:
        try:
            return await super().poll(cursor)
        except RemoteError:
            return Batch(posts=(), cursor=cursor)


class Careless(FeedConnector):
    async def poll(self, cursor: Cursor | None) -> Batch:
        batch = await super().poll(cursor)
        posts = tuple(replace(post, raw=None) for post in batch.posts)
        return replace(batch, posts=posts)


class Curious(FeedConnector):
    async def poll(self, cursor: Cursor | None) -> Batch:
        batch = await super().poll(cursor)
        for post in batch.posts:
            for url in post.media_urls:
                await self._tools.http.peek(url)
        return batch


class Nervous(FeedConnector):
    async def poll(self, cursor: Cursor | None) -> Batch:
        batch = await super().poll(cursor)
        if not batch.posts and not batch.not_modified:
            raise MalformedError("nothing there")
        return batch


class Blind(FeedConnector):
    async def look_again(self, ref: PostRef, url: str) -> Observation:
        try:
            return await super().look_again(ref, url)
        except RemoteError:
            return Observation(ref=ref, presence=Presence.GONE)


class Open(Settings, extra="ignore"):
    url: str


def _plugin(build: Callable[[FeedConfig, Tools], FeedConnector]) -> ConnectorPlugin:
    return ConnectorPlugin(kind="feed", config=FeedConfig, build=build)


@pytest.mark.parametrize(
    ("plugin", "check"),
    [
        (_plugin(Forgetful), polling_again_from_its_cursor_brings_nothing_new),
        (_plugin(Silent), a_broken_answer_is_malformed),
        (_plugin(Silent), a_failure_of_the_network_is_passed_on),
        (_plugin(Careless), a_poll_brings_posts_that_can_be_kept),
        (_plugin(Curious), media_are_listed_and_never_fetched),
        (_plugin(Nervous), an_empty_answer_is_an_answer),
        (_plugin(Blind), a_second_look_tells_gone_from_unseen),
        (replace(PLUGIN, config=Open), unknown_settings_are_refused),
    ],
)
async def test_a_connector_that_breaks_a_promise_is_caught(
    plugin: ConnectorPlugin, check: Check
) -> None:
    with pytest.raises((AssertionError, MalformedError)):
        await check(plugin, RECORDINGS)


@pytest.mark.parametrize("check", CONNECTOR_CHECKS)
async def test_the_honest_connector_passes(check: Check) -> None:
    await check(PLUGIN, RECORDINGS)
