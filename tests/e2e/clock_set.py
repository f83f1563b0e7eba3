"""Runs the service in a process whose wall clock goes back by an hour at each SIGUSR1.

python -m tests.e2e.clock_set CONFIG
"""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
import sys
from pathlib import Path

from monitor.app import App
from monitor.cli.common import log_to_stderr
from monitor.daemon import Daemon
from tests.e2e.moved_clock import move

STEP = dt.timedelta(hours=1)


async def serve(config: Path) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: move(-STEP))
    app = App.open(config)
    try:
        await Daemon(app).run()
    finally:
        await app.aclose()


if __name__ == "__main__":
    move(dt.timedelta())
    log_to_stderr()
    asyncio.run(serve(Path(sys.argv[1])))
