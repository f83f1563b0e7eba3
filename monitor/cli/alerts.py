"""`alert`: list, show, answer, test."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

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
from monitor.model import AlertKind, AlertState, Role

alert = typer.Typer(no_args_is_help=True, help="List alerts, answer one, send a test.")


@alert.command("list")
def list_alerts(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """List the newest alerts with what became of their messages; allegations apart."""
    with opened(config) as app:
        record_list(app, "alerts", restricted=restricted, by=by, why=why)
        rows = []
        for each in app.store.outbox.alerts():
            if (each.kind is AlertKind.ALLEGATION) is not restricted:
                continue
            sent = app.store.outbox.deliveries(each.id)
            rows.append(
                {
                    "id": each.id,
                    "kind": each.kind.value,
                    "case": each.reference,
                    "state": each.state.value,
                    "raised": short(each.raised_at),
                    "messages": ", ".join(f"{d.role.value} {d.state.value}" for d in sent),
                }
            )
    table(rows, ("id", "kind", "case", "state", "raised", "messages"), as_json=as_json)


@alert.command("show")
def show_alert(
    alert_id: Annotated[int, typer.Argument(help="Its number.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """Show the messages of one alert as they were sent. That you looked is kept before."""
    with opened(config) as app:
        if not app.store.outbox.deliveries(alert_id):
            complain(f"there is no alert {alert_id}")
            raise typer.Exit(FAILED)
        accused = app.store.guarding.alert(alert_id)
        demand_clearance(accused=accused, restricted=restricted)
        record_look(app, f"alert {alert_id}", restricted=accused, by=by, why=why)
        rows = [
            {
                "to": f"{d.recipient_name} <{d.recipient}>",
                "role": d.role.value,
                "state": d.state.value,
                "due": d.due_at.isoformat(timespec="seconds"),
                "attempts": d.attempts,
                "error": d.last_error,
                "answer": d.receipt,
                "subject": d.message.subject if d.message else "",
                "text": d.message.text if d.message else "",
            }
            for d in app.store.outbox.deliveries(alert_id)
        ]
    for row in rows:
        say(row, as_json=as_json, text="\n".join(f"{k}: {inert(str(v))}" for k, v in row.items()))


@alert.command("ack")
def acknowledge(
    alert_id: Annotated[int, typer.Argument(help="The code in the message.")],
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Say for a person that they have seen an alert; nobody else is then tried."""
    with opened(config) as app:
        alerts = app.store.outbox.alerts(limit=1_000_000)
        found = next((each for each in alerts if each.id == alert_id), None)
        if found is None:
            complain(f"there is no alert {alert_id}")
            raise typer.Exit(FAILED)
        if found.state is AlertState.ACKNOWLEDGED:
            already = f"alert {alert_id} was answered already, by {inert(found.answered_by)}"
            typer.echo(f"{already}; nothing changed")
            return
        app.store.escalation.acknowledge(alert_id, by=who(by), how="command", at=app.clock.now())
    typer.echo(f"alert {alert_id} is answered by {who(by)}")


@alert.command("test")
def send_test(
    role: Annotated[Role, typer.Argument(help="Whose message.")] = Role.HEADTEACHER,
    config: ConfigOption = None,
) -> None:
    """Send a test message, marked as one, to the person in that part."""
    with opened(config) as app:
        if not app.rounds.test_alert(role):
            complain(f"the config names nobody as {role.value} (see [tell])")
            raise typer.Exit(FAILED)
        sent = asyncio.run(app.rounds.outbox.send_due())
    for each in sent:
        typer.echo(each.error or f"taken: {each.delivery.receipt}")
    if any(each.error for each in sent):
        raise typer.Exit(FAILED)
