"""What every command shares: the config option, output as table or JSON lines, errors, logging."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from loguru import logger

from monitor.errors import ConfigError, StaffMentionsError

FAILED = 1
WRONG_USE = 2
DEFAULT_PATHS = (Path("config.toml"), Path("/etc/staff-mentions/config.toml"))

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The config file; ./config.toml or /etc/staff-mentions/config.toml if not given.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
ByOption = Annotated[
    str,
    typer.Option("--by", help="Who does this; your user name if not given.", show_default=False),
]


def config_path(given: Path | None) -> Path:
    """The config file to use; ends the command where there is none."""
    if given is not None:
        return given
    for path in DEFAULT_PATHS:
        # A folder that may not be entered holds no config of ours.
        with suppress(PermissionError):
            if path.exists():
                return path
    places = " and ".join(str(path) for path in DEFAULT_PATHS)
    complain(f"no config file: looked for {places}. Make one with: staff-mentions init")
    raise typer.Exit(WRONG_USE)


def who(given: str) -> str:
    """The name that goes into the log beside what was done."""
    return given or getpass.getuser()


def complain(text: str) -> None:
    """Say what is wrong, on standard error."""
    typer.echo(text, err=True)


def report_error(error: StaffMentionsError) -> int:
    """Print an error of ours; the exit status that fits it."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            complain(str(problem))
        count = len(error.problems)
        complain(f"{count} problem{'s' if count > 1 else ''}: nothing was started.")
        return WRONG_USE
    complain(str(error))
    return FAILED


def say(row: Mapping[str, Any], *, as_json: bool, text: str) -> None:
    """Print one thing, as JSON or as words."""
    typer.echo(json.dumps(row, ensure_ascii=False, default=str) if as_json else text)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows, as JSON lines or as a table; control characters of posts are made visible."""
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False, default=str))
        return
    if not rows:
        typer.echo("nothing to list")
        return
    from rich.console import Console  # noqa: PLC0415 - slow import, for people only
    from rich.table import Table  # noqa: PLC0415 - likewise
    from rich.text import Text  # noqa: PLC0415 - likewise

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        shown.add_row(*(Text(inert(str(row.get(column, "")))) for column in columns))
    Console(soft_wrap=False).print(shown)


def inert(text: str) -> str:
    """`text` without anything that could drive a terminal or turn its direction."""
    return "".join(
        letter if letter in "\n\t" or letter.isprintable() else f"\\u{ord(letter):04x}"
        for letter in text
    )


def log_to_stderr(*, verbose: bool = False) -> None:
    """Log events for a person at a terminal or for journald; never a traceback's local values."""
    logger.remove()
    logger.add(
        sys.stderr,
        level="DEBUG" if verbose else "INFO",
        format="{time:YYYY-MM-DD HH:mm:ss.SSSZZ} {level: <8} {message} {extra}",
        diagnose=False,
        backtrace=False,
    )


def quiet() -> None:
    """Commands print their own words: of the log only errors pass."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR", format="{message} {extra}", diagnose=False)
