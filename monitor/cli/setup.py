"""`init`, `check`, `migrate` and `demo`: getting started, and seeing that all is well."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import App, open_key, read_config
from monitor.checkup import Finding, Level, checkup, closing
from monitor.cli.common import (
    FAILED,
    WRONG_USE,
    ConfigOption,
    JsonOption,
    complain,
    config_path,
    inert,
    quiet,
    say,
)
from monitor.clock import SystemClock
from monitor.config.write import Answers, MailServer, Named, StaffAnswer, example_config
from monitor.storage import schema

MARGIN = 9  # characters, for the level of a finding
WIDEST = 100  # characters a line


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(init)
    app.command()(check)
    app.command()(migrate)
    app.command()(demo)


# --- init -------------------------------------------------------------------------------------


def init(config: ConfigOption = None) -> None:
    """Ask a few questions; write a config, the database and the signing key."""
    path = config or Path("config.toml")
    if path.exists():
        complain(f"{path} is there already: change it with an editor, then run check")
        raise typer.Exit(WRONG_USE)
    typer.echo("A few questions; everything can be changed in the file afterwards.\n")
    text = example_config(_ask())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o640)
    typer.echo(f"\nwrote {path}")
    _prepare(path)
    typer.echo("Next: staff-mentions check, then staff-mentions run")


def _prepare(path: Path) -> None:
    settings = read_config(path, clock=SystemClock())
    _before, after = schema.migrate(settings.engine.connection_url())
    typer.echo(f"database at schema {after}: {settings.engine.database_url}")
    open_key(settings, log_is_empty=True)
    typer.echo(f"signing key: {settings.evidence.key_file} (keep a copy where only you reach it)")


def _ask() -> Answers:
    school = typer.prompt("Name of the school")
    aliases = _several("Short names people use for it, with commas (may be empty)")
    town = typer.prompt("Town", default="", show_default=False)
    head = _person("headteacher")
    second = _person("second person (chair of governors or trust)")
    administrator = _person("person who looks after this server")
    csv = typer.prompt(
        "Staff list as CSV file (empty: type names now)", default="", show_default=False
    )
    return Answers(
        school=school,
        aliases=aliases,
        town=town,
        headteacher=head,
        second_person=second,
        administrator=administrator,
        staff=() if csv else _staff(),
        staff_csv=Path(csv) if csv else None,
        feeds=_several("Addresses of feeds to read, with commas (may be empty)"),
        mail=_mail(administrator.email),
        data_dir=Path(typer.prompt("Where to keep the data", default="/var/lib/staff-mentions")),
    )


def _several(question: str) -> tuple[str, ...]:
    answer = typer.prompt(question, default="", show_default=False)
    return tuple(part.strip() for part in answer.split(",") if part.strip())


def _person(part: str) -> Named:
    name = typer.prompt(f"Name of the {part}")
    return Named(name, typer.prompt(f"E-mail of {name}"))


def _staff() -> tuple[StaffAnswer, ...]:
    typer.echo('Staff, one a line as "Mrs Ada Example"; an empty line ends the list.')
    found: list[StaffAnswer] = []
    while line := typer.prompt(f"{len(found) + 1}", default="", show_default=False).strip():
        first, _, rest = line.partition(" ")
        titled = first.rstrip(".").lower() in _TITLES and rest
        found.append(StaffAnswer(rest.strip(), first) if titled else StaffAnswer(line))
    return tuple(found)


_TITLES = {"mr", "mrs", "miss", "ms", "mx", "dr", "prof", "rev", "sir", "dame", "fr", "sr"}


def _mail(from_address: str) -> MailServer:
    host = typer.prompt("Mail server (SMTP)", default="localhost")
    security = typer.prompt("Its security: starttls, tls or none", default="starttls")
    if security not in ("starttls", "tls", "none"):
        complain("the security of a mail server is starttls, tls or none")
        raise typer.Exit(WRONG_USE)
    usual = {"starttls": 587, "tls": 465, "none": 25}[security]
    port = typer.prompt("Its port", default=usual, type=int)
    user = typer.prompt("User name there (empty for none)", default="", show_default=False)
    secret = typer.prompt("File that holds the password") if user else ""
    return MailServer(
        host=host,
        from_address=typer.prompt("Mails come from", default=from_address),
        port=port,
        security=security,
        user=user,
        password_file=Path(secret) if secret else None,
    )


# --- check and migrate ------------------------------------------------------------------------


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Validate the config, then try every source, channel, file and clock; say what to do."""
    quiet()
    path = config_path(config)
    settings = read_config(path, clock=SystemClock())
    if schema.is_empty(settings.engine.connection_url()):
        _prepare(path)
    found = asyncio.run(_checkup(path))
    # What must be mended comes last, where a terminal stops.
    order = list(Level)
    found.sort(key=lambda each: order.index(each.level))
    trouble = sum(1 for each in found if each.level is Level.TROUBLE)
    width = min(shutil.get_terminal_size().columns, WIDEST)
    for each in found:
        say(asdict(each), as_json=as_json, text=inert(_told(each, width)))
    if not as_json:
        typer.echo(f"\n{trouble} to mend" if trouble else "\nnothing to mend")
    if trouble:
        raise typer.Exit(FAILED)


def _told(finding: Finding, width: int) -> str:
    """A finding in lines of at most `width` characters: what it is, what was tried, what to do."""
    level = f"{finding.level.value:<{MARGIN}}"
    lines = [f"{finding.what}: {finding.found}", *finding.tried]
    if finding.to_do:
        lines.append(f"\u2192 {finding.to_do}")
    margin = " " * MARGIN
    wrapper = textwrap.TextWrapper(
        width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,  # an address or a path is copied whole
        break_on_hyphens=False,
    )
    return level + "\n".join(map(wrapper.fill, lines))[MARGIN:]


async def _checkup(path: Path) -> list[Finding]:
    async with closing(App.open(path)) as opened:
        return await checkup(opened)


def migrate(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Bring the database to this program's schema; make a backup first."""
    quiet()
    settings = read_config(config_path(config), clock=SystemClock())
    before, after = schema.migrate(settings.engine.connection_url())
    text = (
        f"the database is at schema {after} already"
        if before == after
        else f"the database went from {before or 'empty'} to schema {after}"
    )
    say({"before": before, "after": after}, as_json=as_json, text=text)


def demo(
    directory: Annotated[
        Path | None, typer.Option(help="Where to put it all; a new temporary folder if not given.")
    ] = None,
    pause: Annotated[
        bool, typer.Option("--keep", help="Keep the folder, to look around afterwards.")
    ] = False,
) -> None:
    """Show everything working, live, on this machine alone, with invented people."""
    from monitor.demo import show  # noqa: PLC0415 - only this command needs its servers

    raise typer.Exit(show(directory, keep=pause))
