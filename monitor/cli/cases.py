"""`case`: list, show, note, open, close."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from monitor.app import App
from monitor.cli.common import (
    FAILED,
    ByOption,
    ConfigOption,
    JsonOption,
    complain,
    inert,
    say,
    table,
    who,
)
from monitor.cli.records import (
    RestrictedOption,
    WhyOption,
    demand_clearance,
    opened,
    record_list,
    record_look,
    short,
)
from monitor.model import CaseState

case = typer.Typer(no_args_is_help=True, help="List and show cases, add notes, open and close.")


@case.command("list")
def list_cases(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """List the newest cases; allegations stand in a list of their own (--restricted)."""
    with opened(config) as app:
        record_list(app, "cases", restricted=restricted, by=by, why=why)
        rows = [
            {
                "number": each.reference,
                "state": each.state.value,
                "opened": short(each.opened_at),
                "mentions": len(each.mention_ids),
                "notes": len(each.notes),
            }
            for each in app.store.reading.cases()
            if each.restricted is restricted
        ]
    table(rows, ("number", "state", "opened", "mentions", "notes"), as_json=as_json)


@case.command("show")
def show_case(
    number: Annotated[str, typer.Argument(help="Such as SM-2026-0007.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """Show one case: its state, its mentions, its notes. That you looked is kept."""
    with opened(config) as app:
        found = app.store.reading.case(number)
        if found is None:
            _no_case(number)
        demand_clearance(accused=found.restricted, restricted=restricted)
        record_look(app, number, restricted=found.restricted, by=by, why=why)
    row = {
        "number": found.reference,
        "state": found.state.value,
        "opened": found.opened_at.isoformat(),
        "mentions": list(found.mention_ids),
        "notes": [
            f"{at.isoformat(timespec='seconds')} {name}: {text}" for at, name, text in found.notes
        ],
    }
    lines = (f"{name}: {inert(str(value))}" for name, value in row.items())
    say(row, as_json=as_json, text="\n".join(lines))


def _no_case(number: str) -> NoReturn:
    complain(f"there is no case {number}; numbers are like SM-2026-0007")
    raise typer.Exit(FAILED)


@case.command("note")
def note_case(
    number: Annotated[str, typer.Argument(help="Such as SM-2026-0007.")],
    text: Annotated[str, typer.Argument(help="What to keep.")],
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Add a note to a case; a note is never changed, a correction is another note."""
    with opened(config) as app:
        try:
            app.store.reading.note(number, by=who(by), text=text, at=app.clock.now())
        except KeyError:
            _no_case(number)
    typer.echo(f"noted on {number}")


@case.command("open")
def open_case(
    number: Annotated[str, typer.Argument(help="Such as SM-2026-0007.")],
    why: WhyOption,
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Take a proposed case up, or open a closed one again."""
    with opened(config) as app:
        found = app.store.reading.case(number)
        if found is None:
            _no_case(number)
        closed = found.state is CaseState.CLOSED
        _move_case(app, number, CaseState.REOPENED if closed else CaseState.OPEN, who(by), why)


@case.command("close")
def close_case(
    number: Annotated[str, typer.Argument(help="Such as SM-2026-0007.")],
    why: WhyOption,
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Close a case, with your reason."""
    with opened(config) as app:
        _move_case(app, number, CaseState.CLOSED, who(by), why)


def _move_case(app: App, number: str, state: CaseState, by: str, why: str) -> None:
    try:
        app.store.reading.move_case(number, state, by=by, why=why, at=app.clock.now())
    except KeyError:
        _no_case(number)
    typer.echo(f"{number} is {state.value}")
