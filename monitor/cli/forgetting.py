"""Erasure, holds, retention and search: what is kept, found and let go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from monitor.cli.common import WRONG_USE, ByOption, ConfigOption, JsonOption, complain, table, who
from monitor.cli.records import RestrictedOption, WhyOption, opened, record_look, short
from monitor.evidence import entries
from monitor.model import Severity
from monitor.retention import Retention
from monitor.storage.wanted import Wanted

MentionOption = Annotated[int | None, typer.Option("--mention", help="The number of a mention.")]
CaseOption = Annotated[str, typer.Option("--case", help="The number of a case.")]
_DAY = ["%Y-%m-%d"]


def register(app: typer.Typer, evidence: typer.Typer, case: typer.Typer) -> None:
    """Add the commands to their groups."""
    app.command("retention")(retention)
    case.command("keep")(keep)
    for name, command in (
        ("erase", erase), ("hold", hold), ("release", release), ("search", search)
    ):  # fmt: skip
        evidence.command(name)(command)


def erase(
    mention: Annotated[list[int], typer.Option(help="The number of a mention; several in turn.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the log for good.")],
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Destroy a mention's words, author, names and original for good; the log still verifies."""
    _demand(reason, "--reason")
    with opened(config) as app:
        done = app.store.erasing.erase(
            mention, reason=reason.strip(), by=who(by), at=app.clock.now(), basis="person"
        )
        settled = app.store.erasing.settle(app.vault)
    if done.entry is None:
        typer.echo("erased before: nothing was left to erase")
    else:
        stay = "" if done.posts else "; its post stays, because another mention needs it"
        typer.echo(
            f"erased: {len(done.mentions)} mention(s), {len(done.posts)} post(s),"
            f" {done.messages} message(s){stay}; recorded in entry {done.entry}"
        )
    if not settled:
        complain("the database is being read: freed pages are overwritten at the next start or day")


def hold(
    why: WhyOption,
    config: ConfigOption = None,
    case: CaseOption = "",
    mention: MentionOption = None,
    by: ByOption = "",
) -> None:
    """Place a legal hold: nothing of the case or the mention goes until it is released."""
    _demand(why, "--why")
    with opened(config) as app:
        at = app.clock.now()
        app.store.holding.hold(reference=case, mention=mention, by=who(by), why=why, at=at)
    typer.echo(f"held: {case or f'mention {mention}'}")


def release(
    why: WhyOption,
    config: ConfigOption = None,
    case: CaseOption = "",
    mention: MentionOption = None,
    by: ByOption = "",
) -> None:
    """End the legal holds on a case or a mention."""
    _demand(why, "--why")
    with opened(config) as app:
        at = app.clock.now()
        count = app.store.holding.release(
            reference=case, mention=mention, by=who(by), why=why, at=at
        )
    typer.echo(f"released: {count} hold(s)")


def keep(
    number: Annotated[str, typer.Argument(help="Such as SM-2026-0007.")],
    until: Annotated[datetime, typer.Option(formats=_DAY, help="The last day, YYYY-MM-DD.")],
    why: WhyOption,
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Set until when a case is kept; threats and allegations have no other end."""
    _demand(why, "--why")
    with opened(config) as app:
        at = app.clock.now()
        app.store.holding.keep_until(number, until.date(), by=who(by), why=why, at=at)
    typer.echo(f"{number} is kept until {until.date()}")


def retention(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Erase what needs nobody's approval.")
    ] = False,
    approve: Annotated[
        str, typer.Option(help="Erase this case, whose time is over; say --why.")
    ] = "",
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: Annotated[str, typer.Option("--why", help="Why a case may go; kept in the log.")] = "",
) -> None:
    """List what would go and by which rule; nothing goes without --apply or --approve."""
    if approve:
        _demand(why, "--why")
    with opened(config) as app:
        rules = Retention(app.store, app.config, app.vault)
        at = app.clock.now()
        if approve:
            gone = rules.approve(approve, by=who(by), why=why.strip(), at=at)
            typer.echo(f"{approve}: {gone} mention(s) erased")
            return
        if apply:
            typer.echo(f"{rules.apply(by=who(by), at=at)} mention(s) erased")
            return
        record_look(app, "what retention lets go", by=by, why=why, restricted=restricted)
        rows = [
            {
                "mentions": ", ".join(map(str, each.mentions)),
                "case": each.case,
                "needs": "a person's approval" if each.case else "",
                "why": each.why,
            }
            for each in rules.plan(at)
            if each.restricted is restricted
        ]
    table(rows, ("mentions", "case", "needs", "why"), as_json=as_json)


def search(
    words: Annotated[str, typer.Argument(help='Words that all occur; "a phrase" in quotes.')],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    person: Annotated[str, typer.Option(help="Only this person or school.")] = "",
    source: Annotated[str, typer.Option(help="Only this source.")] = "",
    author: Annotated[str, typer.Option(help="Only this author's handle or name.")] = "",
    grade: Annotated[Severity | None, typer.Option(help="Only this grade.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="Captured from this day on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=_DAY, help="Captured before this day.")
    ] = None,
    case: CaseOption = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """Find mentions by their words, the newest first. That you searched is kept before."""
    if restricted:
        _demand(why, "--why")
    with opened(config) as app:
        at = app.clock.now()
        zone = app.config.zone
        wanted = Wanted(
            words=words, person=person, source=source, author=author, grade=grade, case=case,
            since=since.replace(tzinfo=zone).astimezone(UTC) if since else None,
            until=until.replace(tzinfo=zone).astimezone(UTC) if until else None,
            restricted=restricted, limit=limit,
        )  # fmt: skip
        asked = entries.searched(
            at=at, words=words[:1000], restricted=restricted, by=who(by), why=why
        )
        app.store.log.append([asked])
        rows = [
            {
                "id": stored.id,
                "seen": short(stored.kept.first_seen_at),
                "target": stored.mention.target.id,
                "grade": graded.grade.severity.value if graded else "waiting",
                "source": stored.kept.source,
                "text": stored.mention.post.text[:200],
            }
            for stored, graded in app.store.search.find(wanted)
        ]
    table(rows, ("id", "seen", "target", "grade", "source", "text"), as_json=as_json)


def _demand(reason: str, option: str) -> None:
    if not reason.strip():
        complain(f"this needs a reason: add {option}")
        raise typer.Exit(WRONG_USE)
