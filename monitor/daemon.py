"""The service in the foreground: signals, readiness, watchdog, reload and draining."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any, Protocol

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor import __version__
from monitor.cases.views import OperatorEvent
from monitor.clock import Clock
from monitor.config.schema import Config
from monitor.errors import ConfigError, GradingError
from monitor.lock import the_only_one
from monitor.notify import notify, watchdog_interval
from monitor.rounds import Rounds
from monitor.scheduler import Scheduler
from monitor.standing import Standing, rest
from monitor.turns import Turns
from monitor.vitals import PULSE, Vitals, give_memory_back, keep_memory_small

DRAIN_SECONDS = 8.0
CLOCK_SECONDS = 5.0
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


@dataclass
class Daemon:
    """One run of the service."""

    app: Installation
    _scheduler: Scheduler = field(default_factory=Scheduler)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _parts: set[asyncio.Task[Any]] = field(default_factory=set)
    _vitals: Vitals = field(init=False)
    _turns: Turns = field(init=False)

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
            self._vitals = self._make_vitals(directory)
            self._turns = Turns(
                self._rounds, self._scheduler, self._vitals, self.app.clock, self._stop
            )
            self._hear_signals()
            await self._begin()
            watched = len(self._rounds.sources)
            notify("READY=1", f"STATUS=watching {watched} sources")
            logger.bind(version=__version__, sources=watched).info("service.ready")
            await self._stop.wait()
            await self._drain()

    # --- beginning ------------------------------------------------------------------------------

    def _make_vitals(self, directory: Path) -> Vitals:
        """The state of this run; a reload replaces what it asks for, so it asks each time."""
        return Vitals(
            store=self._rounds.store,
            clock=self.app.clock,
            directory=directory,
            started_at=self.app.clock.now(),
            watched=lambda: frozenset(self._rounds.sources),
            stamper=lambda: self._rounds.stamper,
            reader=lambda: self._rounds.reader,
            picturing=lambda: self._rounds.picturing,
        )

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
        await asyncio.to_thread(self._tell_of_a_fall)
        self._vitals.pulse()
        await self._vitals.ping()
        self._scheduler.start()
        self._plan_rounds()
        # What a crash left between accept and judge comes first.
        self._start("judging what was left", rounds.judge())
        self._start("erasures cut short", asyncio.to_thread(rounds.settle))
        self._start("a digest that is late", asyncio.to_thread(rounds.missed_digest))
        # A backup is restored and a key changed while the service is down: this is the moment.
        self._start("telling witnesses", self._tell_witnesses(only_events=True))
        parts = Standing(rounds, self.app.clock, self._stop)
        for name, part in (
            ("sending", parts.send()),
            ("time-stamps", parts.stamp()),
            ("watching the clock", self._watch_clock()),
            ("answering the watchdog", self._answer_watchdog()),
        ):
            self._start(name, part, standing=True)
        self._start("second opinions", parts.reread())
        self._start("pictures", parts.picture())
        self._turns.plan()
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

    def _tell_of_a_fall(self) -> None:
        """Say that the run before this one ended without being stopped; once a day at most."""
        heard = self._vitals.last_word()
        if heard is None:
            return
        now = self.app.clock.now()
        away = max(0.0, (now - heard).total_seconds())
        logger.bind(seconds=round(away)).warning("service.came_back")
        self._rounds.tell_operator(
            OperatorEvent.ENDED_UNASKED,
            key=now.date().isoformat(),
            detail=f"it was last heard of {away / 60:.0f} minutes before it came back",
            since=heard,
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

    async def _digest(self) -> None:
        await asyncio.to_thread(self._rounds.digest)
        self._rounds.wake_outbox.set()

    async def _tell_witnesses(self, *, only_events: bool = False) -> None:
        await asyncio.to_thread(self._rounds.tell_witnesses, only_events=only_events)
        self._rounds.wake_outbox.set()
        self._rounds.wake_stamps.set()

    async def _checkpoint(self) -> None:
        await asyncio.to_thread(self._rounds.checkpoint)
        self._rounds.wake_stamps.set()

    async def _look_at_channels(self) -> None:
        held_up = await asyncio.to_thread(self._vitals.held_up)
        await asyncio.to_thread(self._rounds.tell_of_channels, held_up)

    async def _beat(self) -> None:
        self._vitals.pulse()
        await asyncio.to_thread(give_memory_back)
        await self._vitals.ping()

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
        self._turns.forget()
        await asyncio.to_thread(self.app.apply, fresh, why)
        self._plan_rounds()
        self._turns.plan()
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
            await rest(self._stop, CLOCK_SECONDS)
            try:
                moved = await asyncio.to_thread(self._vitals.clock_step)
                if not moved:
                    continue
                if moved < 0:
                    await asyncio.to_thread(self._clock_went_back, -moved)
            except (SQLAlchemyError, OSError) as error:
                logger.bind(error=type(error).__name__).error("clock.unsealed")
            self._scheduler.again()
            self._turns.plan()
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
            await rest(self._stop, interval.total_seconds())

    # --- the end --------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """End within ten seconds: let turns and mails finish, then leave the rest as rows."""
        notify("STOPPING=1")
        logger.bind(turns=len(self._turns.running)).info("service.draining")
        self._scheduler.stop()
        running = [task for task in (*self._turns.running, *self._parts) if not task.done()]
        if running:
            _done, late = await asyncio.wait(running, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=0.5)
        await asyncio.to_thread(self._rounds.checkpoint)
        await asyncio.to_thread(self._vitals.write, "stopped")
        logger.info("service.stopped")
