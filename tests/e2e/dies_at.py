"""Runs one turn of every source in a process that kills itself at a named boundary.

    python dies_at.py CONFIG BOUNDARY

The boundary is reached by wrapping the real objects of the program from outside; the program itself
knows nothing of it. `none` lets the turn end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loguru import logger
from sqlalchemy import event

from monitor.app import App

BOUNDARIES = (
    "before the vault",
    "after the vault",
    "inside the accept commit",
    "after the accept commit",
    "inside the judge commit",
    "after the first judge commit",
    "before the checkpoint",
    "after the checkpoint",
    "inside the begin commit",
    "after the begin commit",
    "while the server has the mail",
    "after the mail was taken",
    "inside the settle commit",
    "after the settle commit",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def around(owner: Any, name: str, *, before: bool = False, after: bool = False) -> None:
    """Die before or after the method `name` of `owner` does its work."""
    real: Callable[..., Any] = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before:
            die()
        result = real(*arguments, **named)
        if after:
            die()
        return result

    setattr(owner, name, wrapped)


def inside(app: App, owner: Any, name: str) -> None:
    """Die at the commit of the transaction that `name` opens: all is written, nothing is kept."""
    real: Callable[..., Any] = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        engine = app.store._database.engine
        event.listen(engine, "commit", lambda _connection: die())
        return real(*arguments, **named)

    setattr(owner, name, wrapped)


def arm(app: App, boundary: str) -> None:
    """Make the process die at that boundary; the mail server of the test kills for one of them."""
    store, vault = app.store, type(app.vault)
    _ = app.rounds  # the objects must exist before they are wrapped
    arms: dict[str, Callable[[], None]] = {
        "before the vault": lambda: around(vault, "put", before=True),
        "after the vault": lambda: around(vault, "put", after=True),
        "inside the accept commit": lambda: inside(app, store.sources, "accept"),
        "after the accept commit": lambda: around(store.sources, "accept", after=True),
        "inside the judge commit": lambda: inside(app, store.judging, "judge"),
        "after the first judge commit": lambda: around(store.judging, "judge", after=True),
        "before the checkpoint": lambda: around(store.log, "checkpoint", before=True),
        "after the checkpoint": lambda: around(store.log, "checkpoint", after=True),
        "inside the begin commit": lambda: inside(app, store.outbox, "begin"),
        "after the begin commit": lambda: around(store.outbox, "begin", after=True),
        "while the server has the mail": lambda: None,
        "after the mail was taken": lambda: around(store.outbox, "settle", before=True),
        "inside the settle commit": lambda: inside(app, store.outbox, "settle"),
        "after the settle commit": lambda: around(store.outbox, "settle", after=True),
        "none": lambda: None,
    }
    arms[boundary]()


async def turn(config: Path, boundary: str) -> None:
    app = App.open(config)
    arm(app, boundary)
    rounds = app.rounds
    rounds.store.outbox.recover(at=app.clock.now())
    await rounds.judge()
    for source in rounds.sources.values():
        await rounds.turn(source)
    rounds.checkpoint()
    # A retry is due at once here, since no test waits for a back-off.
    rounds.outbox.jitter = lambda: 0.0
    await rounds.outbox.send_due()
    await app.aclose()


if __name__ == "__main__":
    logger.remove()
    asyncio.run(turn(Path(sys.argv[1]), sys.argv[2]))
