"""What the commands over records share: opening an installation, and keeping who looked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import App
from monitor.cli.common import WRONG_USE, complain, config_path, quiet, who
from monitor.evidence import entries

RestrictedOption = Annotated[
    bool, typer.Option("--restricted", help="Allegations only; say --why. That you looked is kept.")
]
WhyOption = Annotated[str, typer.Option("--why", help="Why; it is kept in the log.")]


@contextmanager
def opened(config: Path | None) -> Iterator[App]:
    """An installation for the length of one command."""
    quiet()
    app = App.open(config_path(config))
    try:
        yield app
    finally:
        asyncio.run(app.aclose())


def record_restricted(app: App, what: str, *, restricted: bool, by: str, why: str) -> None:
    """Keep that somebody opens a list of allegations, before it is shown."""
    if not restricted:
        return
    if not why.strip():
        complain("allegations are shown only with a reason: add --why")
        raise typer.Exit(WRONG_USE)
    leaf = entries.access(
        at=app.clock.now(), what=f"restricted {what}", mention_entry=None, by=who(by), why=why
    )
    app.store.log.append([leaf])


def short(moment: datetime) -> str:
    """A time as a table shows it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}"
