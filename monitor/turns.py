"""The turns of every source: when each is asked next, and what happens whatever became of one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor.clock import Clock
from monitor.contract import Streamer
from monitor.pipeline import FUTURE_LIMIT, Source, TurnReport
from monitor.rounds import Rounds
from monitor.scheduler import Scheduler
from monitor.standing import rest
from monitor.storage.records import SourceState
from monitor.vitals import Vitals

STAGGER = timedelta(milliseconds=150)
RETRY_KEEPING = timedelta(minutes=1)
RETRY_STOPPED = timedelta(hours=6)


@dataclass(slots=True)
class Turns:
    """Each source's next turn or its stream; at any moment at most one of them for each."""

    rounds: Rounds
    scheduler: Scheduler
    vitals: Vitals
    clock: Clock
    stop: asyncio.Event
    _running: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    @property
    def running(self) -> tuple[asyncio.Task[Any], ...]:
        """The turns and streams that are under way."""
        return tuple(self._running.values())

    def plan(self) -> None:
        """Ask every source when it is due; those overdue at once, a moment apart."""
        states = {state.name: state for state in self.rounds.store.sources.states()}
        now = self.clock.now()
        for number, source in enumerate(self.rounds.sources.values()):
            if isinstance(source.connector, Streamer):
                self._listen_to(source)
                continue
            state = states.get(source.info.name)
            self._plan_one(source, due(state, now) or now + number * STAGGER)

    def forget(self) -> None:
        """Plan no further turn of the sources in force; those under way end by themselves."""
        for name in self.rounds.sources:
            self.scheduler.cancel(f"turn:{name}")

    def _plan_one(self, source: Source, at: datetime) -> None:
        self.scheduler.once(f"turn:{source.info.name}", at, lambda: self._turn(source))

    def _is_current(self, source: Source) -> bool:
        """Whether this source is still in force: a reload replaces every one."""
        return not self.stop.is_set() and self.rounds.sources.get(source.info.name) is source

    async def _turn(self, source: Source) -> None:
        if not self._is_current(source):
            return
        name = source.info.name
        task = asyncio.create_task(self.rounds.turn(source), name=f"turn:{name}")
        self._running[name] = task
        report, began = None, self.clock.now()
        try:
            report = await task
        except (SQLAlchemyError, OSError) as error:
            # Kept is kept: what could not be judged or told now is done by the next round.
            logger.bind(source=name, error=type(error).__name__).error("turn.unfinished")
        finally:
            # Whatever happened, the source is asked again.
            self._running.pop(name, None)
            self.vitals.pulse()
            if self._is_current(source):
                self._plan_one(source, self._next(report, began))

    def _next(self, report: TurnReport | None, began: datetime) -> datetime:
        now = self.clock.now()
        # Where the clock went back meanwhile, the report's plan is of a time that is far ahead.
        if report is None or now < began:
            return now + RETRY_KEEPING
        if report.state is not None and report.state.stopped:
            # A person was told; asking now and then costs nobody anything and may find it mended.
            return now + RETRY_STOPPED
        return report.next_due_at or now + RETRY_KEEPING

    def _listen_to(self, source: Source) -> None:
        name = source.info.name
        running = self._running.pop(name, None)
        if running is not None:
            running.cancel()
        self._running[name] = asyncio.create_task(self._listen(source), name=f"stream:{name}")

    async def _listen(self, source: Source) -> None:
        while self._is_current(source):
            began = self.clock.now()
            report = await self.rounds.listen(source)
            wait = self._next(report, began) - self.clock.now()
            await rest(self.stop, max(1.0, wait.total_seconds()))


def due(state: SourceState | None, now: datetime) -> datetime | None:
    """When a source is to be asked; None where it is overdue, or where no clock can be trusted.

    A source that was asked in the future, or is due beyond every wait, was planned by a clock that
    has since gone back: by its plan nobody would look there for as long as the clock went back.
    """
    if state is None or state.stopped or state.next_due_at is None:
        return None
    if state.last_attempt_at is not None and state.last_attempt_at > now:
        return None
    return state.next_due_at if now < state.next_due_at <= now + FUTURE_LIMIT else None
