"""Fakes of a clock, of connectors and of an alerter."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from monitor.contract import Wanted
from monitor.model import Batch, Cursor, Message, Observation, PostRef, Presence, Receipt

A_MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

T = TypeVar("T")


class FakeClock:
    """A clock that stands until a test, or somebody's sleep, moves it."""

    def __init__(self, now: datetime = A_MORNING) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(timedelta(seconds=seconds))

    def advance(self, step: timedelta) -> None:
        """Let time pass, for the wall and for the machine."""
        self._now += step
        self._monotonic += step.total_seconds()

    def step_wall(self, step: timedelta) -> None:
        """Set the wall clock, backwards too, as a time server does; the machine notices nothing."""
        self._now += step


@dataclass(slots=True)
class FakeConnector:
    """A `Poller` and `Looker` that plays a script: batches to give, errors to raise, in order.

    When the script is over, nothing is new. Every cursor that it was asked with is in `asked`.
    """

    script: deque[Batch | Exception] = field(default_factory=deque)
    sights: dict[PostRef, Presence | Exception] = field(default_factory=dict)
    asked: list[Cursor | None] = field(default_factory=list)

    async def poll(self, cursor: Cursor | None) -> Batch:
        self.asked.append(cursor)
        if not self.script:
            return Batch(posts=(), cursor=cursor, not_modified=True)
        return _play(self.script.popleft())

    async def look_again(self, ref: PostRef, url: str) -> Observation:  # noqa: ARG002 - the contract's signature
        return Observation(ref=ref, presence=_play(self.sights.get(ref, Presence.PRESENT)))


@dataclass(slots=True)
class FakeStream:
    """A `Streamer` that plays a script and hangs up; it drops what nobody wants, as it must."""

    script: deque[Batch | Exception] = field(default_factory=deque)
    asked: list[Cursor | None] = field(default_factory=list)

    async def stream(self, cursor: Cursor | None, wanted: Wanted) -> AsyncIterator[Batch]:
        self.asked.append(cursor)
        while self.script:
            batch = _play(self.script.popleft())
            posts = tuple(post for post in batch.posts if wanted(post.text) or wanted(post.title))
            yield Batch(posts=posts, cursor=batch.cursor, answers=batch.answers)


@dataclass(slots=True)
class RecordingAlerter:
    """An `Alerter` that keeps what it was given, and fails as often as it is told to, in order."""

    clock: FakeClock = field(default_factory=FakeClock)
    failures: deque[Exception] = field(default_factory=deque)
    sent: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> Receipt:
        if self.failures:
            raise self.failures.popleft()
        self.sent.append(message)
        return Receipt(said="taken", at=self.clock.now())

    async def check(self) -> str:
        if self.failures:
            raise self.failures.popleft()
        return "a recording; it would take anything"


def script(*steps: Batch | Exception) -> deque[Batch | Exception]:
    """A script for a fake: what happens at the first poll, at the second, and so on."""
    return deque(steps)


def _play(step: T | Exception) -> T:
    if isinstance(step, Exception):
        raise step
    return step
