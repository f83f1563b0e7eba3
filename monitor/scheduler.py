"""APScheduler wiring, and nothing else: when a turn or a round is due.

APScheduler 3 drops a late tick after one second unless told otherwise, and its triggers read the
wall clock; so every job forgives lateness, and `again()` lays all of them anew when the clock was
set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from loguru import logger

Work = Callable[[], Awaitable[Any]]
Trigger = Callable[[], Any]
"""Makes a trigger that counts from the time that the clock shows when it is called."""

OVERLAP = 3
"""A job laid again under its name while it still runs (a reload) must not be dropped."""


@dataclass(slots=True)
class Scheduler:
    """Jobs by name: once at a time, every so often, or daily in the school's zone."""

    _scheduler: Any = field(
        default_factory=lambda: AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
    )
    _repeats: dict[str, tuple[Trigger, Work]] = field(default_factory=dict)

    def start(self) -> None:
        self._scheduler.add_listener(_failed, EVENT_JOB_ERROR)
        self._scheduler.start()

    def stop(self) -> None:
        """Begin nothing more; what runs is left to whoever drains it.

        APScheduler's own `shutdown` would cancel what runs, so it is only told to rest for ever.
        """
        self._scheduler.remove_all_jobs()
        self._scheduler.pause()

    def once(self, name: str, at: datetime, work: Work) -> None:
        """Do it at that time; a second call under the same name replaces the first."""
        trigger = DateTrigger(run_date=at, timezone=UTC)
        self._add(name, trigger, work, max_instances=OVERLAP)

    def cancel(self, name: str) -> None:
        if self._scheduler.get_job(name):
            self._scheduler.remove_job(name)

    def every(self, name: str, interval: timedelta, work: Work) -> None:
        """Do it again and again, first after one interval."""
        seconds = interval.total_seconds()
        # The trigger remembers the time at which it was made, so it is made anew each time.
        self._repeat(name, lambda: IntervalTrigger(seconds=seconds, timezone=UTC), work)

    def daily(self, name: str, at: time, zone: ZoneInfo, work: Work) -> None:
        """Do it once a day when a clock in that zone shows this time."""
        hour, minute, second = at.hour, at.minute, at.second
        self._repeat(
            name,
            lambda: CronTrigger(hour=hour, minute=minute, second=second, timezone=zone),
            work,
        )

    def again(self) -> None:
        """Lay every repeated job anew from the time that the clock shows now."""
        for name, (trigger, work) in self._repeats.items():
            self._add(name, trigger(), work)

    def _repeat(self, name: str, trigger: Trigger, work: Work) -> None:
        self._repeats[name] = (trigger, work)
        self._add(name, trigger(), work)

    def _add(self, name: str, trigger: Any, work: Work, *, max_instances: int = 1) -> None:
        async def run() -> None:
            # APScheduler awaits only what it can see to be `async def`, which a lambda is not.
            await work()

        self._scheduler.add_job(
            run, trigger, id=name, replace_existing=True, max_instances=max_instances
        )


def _failed(event: JobExecutionEvent) -> None:
    error = type(event.exception).__name__ if event.exception else "unknown"
    logger.bind(job=event.job_id, error=error).error("job.failed")
