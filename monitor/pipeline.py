"""One turn of a source: poll, then accept (match, seal) in one commit; then judge, one a mention.

A crash anywhere may repeat work and never skips it: the cursor moves in the commit that keeps what
matched, and a mention waits for its judgement as a row.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor import text
from monitor.arrivals import clean, targets
from monitor.backoff import next_delay
from monitor.clock import Clock
from monitor.contract import Connector, Poller, SourceInfo, Streamer
from monitor.errors import (
    AuthError,
    EvidenceError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    StaffMentionsError,
    TransientError,
    fault,
)
from monitor.evidence import warc
from monitor.evidence.clockstate import ClockState
from monitor.evidence.leaf import Json
from monitor.evidence.vault import Vault
from monitor.judge import Judge, by_post, verdict_of
from monitor.model import (
    Batch,
    Grade,
    Verdict,
)
from monitor.storage.records import Capture, Judgement, SourceState, StoredMention, Turn
from monitor.storage.store import Store

BACKOFF_CAP = timedelta(hours=6)
FUTURE_LIMIT = timedelta(hours=25)
"""No source waits longer than this: a due time beyond it means that the clock went backwards."""
LONGEST_REASON = 300
LONGEST_NOTE = 500

_IN_THE_WAY = (EvidenceError, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source with its connector, ready to be asked."""

    info: SourceInfo
    kind: str
    interval: timedelta
    connector: Connector


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What one turn did: counts, or the error in plain words where it could not look."""

    source: str
    fetched: int = 0
    matched: int = 0
    fresh: int = 0
    error: str = ""
    state: SourceState | None = None
    recovered: SourceState | None = None
    next_due_at: datetime | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error)


@dataclass(slots=True)
class Pipeline:
    """Carries posts from sources to grades; knows no schedule and sends nothing."""

    store: Store
    vault: Vault
    judge: Judge
    clock: Clock
    clock_state: Callable[[], ClockState]
    jitter: Callable[[], float] = random.random
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)

    # --- poll and accept ------------------------------------------------------------------------

    async def turn(self, source: Source) -> TurnReport:
        """Ask one source once and keep what it brought, or that it could not be asked.

        Whatever happens there is a report: where nothing could be kept it says so, and the cursor
        has not moved.
        """
        name = source.info.name
        try:
            state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            try:
                started = self.clock.now()
                batch = await _poll(source, state)
                return await self._accept(source, state, batch, started=started)
            except _IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - one bug in a connector must not stop the queue
                return await self._failed(source, state, error)
        except _IN_THE_WAY as error:
            return _not_kept(name, error)

    async def listen(
        self, source: Source, *, kept: Callable[[TurnReport], Awaitable[object]] | None = None
    ) -> TurnReport:
        """Follow a streaming source until it hangs up; each batch is kept as a turn is.

        `kept` is awaited after each batch with its report; without it, what came is judged.
        """
        name = source.info.name
        report = TurnReport(name)
        try:
            state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            try:
                assert isinstance(source.connector, Streamer), f"{source.kind} cannot be streamed"
                stream = source.connector.stream(state.cursor, self.judge.matcher.wanted)
                async for batch in stream:
                    report = await self._accept(source, state, batch, started=self.clock.now())
                    await (kept(report) if kept else self.judge_waiting())
                    # The next batch finds a source that was looked at and is in order.
                    state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            except _IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - as in `turn`
                report = await self._failed(source, state, error)
                return report if kept is None else await _after(kept, report)
        except _IN_THE_WAY as error:
            return _not_kept(name, error)
        return report

    async def _accept(
        self, source: Source, state: SourceState, batch: Batch, *, started: datetime
    ) -> TurnReport:
        captured = self.clock.now()
        next_due = max(
            captured + source.interval,
            min(batch.not_before or captured, captured + FUTURE_LIMIT),
        )
        turn = Turn(
            source=source.info.name,
            kind=source.kind,
            cursor=batch.cursor,
            started_at=started,
            captured_at=captured,
            fetched=len(batch.posts),
            malformed=batch.malformed,
            not_modified=batch.not_modified,
            complete=batch.complete,
            next_due_at=next_due,
            clock=self._clock_field(),
            note=text.clean(batch.note, LONGEST_NOTE),
        )
        first_look = state.first_success_at is None
        accepted = await asyncio.to_thread(self._keep, source.info, turn, batch, first_look)
        logger.bind(
            source=turn.source,
            fetched=turn.fetched,
            matched=accepted[0],
            fresh=accepted[1],
            malformed=turn.malformed,
        ).info("turn.done")
        return TurnReport(
            turn.source,
            turn.fetched,
            accepted[0],
            accepted[1],
            recovered=state if state.told else None,
            next_due_at=next_due,
        )

    def _clock_field(self) -> Mapping[str, Json]:
        return self.clock_state().as_field()

    def _keep(
        self, info: SourceInfo, turn: Turn, batch: Batch, first_look: bool
    ) -> tuple[int, int]:
        """Match, put raw bytes in the vault, then commit rows, entries and cursor together."""
        captures: list[Capture] = []
        kept: dict[str, bytes] = {}
        posts = [clean(arrived) for arrived in batch.posts]
        found = self.judge.mentions(posts, info)
        for post, matched in zip(posts, found, strict=True):
            mentions = targets(matched)
            if mentions:
                raw, whole = warc.original(post), warc.captured(post, at=turn.captured_at)
                digests = self.vault.put(raw), self.vault.put(whole)
                kept |= dict(zip(digests, (raw, whole), strict=True))
                captures.append(
                    Capture(post, digests[0], mentions, info.scope, first_look, digests[1])
                )
        accepted = self.store.sources.accept(turn, captures)
        for digest, raw in kept.items():
            # An erasure may have taken the same bytes out before our commit said who needs them.
            if not self.vault.has(digest):
                self.vault.put(raw)
        return accepted.matched, len(accepted.fresh)

    async def _failed(self, source: Source, state: SourceState, error: Exception) -> TurnReport:
        at = self.clock.now()
        wait = next_delay(
            state.failures + 1, base=source.interval, cap=BACKOFF_CAP, random=self.jitter
        )
        if isinstance(error, RateLimitedError):
            wait = max(wait, error.retry_after)
        stopped = isinstance(error, AuthError)
        ours = not isinstance(error, RemoteError)
        reason = fault(error) if ours else _first_line(error)
        if ours:
            logger.bind(source=source.info.name).opt(exception=error).error("turn.crashed")
        kept = await asyncio.to_thread(
            self.store.sources.fail,
            source.info.name,
            source.kind,
            error=reason,
            at=at,
            next_due_at=at + min(wait, FUTURE_LIMIT),
            stopped=stopped,
        )
        logger.bind(
            source=source.info.name,
            error=type(error).__name__,
            failures=kept.failures,
            refused=isinstance(error, RefusedError),
        ).warning("turn.failed")
        return TurnReport(source.info.name, error=reason, state=kept, next_due_at=kept.next_due_at)

    # --- judge ----------------------------------------------------------------------------------

    async def judge_waiting(self) -> tuple[Grade, ...]:
        """Judge every accepted mention, oldest first, a post at a time; the grades given."""
        given: list[Grade] = []
        after = 0
        async with self._judging:
            while waiting := await asyncio.to_thread(self.store.judging.waiting, after=after):
                after = max(stored.id for stored in waiting)
                for mentions in by_post(waiting):
                    given += await asyncio.to_thread(self._judge, mentions)
        return tuple(given)

    def _judge(self, mentions: tuple[StoredMention, ...]) -> list[Grade]:
        """Judge what one post says of each of its targets: each a commit, routed as a whole."""
        given = []
        try:
            graded = [(stored, *self.judge.grade(stored)) for stored in mentions]
            fresh = tuple(verdict_of(stored, grade) for stored, grade, _card in graded)
            for stored, grade, card in graded:
                at = self.clock.now()
                verdicts = self._standing(stored), fresh
                judgement = self.judge.judgement(stored, grade, card, *verdicts, at=at)
                if self.store.judging.judge(judgement, at=at):
                    given.append(grade)
                    logger.bind(mention=stored.id).info("mention.judged")
        except (StaffMentionsError, ValueError, LookupError) as error:
            # It waits, visibly, and is tried again; the posts behind it do not wait for it.
            logger.bind(mention=mentions[0].id, error=type(error).__name__).error("judge.failed")
        return given

    def regraded(self, stored: StoredMention, grade: Grade, *, at: datetime) -> Judgement:
        """Decide who hears of a person's own grade."""
        beside = (verdict_of(stored, grade),)
        return self.judge.judgement(stored, grade, {}, self._standing(stored), beside, at=at)

    def _standing(self, stored: StoredMention) -> tuple[Verdict, ...]:
        return self.store.judging.verdicts(stored.mention.post.ref)


async def _poll(source: Source, state: SourceState) -> Batch:
    assert isinstance(source.connector, Poller), f"{source.kind} cannot be polled"
    try:
        return await source.connector.poll(state.cursor)
    except OSError as error:
        # Of the connector's making: it must not pass for a disk of ours that is full.
        raise TransientError(f"the connector met {type(error).__name__}") from error


def _not_kept(name: str, error: Exception) -> TurnReport:
    """The disk or the database is in the way: nothing was kept, so nothing is skipped."""
    logger.bind(source=name, error=type(error).__name__).error("turn.could_not_keep")
    return TurnReport(name, error=f"could not keep what came: {_first_line(error)}")


async def _after(kept: Callable[[TurnReport], Awaitable[object]], report: TurnReport) -> TurnReport:
    await kept(report)
    return report


def _first_line(error: Exception) -> str:
    # What another machine says may hold anything; what is stored may not.
    return text.clean((str(error).splitlines() or [type(error).__name__])[0], LONGEST_REASON)
