"""Whether the service itself is well: its pulse, its database, the clock, and the status file."""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor import __version__, statusfile
from monitor.clock import Clock
from monitor.evidence import entries
from monitor.evidence.clockstate import clock_state
from monitor.opinion import SecondReader
from monitor.picturing import Picturing
from monitor.stamping import Stamper
from monitor.storage.records import HeldUp, SourceState
from monitor.storage.store import Store

PULSE = timedelta(seconds=15)
HELD_UP = timedelta(hours=1)
"""A channel that takes nothing for so long is no passing trouble."""
RUNNING = "running"
STEP_SECONDS = 2.0
"""A wall clock that moves by more than this against the monotonic one was set by somebody."""


@dataclass(slots=True)
class Vitals:
    """What is known of the service's own state; `daemon` keeps it up to date."""

    store: Store
    clock: Clock
    directory: Path
    started_at: datetime
    watched: Callable[[], frozenset[str]]
    stamper: Callable[[], Stamper | None] = lambda: None
    reader: Callable[[], SecondReader | None] = lambda: None
    picturing: Callable[[], Picturing | None] = lambda: None
    config_trouble: tuple[str, ...] = ()
    grader_trouble: tuple[str, ...] = ()
    grader_name: str = ""
    ended_parts: tuple[str, ...] = ()
    _last_pulse: float = field(init=False)
    _last_database: float = field(init=False)
    _wall: datetime = field(init=False)
    _steady: float = field(init=False)

    def __post_init__(self) -> None:
        self._last_pulse = self._last_database = self._steady = self.clock.monotonic()
        self._wall = self.clock.now()

    def pulse(self) -> None:
        """The schedule is alive: called by its jobs."""
        self._last_pulse = self.clock.monotonic()

    async def ping(self) -> None:
        """See that the database answers and can be written."""
        try:
            await asyncio.to_thread(self.store.ping)
        except (SQLAlchemyError, OSError) as error:
            logger.bind(error=type(error).__name__).error("database.unreachable")
            return
        self._last_database = self.clock.monotonic()

    def trouble(self) -> tuple[str, ...]:
        """What is wrong with the service itself; empty when it does its work."""
        now = self.clock.monotonic()
        found = [f"a part of the service has ended: {part}" for part in self.ended_parts]
        if now - self._last_pulse > 3 * PULSE.total_seconds():
            found.append("the schedule stands still")
        if now - self._last_database > 8 * PULSE.total_seconds():
            found.append("the database cannot be written")
        return tuple(found)

    def last_word(self) -> datetime | None:
        """When the run before this one was last heard of, where nobody had stopped it.

        To be asked before the first `write`, which says that this run is there.
        """
        found = statusfile.read(self.directory) or {}
        if found.get("state") != RUNNING:
            return None
        with suppress(TypeError, ValueError):
            heard = datetime.fromisoformat(found["written_at"])
            return heard if heard.tzinfo else None
        return None

    def clock_step(self) -> float:
        """Seconds by which the wall clock was set since the last call; 0.0 where it was not.

        A step is sealed in the log: times on both sides of it are not to be compared.
        """
        now, steady = self.clock.now(), self.clock.monotonic()
        moved = (now - self._wall).total_seconds() - (steady - self._steady)
        self._wall, self._steady = now, steady
        if abs(moved) < STEP_SECONDS:
            return 0.0
        logger.bind(seconds=round(moved, 1)).warning("clock.stepped")
        self.store.log.append([entries.clock_stepped(at=now, seconds=moved)])
        return moved

    def held_up(self) -> tuple[HeldUp, ...]:
        """The channels that have taken nothing for an hour although there was something to take."""
        return self.store.outbox.held_up(before=self.clock.now() - HELD_UP)

    def write(self, state: str = RUNNING) -> None:
        """Write the status file; a disk that is full must not end the service."""
        try:
            statusfile.write(self.directory, self._status(state))
        except (OSError, SQLAlchemyError) as error:
            logger.bind(error=type(error).__name__).error("status.unwritten")

    def _status(self, state: str) -> statusfile.Status:
        counts = self.store.reading.counts()
        watched, stamper = self.watched(), self.stamper()
        return statusfile.Status(
            pid=os.getpid(),
            version=__version__,
            started_at=_text(self.started_at),
            written_at=_text(self.clock.now()),
            state=state,
            grader=self.grader_name,
            grader_trouble=self.grader_trouble,
            config_trouble=self.config_trouble,
            health=self.trouble(),
            clock_synchronised=clock_state().synchronised,
            sources=tuple(
                _source(each) for each in self.store.sources.states() if each.name in watched
            ),
            channels=tuple(
                {"name": each.channel, "since": _text(each.since), "last_error": each.error}
                for each in self.held_up()
            ),
            counts={
                "posts": counts.posts,
                "mentions": counts.mentions,
                "waiting_for_grade": counts.waiting_for_grade,
                "ungraded": counts.ungraded,
                "outbox": counts.outbox,
            },
            log_size=counts.entries,
            last_checkpoint_at=_text(self.store.log.last_checkpoint_at()),
            second_opinion=_reader(self.reader()),
            pictures=_pictures(self.picturing()),
            unstamped=stamper.missing() if stamper else 0,
            authorities=tuple(
                {"name": each.authority, "last_error": each.error}
                for each in (stamper.troubles() if stamper else ())
            ),
        )


ARENAS = 2
_M_ARENA_MAX = -8
"""From malloc.h of the GNU C library."""


def keep_memory_small() -> None:
    """Let the C library share a few pools of memory among all threads.

    It would give each thread a pool of its own and keep what was freed there: after a few dozen
    grades in changing threads the service held 372 MB, and 244 MB with this. Other C libraries have
    no such pools, and nothing is done there.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def give_memory_back() -> None:
    """Return to the machine what is free in those pools."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _reader(reader: SecondReader | None) -> dict[str, str]:
    if reader is None:
        return {}
    return {
        "model": reader.given.model,
        "answered_at": _text(reader.answered_at),
        "last_error": reader.trouble,
    }


def _pictures(picturing: Picturing | None) -> dict[str, str]:
    if picturing is None:
        return {}
    return {"hosts": ", ".join(sorted(picturing.hosts)), "last_error": picturing.trouble}


def _source(state: SourceState) -> dict[str, Any]:
    return {
        "name": state.name,
        "kind": state.kind,
        "last_success_at": _text(state.last_success_at),
        "next_due_at": _text(state.next_due_at),
        "failures": state.failures,
        "last_error": state.last_error,
        "note": state.note,
        "stopped": state.stopped,
        "polls": state.polls,
        "fetched": state.fetched,
        "matched": state.matched,
    }


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
