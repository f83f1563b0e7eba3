"""Polls one feed: asks only for news, reads it behind the fence, names every post for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from connectors.feed.cursor import FeedCursor, load, mark, mark_of
from connectors.feed.reading import Page, read_page
from monitor.contract import ConnectorPlugin, Fetched, Settings, Tools
from monitor.errors import MalformedError, RefusedError, RemoteError, TransientError
from monitor.model import Answer, Batch, Cursor, Observation, Post, PostRef, Presence

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9,"
    " text/xml;q=0.8, */*;q=0.1"
)
PARSER = "connectors.feed.parsing:parse"
_NOT_FOUND = 404
_GONE = frozenset({404, 410})


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http or https address")
    return url


class FeedConfig(Settings):
    """One feed."""

    url: Annotated[str, AfterValidator(_web_address)] = Field(
        description="The address of the feed; http or https."
    )
    platform: str = Field(
        default="web",
        min_length=1,
        max_length=40,
        description="What the place is called in alerts and records.",
    )
    max_entries: int = Field(
        default=500, ge=1, le=5000, description="The most entries read from one answer."
    )
    max_pages: int = Field(
        default=5,
        ge=1,
        le=50,
        description="The most pages followed when posts may have been missed since the last poll.",
    )
    patience_minutes: int = Field(
        default=60,
        ge=0,
        le=1440,
        description="The longest that the feed's own wish may put off the next poll: a feed that"
        " asks for one look a day must not delay news of a threat by a day.",
    )


class FeedConnector:
    """Reads one feed. The cursor knows the last answer and every version of a post in it."""

    def __init__(self, config: FeedConfig, tools: Tools) -> None:
        self._config = config
        self._tools = tools
        self._host = (urlsplit(config.url).hostname or "").lower()
        self._secrets = _secrets(config.url)

    async def poll(self, cursor: Cursor | None) -> Batch:
        """What stands in the feed and was not there before, edits included.

        Raises:
            MalformedError: something else than a feed came: "source broken", not "no mentions".
            RefusedError: the feed is gone for good (410).
            TransientError: also for 404, which many sites answer while they are being repaired.
        """
        known = load(cursor, mark(self._config.url))
        fetched = await self._fetch(known)
        if fetched.not_modified or fetched.answer.sha256 == known.sha256:
            return self._unchanged(fetched, cursor)
        pages, answers, gap = await self._pages(fetched, known)
        first = pages[0]
        posts = _unseen(pages, known)
        return Batch(
            posts=posts,
            cursor=_next_cursor(known, fetched, first).dump(),
            answers=answers,
            not_before=self._not_before(fetched, first.wish),
            malformed=sum(page.malformed for page in pages),
            complete=not gap and first.closed and not any(page.left_out for page in pages),
            note=_note(fetched, first, gap=gap),
        )

    async def look_again(self, ref: PostRef, url: str) -> Observation:
        """Whether the page of a post still answers; what stands on it is not read."""
        if not url:
            raise RefusedError("the post has no address to look at")
        answer = await self._tools.http.peek(url)
        presence = Presence.GONE if answer.status in _GONE else Presence.PRESENT
        return Observation(ref=ref, presence=presence, answer=answer)

    async def _fetch(self, known: FeedCursor) -> Fetched:
        headers = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
        try:
            return await self._tools.http.get(
                self._config.url,
                headers={name: value for name, value in headers.items() if value},
                accept=ACCEPT,
                secrets=self._secrets,
            )
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                raise TransientError(str(error)) from error
            raise

    async def _read(self, fetched: Fetched) -> Page:
        arguments = {
            "content_type": fetched.header("content-type"),
            "max_entries": str(self._config.max_entries),
        }
        found = await self._tools.fence.run(PARSER, fetched.body, arguments)
        if "broken" in found:
            raise MalformedError(f"source broken: {found['broken']}")
        return read_page(found, fetched, platform=self._config.platform, feed_host=self._host)

    async def _pages(
        self, fetched: Fetched, known: FeedCursor
    ) -> tuple[list[Page], tuple[Answer, ...], bool]:
        """The first page, and older ones (RFC 5005) until one holds a post that is known.

        The last value says whether posts may stand between the pages read and the last poll. A
        first poll reads one page: what is older than the watch is not its business.
        """
        pages, answers = [await self._read(fetched)], [fetched.answer]
        visited = {self._config.url, fetched.url}
        while not known.fresh and not _reaches(pages[-1], known):
            following = pages[-1].next_url
            same_host = (urlsplit(following).hostname or "") == urlsplit(fetched.url).hostname
            if not following:
                return pages, tuple(answers), bool(known.seen)
            if following in visited or not same_host or len(pages) >= self._config.max_pages:
                return pages, tuple(answers), True
            visited.add(following)
            try:
                older = await self._tools.http.get(following, accept=ACCEPT, secrets=self._secrets)
                pages.append(await self._read(older))
            except RemoteError:
                # The news of the first page must not wait for an old page that is broken.
                return pages, tuple(answers), True
            answers.append(older.answer)
        return pages, tuple(answers), False

    def _unchanged(self, fetched: Fetched, cursor: Cursor | None) -> Batch:
        return Batch(
            posts=(),
            cursor=cursor,
            answers=(fetched.answer,),
            not_modified=True,
            note=_moved(fetched),
        )

    def _not_before(self, fetched: Fetched, wish: timedelta | None) -> datetime | None:
        if wish is None:
            return None
        patience = timedelta(minutes=self._config.patience_minutes)
        return fetched.answer.received_at + min(wish, patience)


def _secrets(url: str) -> tuple[str, ...]:
    """The secret parts of an address: whoever knows that of a Google alert can read it."""
    parts = urlsplit(url)
    if parts.hostname == "www.google.com" and parts.path.startswith("/alerts/feeds/"):
        return tuple(part for part in parts.path.split("/")[3:] if part)
    return ()


def _reaches(page: Page, known: FeedCursor) -> bool:
    """Whether a page goes back to a post that was there at the last poll, edited or not."""
    return not page.posts or any(known.knows(post) for post in page.posts)


def _unseen(pages: list[Page], known: FeedCursor) -> tuple[Post, ...]:
    found = {mark_of(post): post for page in pages for post in page.posts}
    return tuple(post for key, post in found.items() if key not in known.seen)


def _next_cursor(known: FeedCursor, fetched: Fetched, page: Page) -> FeedCursor:
    """What to remember. An answer that was cut off is asked for again, and takes nothing away."""
    marks = frozenset(mark_of(post) for post in page.posts)
    if not page.closed:
        return replace(known, etag="", modified="", sha256="cut off", seen=known.seen | marks)
    return replace(
        known,
        etag=fetched.header("etag"),
        modified=fetched.header("last-modified"),
        sha256=fetched.answer.sha256,
        seen=marks,
    )


def _moved(fetched: Fetched) -> str:
    if not fetched.moved_to:
        return ""
    return f"the feed has moved for good to {fetched.moved_to}: give it this address"


def _note(fetched: Fetched, page: Page, *, gap: bool) -> str:
    notes = (
        _moved(fetched),
        "" if page.closed else "the answer was cut off",
        f"{page.left_out} entries past the limit were not read" if page.left_out else "",
        f"{page.hostile} entries would choke a reader: see for yourself" if page.hostile else "",
        "older posts may have been missed" if gap else "",
    )
    return "; ".join(note for note in notes if note)


PLUGIN = ConnectorPlugin(kind="feed", config=FeedConfig, build=FeedConnector)
