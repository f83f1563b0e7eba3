"""A wall clock that can be moved, in a process of its own: `python -m tests.e2e.moved_clock`.

    python -m tests.e2e.moved_clock MOMENT WORD…

does what `staff-mentions WORD…` does, by its real entry point, on a machine whose clock shows
MOMENT (ISO 8601, aware) at the start and goes on from there. The real clock of a machine is not a
test's to set, so everything in this process that asks for the wall time, APScheduler included, is
given another; the program knows of none of it, and the monotonic clock stays the machine's.
"""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.cron
import apscheduler.triggers.interval

import monitor.clock
from monitor.cli import main

_TOLD: tuple[Any, ...] = (
    apscheduler.executors.base,
    apscheduler.schedulers.base,
    apscheduler.triggers.cron,
    apscheduler.triggers.interval,
    monitor.clock,
)
_moved_by = dt.timedelta()


class MovedDatetime(dt.datetime):
    """A `datetime` whose `now` is not the machine's."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.now(tz) + _moved_by


def move(by: dt.timedelta) -> None:
    """Move the wall clock of this process, from where it stands."""
    global _moved_by  # noqa: PLW0603 - one clock a process, as in life
    _moved_by += by
    for module in _TOLD:
        assert hasattr(module, "datetime"), f"{module.__name__} tells the time in another way"
        module.datetime = MovedDatetime


if __name__ == "__main__":
    move(dt.datetime.fromisoformat(sys.argv[1]) - dt.datetime.now(dt.UTC))
    sys.argv = ["staff-mentions", *sys.argv[2:]]
    main()
