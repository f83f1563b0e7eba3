"""All that a plugin sees: what a connector and an alerter promise, and what the core lends them.

A connector has one required form and two optional ones, each its own protocol:

* `Poller.poll(cursor)` brings a `Batch`; the core stores what matched and the cursor in one commit.
* `Streamer.stream(cursor, wanted)` yields batches for as long as the source speaks. The core gives
  `wanted(text) -> bool`, so that a firehose drops what names nobody before building a post.
* `Looker.look_again(ref, url)` says whether a post still stands as it was.

Delivery is at least once: after a crash the same batch may be asked for again. Raise the errors of
`monitor.errors`, which say what to do next; never return an empty batch for "could not look".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from monitor.clock import Clock
from monitor.model import Answer, Batch, Cursor, Message, Observation, PostRef, Receipt, Scope


class Settings(BaseModel):
    """Base of a plugin's settings: closed, frozen, so that a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a connector may know about the source that it serves."""

    name: str
    scope: Scope
    school: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer and its expanded body, together while a connector reads them.

    `not_modified` is true for a 304; the body is then empty. `url` is the address that answered in
    the end, secrets and all: for resolving links, never to be stored or logged. `moved_to` is where
    the source has moved for good (301, 308), secrets removed, for a person to confirm; else empty.
    """

    answer: Answer
    body: bytes
    not_modified: bool = False
    url: str = field(default="", repr=False)
    moved_to: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, in any case; empty where there is none."""
        wanted = name.lower()
        return next((value for key, value in self.answer.headers if key.lower() == wanted), "")


class Http(Protocol):
    """The polite HTTP client that the core lends: one place where a status becomes an error."""

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "*/*",
        secrets: tuple[str, ...] = (),
    ) -> Fetched:
        """Fetch `url` with a conditional header where the caller gives one.

        Raises:
            TransientError: the network, a time-out, a 5xx.
            RateLimitedError: 429 or 503 with Retry-After.
            AuthError: 401 or 403.
            RefusedError: 404, 410, a private address, a redirect that may not be followed.
            MalformedError: a body over the size cap, broken compression, wrong length.
        """
        ...

    async def peek(self, url: str, *, secrets: tuple[str, ...] = ()) -> Answer:
        """Ask whether `url` still answers, reading and keeping nothing of its body.

        The status is 2xx, 404 or 410; everything else raises as `get` does: "could not look".
        """
        ...


class Fence(Protocol):
    """Runs a parser in a process of its own with a limit on time and memory."""

    async def run(self, function: str, body: bytes, arguments: Mapping[str, str]) -> Any:
        """Call `module:function(body, arguments)` outside this process; its JSON-able answer.

        Raises:
            MalformedError: the parser died, ran out of time or memory, or raised.
            TransientError: this machine could not start the process.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the core lends to a connector."""

    http: Http
    fence: Fence
    clock: Clock
    source: SourceInfo


@runtime_checkable
class Poller(Protocol):
    """The form that every scheduled connector has."""

    async def poll(self, cursor: Cursor | None) -> Batch:
        """Bring what is new since `cursor`; a first poll without one stays small."""
        ...


Wanted = Callable[[str], bool]


@runtime_checkable
class Streamer(Protocol):
    """The form of a connector that listens instead of asking."""

    def stream(self, cursor: Cursor | None, wanted: Wanted) -> AsyncIterator[Batch]:
        """Yield batches until the source hangs up; the core starts again from the last cursor."""
        ...


@runtime_checkable
class Looker(Protocol):
    """The form of a connector that can look at one post again."""

    async def look_again(self, ref: PostRef, url: str) -> Observation:
        """Say whether the post still stands; raising means "could not look"."""
        ...


Connector = Poller | Streamer


class Alerter(Protocol):
    """Reaches one person one way."""

    async def send(self, message: Message) -> Receipt:
        """Hand the message over.

        Raises:
            TransientError: not now (absent, greylisted, time-out, an answer that never came).
            AuthError: the channel refuses our credentials; nobody can be reached by it.
            RefusedError: this recipient will not take it.
        """
        ...

    async def check(self) -> str:
        """Reach the other side without sending anything; one line saying what was found."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectorPlugin:
    """One platform: its kind, its settings, and how to build it. Found by entry point."""

    kind: str
    config: type[Settings]
    build: Callable[[Any, Tools], Connector]


@dataclass(frozen=True, slots=True)
class AlerterPlugin:
    """One way to reach people: its kind, its settings, and how to build it."""

    kind: str
    config: type[Settings]
    build: Callable[[Any, Clock], Alerter]
