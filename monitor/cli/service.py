"""`run`, `poll` and `status`: the service itself."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from monitor import statusfile
from monitor.app import App, read_config
from monitor.cli.common import (
    FAILED,
    WRONG_USE,
    ConfigOption,
    JsonOption,
    complain,
    config_path,
    log_to_stderr,
    quiet,
    say,
    table,
)
from monitor.clock import SystemClock
from monitor.daemon import Daemon
from monitor.pipeline import TurnReport

STALE = timedelta(minutes=3)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(run)
    app.command()(poll)
    app.command()(status)


def run(config: ConfigOption = None) -> None:
    """Run the service in the foreground until it is told to stop."""
    log_to_stderr()
    opened = App.open(config_path(config))
    asyncio.run(_serve(opened))
    # A mail server that hangs must not hold up the end: what is under way is a row by now.
    os._exit(0)


async def _serve(opened: App) -> None:
    try:
        await Daemon(opened).run()
    finally:
        await opened.aclose()


def poll(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Names of sources; all if none is given.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take one turn of each source now: poll, match, seal, grade, alert, send what is due."""
    quiet()
    opened = App.open(config_path(config))
    reports = asyncio.run(_poll(opened, sources or [], as_json=as_json))
    if reports is None:
        raise typer.Exit(WRONG_USE)
    if any(report.failed for report in reports):
        raise typer.Exit(FAILED)


async def _poll(opened: App, names: list[str], *, as_json: bool) -> list[TurnReport] | None:
    try:
        rounds = opened.rounds
        unknown = [name for name in names if name not in rounds.sources]
        if unknown:
            known = ", ".join(rounds.sources) or "none"
            complain(f"no source is called {', '.join(unknown)}; there are: {known}")
            return None
        opened.record_config("a turn by hand")
        chosen = [rounds.sources[name] for name in names or rounds.sources]
        reports = []
        for finished in asyncio.as_completed([rounds.turn(source) for source in chosen]):
            report = await finished
            reports.append(report)
            say(report_row(report), as_json=as_json, text=report_line(report))
        await rounds.judge()
        sent = await rounds.outbox.send_due()
        taken = sum(1 for each in sent if not each.error)
        row = {"messages_taken": taken, "messages_waiting": len(sent) - taken}
        say(row, as_json=as_json, text=f"messages: {taken} taken, {len(sent) - taken} not yet")
        return reports
    finally:
        await opened.aclose()


def report_row(report: TurnReport) -> dict[str, object]:
    """A turn as plain values."""
    return {
        "source": report.source,
        "fetched": report.fetched,
        "matched": report.matched,
        "fresh": report.fresh,
        "error": report.error,
    }


def report_line(report: TurnReport) -> str:
    """A turn in words."""
    if report.failed:
        return f"{report.source}: could not look: {report.error}"
    return (
        f"{report.source}: {report.fetched} posts read, {report.matched} mentions,"
        f" {report.fresh} of them new"
    )


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say how the service is now; exit 1 where something needs a person."""
    clock = SystemClock()
    settings = read_config(config_path(config), clock=clock)
    found = statusfile.read(settings.engine.data_dir)
    if found is None:
        complain(f"no status in {settings.engine.data_dir}: the service has not run there")
        raise typer.Exit(FAILED)
    trouble = troubles(found, now=clock.now())
    if as_json:
        say({**found, "trouble": trouble}, as_json=True, text="")
    else:
        _print_status(found, trouble)
    if trouble:
        raise typer.Exit(FAILED)


def troubles(found: dict[str, object], *, now: datetime) -> list[str]:
    """What in a status needs a person."""
    written = datetime.fromisoformat(str(found["written_at"])).astimezone(UTC)
    trouble = []
    if found["state"] != "running":
        trouble.append("the service is not running")
    elif now - written > STALE:
        trouble.append(f"the service has not been heard of since {found['written_at']}")
    for key in ("health", "grader_trouble", "config_trouble"):
        trouble += [str(each) for each in _list(found.get(key))]
    for source in _list(found.get("sources")):
        if isinstance(source, dict) and source["failures"]:
            stopped = "stopped: " if source["stopped"] else ""
            trouble.append(f"source {source['name']}: {stopped}{source['last_error']}")
    trouble += [
        f"channel {channel['name']}: nothing taken since {channel['since']}:"
        f" {channel['last_error']}"
        for channel in _list(found.get("channels"))
        if isinstance(channel, dict)
    ]
    trouble += [
        f"time-stamp authority {authority['name']}: {authority['last_error']};"
        f" {found.get('unstamped')} checkpoints wait for a stamp"
        for authority in _list(found.get("authorities"))
        if isinstance(authority, dict)
    ]
    if found.get("clock_synchronised") is False:
        trouble.append("the clock of this machine is not synchronised (timedatectl)")
    return trouble


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def helpers(found: dict[str, object]) -> list[str]:
    """How the helpers that may be switched on are; a fault of theirs needs nobody."""
    lines = []
    reader, pictures = found.get("second_opinion"), found.get("pictures")
    if isinstance(reader, dict) and reader:
        heard = f"answered last {reader['answered_at'] or 'not yet'}"
        lines.append(f"second opinion: {reader['model']}, {reader['last_error'] or heard}")
    if isinstance(pictures, dict) and pictures:
        trouble = pictures["last_error"] or "no trouble"
        lines.append(f"pictures of pages: {pictures['hosts']}; {trouble}")
    return lines


def _print_status(found: dict[str, object], trouble: list[str]) -> None:
    typer.echo(f"staff-mentions {found['version']}, {found['state']}, process {found['pid']}")
    typer.echo(f"since {found['started_at']}, as of {found['written_at']}")
    counts = found["counts"]
    assert isinstance(counts, dict)
    typer.echo(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items()))
    typer.echo(f"log: {found['log_size']} entries, signed {found['last_checkpoint_at'] or 'never'}")
    waiting = found.get("unstamped")
    if waiting:
        typer.echo(f"log: {waiting} checkpoints wait for a time-stamp")
    for line in helpers(found):
        typer.echo(line)
    rows = [source for source in _list(found["sources"]) if isinstance(source, dict)]
    table(rows, ("name", "last_success_at", "failures", "polls", "matched", "note"), as_json=False)
    for each in trouble:
        typer.echo(f"! {each}")
    if not trouble:
        typer.echo("all is well")
