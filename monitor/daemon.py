"""The service in the foreground: signals, readiness, watchdog, reload and draining.

Over 300 lines, because a reload, a stop and a clock that was set touch every part of it at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor import __version__
from monitor.cases.views import OperatorEvent
from monitor.clock import Clock
from monitor.config.schema import Config
from monitor.contract import Streamer
from monitor.errors import ConfigError, GradingError, StaffMentionsError, fault
from monitor.notify import notify, watchdog_interval
from monitor.pipeline import FUTURE_LIMIT, Source, TurnReport
from monitor.rounds import Rounds
from monitor.scheduler import Scheduler
from monitor.storage.records import SourceState
from monitor.vitals import PULSE, Vitals, give_memory_back, keep_memory_small

DRAIN_SECONDS = 8.0
OUTBOX_SECONDS = 15.0
STAMP_SECONDS = 60.0
PICTURE_SECONDS = 30.0
READER_SECONDS = 60.0
CLOCK_SECONDS = 5.0
STAGGER = timedelta(milliseconds=150)
RETRY_KEEPING = timedelta(minutes=1)
RETRY_STOPPED = timedelta(hours=6)
VAULT_LEFTOVERS = timedelta(hours=1)
MIDNIGHT = time(0, 0, 30)
RETENTION_AT = time(2, 40)


class Installation(Protocol):
    """What the daemon needs of the composition root (`monitor.app.App`)."""

    config: Config
    clock: Clock

    @property
    def rounds(self) -> Rounds:
        """The service without its schedule."""
        ...

    def apply(self, config: Config, why: str) -> None:
        """Put a config in force."""
        ...

    def record_config(self, why: str) -> None:
        """Seal that the config or the roster changed, if it did."""
        ...

    def reread(self) -> Config:
        """The config as its file says now."""
        ...

    def with_fresh_staff(self) -> Config | None:
        """The config with changed staff files read again; None where none changed."""
        ...


class AlreadyRunningError(StaffMentionsError):
    """Another service holds this data directory."""


@dataclass
class Daemon:
    """One run of the service."""

    app: Installation
    _scheduler: Scheduler = field(default_factory=Scheduler)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _turns: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    _parts: set[asyncio.Task[Any]] = field(default_factory=set)
    _vitals: Vitals = field(init=False)

    @property
    def _rounds(self) -> Rounds:
        return self.app.rounds

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain.

        Raises:
            AlreadyRunningError: when another process serves the same data directory.
        """
        keep_memory_small()
        directory = self.app.config.engine.data_dir
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with the_only_one(directory):
            self._vitals = Vitals(
                store=self._rounds.store,
                clock=self.app.clock,
                directory=directory,
                started_at=self.app.clock.now(),
                watched=lambda: frozenset(self._rounds.sources),
                stamper=lambda: self._rounds.stamper,
                reader=lambda: self._rounds.reader,
                picturing=lambda: self._rounds.picturing,
            )
            self._hear_signals()
            await self._begin()
            watched = len(self._rounds.sources)
            notify("READY=1", f"STATUS=watching {watched} sources")
            logger.bind(version=__version__, sources=watched).info("service.ready")
            await self._stop.wait()
            await self._drain()

    # --- beginning ------------------------------------------------------------------------------

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start("reload", self._reload()))

    async def _begin(self) -> None:
        rounds, now = self._rounds, self.app.clock.now()
        await asyncio.to_thread(self.app.record_config, "the service started")
        await asyncio.to_thread(rounds.store.outbox.recover, at=now)
        await asyncio.to_thread(rounds.pipeline.vault.sweep, now - VAULT_LEFTOVERS)
        await asyncio.to_thread(self._self_test)
        self._vitals.pulse()
        await self._vitals.ping()
        self._scheduler.start()
        self._plan_rounds()
        # What a crash left between accept and judge comes first.
        self._start("judging what was left", rounds.judge())
        self._start("erasures cut short", asyncio.to_thread(rounds.settle))
        self._start("a digest that is late", asyncio.to_thread(rounds.missed_digest))
        for name, part in (
            ("sending", self._send_until_stopped()),
            ("time-stamps", self._stamp_until_stopped()),
            ("watching the clock", self._watch_clock()),
            ("answering the watchdog", self._answer_watchdog()),
        ):
            self._start(name, part, standing=True)
        self._start("second opinions", self._reread_until_stopped())
        self._start("pictures", self._picture_until_stopped())
        self._plan_sources()
        await asyncio.to_thread(self._vitals.write)

    def _start(self, name: str, work: Coroutine[Any, Any, Any], *, standing: bool = False) -> None:
        """Run a part of the service; one that should stand and ends is a fault that is shown."""
        task = asyncio.create_task(work, name=name)
        self._parts.add(task)

        def ended(done: asyncio.Task[Any]) -> None:
            self._parts.discard(done)
            error = None if done.cancelled() else done.exception()
            if error is not None:
                logger.opt(exception=error).bind(part=name).critical("part.crashed")
            if standing and not self._stop.is_set():
                self._vitals.ended_parts += (name,)

        task.add_done_callback(ended)

    def _self_test(self) -> None:
        """Load the grader and let it grade known texts; where it differs, distrust it aloud."""
        judge, vitals = self._rounds.pipeline.judge, self._vitals
        today = self.app.clock.now().date().isoformat()
        try:
            grader = judge.grader()
            vitals.grader_name, vitals.grader_trouble = grader.name, grader.self_test()
        except GradingError as error:
            vitals.grader_trouble = (str(error),)
            self._rounds.tell_operator(OperatorEvent.GRADER_MISSING, key=today, detail=str(error))
            return
        judge.distrust = bool(vitals.grader_trouble)
        if vitals.grader_trouble:
            self._rounds.tell_operator(
                OperatorEvent.SELF_TEST_FAILED,
                key=f"{grader.name}:{today}",
                detail="; ".join(vitals.grader_trouble),
            )

    # --- the schedule ---------------------------------------------------------------------------

    def _plan_rounds(self) -> None:
        """Lay every round; a second call, after a reload, replaces the first."""
        config, every = self.app.config, self._scheduler.every
        hours = timedelta(hours=config.evidence.checkpoint_every_hours)
        every("pulse", PULSE, self._beat)
        every("escalate", timedelta(minutes=1), self._rounds.escalate)
        every("channels", timedelta(minutes=1), self._look_at_channels)
        every("judge", timedelta(minutes=1), self._rounds.judge)
        every("staff-files", timedelta(minutes=1), self._reread_staff)
        every("status", timedelta(seconds=30), lambda: asyncio.to_thread(self._vitals.write))
        every("checkpoint", hours, self._checkpoint)
        daily, zone = self._scheduler.daily, config.zone
        daily("digest", config.alerts.digest_at, zone, self._digest)
        daily("retention", RETENTION_AT, zone, lambda: asyncio.to_thread(self._rounds.retain))
        daily("witnesses", config.alerts.digest_at, zone, self._tell_witnesses)
        daily("new-day", MIDNIGHT, zone, self._new_day)

    def _plan_sources(self) -> None:
        """Ask every source when it is due; those overdue at once, a moment apart."""
        states = {state.name: state for state in self._rounds.store.sources.states()}
        now = self.app.clock.now()
        for number, source in enumerate(self._rounds.sources.values()):
            if isinstance(source.connector, Streamer):
                self._listen_to(source)
                continue
            state = states.get(source.info.name)
            self._plan_turn(source, _due(state, now) or now + number * STAGGER)

    def _plan_turn(self, source: Source, due: datetime) -> None:
        self._scheduler.once(f"turn:{source.info.name}", due, lambda: self._turn(source))

    def _is_current(self, source: Source) -> bool:
        """Whether this source is still in force: a reload replaces every one."""
        return not self._stop.is_set() and self._rounds.sources.get(source.info.name) is source

    async def _turn(self, source: Source) -> None:
        if not self._is_current(source):
            return
        name = source.info.name
        task = asyncio.create_task(self._rounds.turn(source), name=f"turn:{name}")
        self._turns[name] = task
        report, began = None, self.app.clock.now()
        try:
            report = await task
        except (SQLAlchemyError, OSError) as error:
            # Kept is kept: what could not be judged or told now is done by the next round.
            logger.bind(source=name, error=type(error).__name__).error("turn.unfinished")
        finally:
            # Whatever happened, the source is asked again.
            self._turns.pop(name, None)
            self._vitals.pulse()
            if self._is_current(source):
                self._plan_turn(source, self._next_turn(report, began))

    def _next_turn(self, report: TurnReport | None, began: datetime) -> datetime:
        now = self.app.clock.now()
        # Where the clock went back meanwhile, the report's plan is of a time that is far ahead.
        if report is None or now < began:
            return now + RETRY_KEEPING
        if report.state is not None and report.state.stopped:
            # A person was told; asking now and then costs nobody anything and may find it mended.
            return now + RETRY_STOPPED
        return report.next_due_at or now + RETRY_KEEPING

    def _listen_to(self, source: Source) -> None:
        name = source.info.name
        running = self._turns.pop(name, None)
        if running is not None:
            running.cancel()
        self._turns[name] = asyncio.create_task(self._listen(source), name=f"stream:{name}")

    async def _listen(self, source: Source) -> None:
        while self._is_current(source):
            began = self.app.clock.now()
            report = await self._rounds.listen(source)
            wait = self._next_turn(report, began) - self.app.clock.now()
            await self._rest(max(1.0, wait.total_seconds()))

    async def _digest(self) -> None:
        await asyncio.to_thread(self._rounds.digest)
        self._rounds.wake_outbox.set()

    async def _tell_witnesses(self) -> None:
        await asyncio.to_thread(self._rounds.tell_witnesses)
        self._rounds.wake_outbox.set()
        self._rounds.wake_stamps.set()

    async def _checkpoint(self) -> None:
        await asyncio.to_thread(self._rounds.checkpoint)
        self._rounds.wake_stamps.set()

    async def _stamp_until_stopped(self) -> None:
        """Have every checkpoint stamped, at once where one is new; back-off is the stamper's."""
        rounds = self._rounds
        while not self._stop.is_set():
            rounds.wake_stamps.clear()
            try:
                await rounds.stamp()
            except (SQLAlchemyError, OSError) as error:
                logger.bind(error=type(error).__name__).error("stamps.failed")
            await self._rest(STAMP_SECONDS, rounds.wake_stamps)

    async def _reread_until_stopped(self) -> None:
        """Ask for second opinions; they are a help, and no fault of theirs is the service's."""
        rounds = self._rounds
        while not self._stop.is_set():
            rounds.wake_reader.clear()
            try:
                await rounds.reread()
            except (SQLAlchemyError, OSError, StaffMentionsError, ValueError, LookupError) as error:
                logger.bind(error=type(error).__name__).error("opinions.failed")
                if rounds.reader is not None:
                    rounds.reader.trouble = fault(error)
            await self._rest(READER_SECONDS, rounds.wake_reader)

    async def _picture_until_stopped(self) -> None:
        """Have pages pictured, behind everything else; a fault of it is shown and waited for."""
        while not self._stop.is_set():
            try:
                await self._rounds.picture()
            except (SQLAlchemyError, OSError, StaffMentionsError, ValueError, LookupError) as error:
                logger.bind(error=type(error).__name__).error("pictures.failed")
                if self._rounds.picturing is not None:
                    self._rounds.picturing.trouble = fault(error)
            await self._rest(PICTURE_SECONDS, asyncio.Event())

    async def _look_at_channels(self) -> None:
        held_up = await asyncio.to_thread(self._vitals.held_up)
        await asyncio.to_thread(self._rounds.tell_of_channels, held_up)

    async def _beat(self) -> None:
        self._vitals.pulse()
        await asyncio.to_thread(give_memory_back)
        await self._vitals.ping()

    # --- sending --------------------------------------------------------------------------------

    async def _send_until_stopped(self) -> None:
        """Send whatever becomes due; a database that is away for a while does not end this."""
        rounds = self._rounds
        while not self._stop.is_set():
            rounds.wake_outbox.clear()
            wait = OUTBOX_SECONDS
            try:
                await rounds.outbox.send_due()
                due = await asyncio.to_thread(rounds.outbox.next_due)
                if due is not None:
                    wait = min(wait, max(0.2, (due - self.app.clock.now()).total_seconds()))
            except (SQLAlchemyError, OSError, StaffMentionsError) as error:
                logger.bind(error=type(error).__name__).error("outbox.failed")
            await self._rest(wait, rounds.wake_outbox)

    async def _rest(self, seconds: float, *alarms: asyncio.Event) -> None:
        """Wait so long, or until the service stops or an alarm rings."""
        bells = [asyncio.create_task(event.wait()) for event in (self._stop, *alarms)]
        await asyncio.wait(bells, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for bell in bells:
            bell.cancel()

    # --- a change of config ---------------------------------------------------------------------

    async def _new_day(self) -> None:
        """Watching begins and ends with days: put the same config in force for the new one."""
        await self._put_in_force(self.app.config, "a new day")

    async def _reread_staff(self) -> None:
        try:
            fresh = await asyncio.to_thread(self.app.with_fresh_staff)
        except ConfigError as error:
            await self._refuse(error)
            return
        if fresh is not None:
            await self._put_in_force(fresh, "a staff file changed")

    async def _reload(self) -> None:
        notify("RELOADING=1", f"MONOTONIC_USEC={self.app.clock.monotonic() * 1_000_000:.0f}")
        try:
            fresh = await asyncio.to_thread(self.app.reread)
        except ConfigError as error:
            await self._refuse(error)
        else:
            await self._put_in_force(fresh, "reloaded by signal")
        notify("READY=1")

    async def _put_in_force(self, fresh: Config, why: str) -> None:
        self._vitals.config_trouble = ()
        for name in self._rounds.sources:
            self._scheduler.cancel(f"turn:{name}")
        await asyncio.to_thread(self.app.apply, fresh, why)
        self._plan_rounds()
        self._plan_sources()
        self._rounds.wake_outbox.set()
        logger.bind(why=why, sources=len(self._rounds.sources)).info("config.in_force")
        await asyncio.to_thread(self._vitals.write)

    async def _refuse(self, error: ConfigError) -> None:
        """Keep the config that works; say what is wrong with the other, and tell a person."""
        self._vitals.config_trouble = tuple(str(problem) for problem in error.problems)
        for problem in self._vitals.config_trouble:
            logger.bind(problem=problem).error("config.refused")
        await asyncio.to_thread(self._vitals.write)

    # --- the clock and the watchdog -------------------------------------------------------------

    async def _watch_clock(self) -> None:
        """Plan anew when the wall clock was set: every trigger hangs on it."""
        while not self._stop.is_set():
            await self._rest(CLOCK_SECONDS)
            try:
                moved = await asyncio.to_thread(self._vitals.clock_step)
                if not moved:
                    continue
                if moved < 0:
                    await asyncio.to_thread(self._clock_went_back, -moved)
            except (SQLAlchemyError, OSError) as error:
                logger.bind(error=type(error).__name__).error("clock.unsealed")
            self._scheduler.again()
            self._plan_sources()
            self._rounds.wake_outbox.set()

    def _clock_went_back(self, seconds: float) -> None:
        self._rounds.store.outbox.hurry(at=self.app.clock.now())
        self._rounds.tell_operator(
            OperatorEvent.CLOCK_WENT_BACK,
            key=self.app.clock.now().isoformat(),
            detail=f"by {seconds:.0f} seconds",
        )

    async def _answer_watchdog(self) -> None:
        """Answer for as long as the work really goes on: a hung service is started again."""
        interval = watchdog_interval() or timedelta(seconds=10)
        while not self._stop.is_set():
            trouble = self._vitals.trouble()
            if trouble:
                logger.bind(trouble=trouble).critical("service.unwell")
            else:
                notify("WATCHDOG=1")
            await self._rest(interval.total_seconds())

    # --- the end --------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """End within ten seconds: let turns and mails finish, then leave the rest as rows."""
        notify("STOPPING=1")
        logger.bind(turns=len(self._turns)).info("service.draining")
        self._scheduler.stop()
        running = [task for task in (*self._turns.values(), *self._parts) if not task.done()]
        if running:
            _done, late = await asyncio.wait(running, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=0.5)
        await asyncio.to_thread(self._rounds.checkpoint)
        await asyncio.to_thread(self._vitals.write, "stopped")
        logger.info("service.stopped")


def _due(state: SourceState | None, now: datetime) -> datetime | None:
    """When a source is to be asked; None where it is overdue, or where no clock can be trusted.

    A source that was asked in the future, or is due beyond every wait, was planned by a clock that
    has since gone back: by its plan nobody would look there for as long as the clock went back.
    """
    if state is None or state.stopped or state.next_due_at is None:
        return None
    if state.last_attempt_at is not None and state.last_attempt_at > now:
        return None
    return state.next_due_at if now < state.next_due_at <= now + FUTURE_LIMIT else None


@contextmanager
def the_only_one(directory: Path) -> Iterator[None]:
    """Hold the data directory for one service."""
    with (directory / "service.lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"another staff-mentions is running on {directory}; stop it first"
            ) from error
        yield
