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
from monitor.storage.records import StoredOpinion

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


def record_look(
    app: App,
    what: str,
    *,
    by: str,
    why: str,
    mention_entry: int | None = None,
    restricted: bool = False,
) -> None:
    """Keep that somebody looks at what is kept, before it is shown; an allegation needs a reason.

    `what` is public for ever: of one record it never says that it is an allegation.
    """
    if restricted and not why.strip():
        complain("allegations are shown only with a reason: add --why")
        raise typer.Exit(WRONG_USE)
    leaf = entries.access(
        at=app.clock.now(),
        what=what,
        mention_entry=mention_entry,
        by=who(by),
        why=why.strip(),
    )
    app.store.log.append([leaf])


def record_list(app: App, what: str, *, restricted: bool, by: str, why: str) -> None:
    """Keep that somebody looks at a list, before it is shown; that of allegations is another."""
    listed = f"restricted {what}" if restricted else what
    record_look(app, listed, restricted=restricted, by=by, why=why)


def demand_clearance(*, accused: bool, restricted: bool) -> None:
    """End the command where an allegation would be shown to somebody who did not ask for one."""
    if accused and not restricted:
        complain("this is about an allegation: add --restricted if you are cleared for it")
        raise typer.Exit(WRONG_USE)


def opinion_rows(opinions: tuple[StoredOpinion, ...]) -> list[dict[str, object]]:
    """What another model was told about a mention, word for word, and what it said."""
    return [
        {
            "asked_at": each.asked_at.isoformat(),
            "model": each.model,
            "server": each.server,
            "told": each.told,
            "answer": dict(each.found) if each.found is not None else "none yet",
            "log_entries": [each.asked_entry, each.given_entry],
        }
        for each in opinions
    ]


def short(moment: datetime) -> str:
    """A time as a table shows it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}"
