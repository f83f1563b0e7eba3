"""Runs the service in a process whose wall clock goes back by an hour at each SIGUSR1.

    python clock_set.py CONFIG

The real clock of a machine is not a test's to set, so everything in this process that asks for the
wall time, APScheduler included, is given one that can be; the monotonic clock stays the machine's.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
import sys
from pathlib import Path
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.cron
import apscheduler.triggers.interval

import monitor.clock
from monitor.app import App
from monitor.cli.common import log_to_stderr
from monitor.daemon import Daemon

STEP = dt.timedelta(hours=1)
_set_by = dt.timedelta()


class SettableDatetime(dt.datetime):
    """A `datetime` whose `now` can be set back."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.now(tz) + _set_by


def go_back() -> None:
    global _set_by  # noqa: PLW0603 - one clock a process, as in life
    _set_by -= STEP


async def serve(config: Path) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go_back)
    app = App.open(config)
    try:
        await Daemon(app).run()
    finally:
        await app.aclose()


if __name__ == "__main__":
    told: tuple[Any, ...] = (
        apscheduler.executors.base,
        apscheduler.schedulers.base,
        apscheduler.triggers.cron,
        apscheduler.triggers.interval,
        monitor.clock,
    )
    for module in told:
        assert hasattr(module, "datetime"), f"{module.__name__} tells the time in another way"
        module.datetime = SettableDatetime
    log_to_stderr()
    asyncio.run(serve(Path(sys.argv[1])))
