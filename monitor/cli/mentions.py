"""`mention`: list, show, regrade, corrections, look again. Every look is itself recorded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import App
from monitor.cli.common import (
    FAILED,
    WRONG_USE,
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
    opinion_rows,
    record_list,
    record_look,
    short,
)
from monitor.export.corrections import Anonymiser, Correction, gather, write
from monitor.model import Flag, Grade, Severity
from monitor.roster import insulting_of, roster_of
from monitor.storage.records import StoredGrade, StoredMention

mention = typer.Typer(no_args_is_help=True, help="List, show and regrade mentions.")


@mention.command("list")
def list_mentions(
    config: ConfigOption = None,
    as_json: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 50,
    grade: Annotated[Severity | None, typer.Option(help="Only this grade.")] = None,
    person: Annotated[str | None, typer.Option(help="Only this person or school.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """List the newest mentions; allegations stand in a list of their own (--restricted)."""
    with opened(config) as app:
        record_list(app, "mentions", restricted=restricted, by=by, why=why)
        found = app.store.reading.mentions(
            limit=limit, severity=grade, target=person, source=source, restricted=restricted
        )
        rows = [_row(stored, graded) for stored, graded in found]
    table(rows, ("id", "seen", "target", "grade", "match", "source"), as_json=as_json)


def _row(stored: StoredMention, graded: StoredGrade | None) -> dict[str, object]:
    grade = graded.grade if graded else None
    mark = "" if grade is None or not grade.unsure else " (unsure)"
    return {
        "id": stored.id,
        "seen": short(stored.kept.first_seen_at),
        "first_seen": stored.kept.first_seen_at.isoformat(),
        "target": stored.mention.target.id,
        "match": stored.mention.certainty.value,
        "grade": f"{grade.severity.value}{mark}" if grade else "waiting",
        "flags": sorted(flag.value for flag in grade.flags) if grade else [],
        "source": stored.kept.source,
        "url": stored.mention.post.url,
    }


@mention.command("show")
def show_mention(
    mention_id: Annotated[int, typer.Argument(help="Its number.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    restricted: RestrictedOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """Show one mention in full. That you looked is kept before it is shown."""
    with opened(config) as app:
        stored = _mention(app, mention_id)
        accused = app.store.guarding.mention(mention_id)
        demand_clearance(accused=accused, restricted=restricted)
        entry = stored.entry_index
        record_look(app, "mention", mention_entry=entry, restricted=accused, by=by, why=why)
        grades = app.store.reading.grades(mention_id)
        versions = app.store.reading.post_of(*_ref(stored))
        opinions = app.store.opinions.of(mention_id)
    row = _full(stored, grades, versions=len(versions))
    row |= {"second_opinions": opinion_rows(opinions)} if opinions else {}
    lines = (f"{name}: {inert(str(value))}" for name, value in row.items())
    say(row, as_json=as_json, text="\n".join(lines))


def _ref(stored: StoredMention) -> tuple[str, str]:
    ref = stored.mention.post.ref
    return ref.platform, ref.native_id


def _full(
    stored: StoredMention, grades: tuple[StoredGrade, ...], *, versions: int
) -> dict[str, object]:
    post, kept = stored.mention.post, stored.kept
    standing = grades[-1] if grades else None
    row = _row(stored, standing)
    row |= {
        "title": post.title,
        "text": post.text,
        "answers": post.thread,
        "author": post.author.handle or post.author.name,
        "published_as_claimed": post.published_raw,
        "published": post.published.isoformat() if post.published else "",
        "dated_by": post.dated_by.value,
        "captured": kept.captured_at.isoformat(),
        "clock_synchronised": kept.clock_synchronised,
        "raw_sha256": kept.raw_sha256,
        "log_entries": [kept.entry_index, stored.entry_index],
        "versions": versions,
        "matched_by": [f"{m.rule}: {m.text!r} in {m.field.value}" for m in stored.mention.matches],
        "grades": [
            {
                "at": each.at.isoformat(),
                "grade": each.grade.severity.value,
                "by": each.grade.by,
                "model": each.grade.model,
                "note": each.grade.note,
                "because_of": [reason.text for reason in each.grade.reasons],
            }
            for each in grades
        ],
    }
    return row


def _mention(app: App, mention_id: int) -> StoredMention:
    stored = app.store.reading.mention(mention_id)
    if stored is None:
        complain(f"there is no mention {mention_id}")
        raise typer.Exit(FAILED)
    return stored


@mention.command("regrade")
def regrade_mention(
    mention_id: Annotated[int, typer.Argument(help="Its number.")],
    grade: Annotated[Severity, typer.Argument(help="What you find it to be.")],
    why: WhyOption,
    config: ConfigOption = None,
    by: ByOption = "",
    flag: Annotated[list[Flag] | None, typer.Option(help="A flag; several are possible.")] = None,
) -> None:
    """Give a mention your own grade, with your name and your reason; the first grade stays."""
    if grade is Severity.UNGRADED or not why.strip():
        complain("a person's grade is threatening, abusive or neutral, and has a reason (--why)")
        raise typer.Exit(WRONG_USE)
    with opened(config) as app:
        stored = _mention(app, mention_id)
        pipeline = app.rounds.pipeline
        chosen = Grade(grade, flags=frozenset(flag or ()), by=who(by), note=why.strip())
        at = app.clock.now()
        judgement = pipeline.regraded(stored, chosen, at=at)
        app.store.judging.regrade(mention_id, judgement, at=at)
    typer.echo(f"mention {mention_id} is now {grade.value}, graded by {who(by)}")


@mention.command("corrections")
def export_corrections(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is left alone.")],
    why: WhyOption,
    config: ConfigOption = None,
    looked_at: Annotated[
        list[int] | None,
        typer.Option(help="A mention that you have looked at: what is left in it names nobody."),
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="A word that is a name: it is taken out too.")
    ] = None,
    by: ByOption = "",
) -> None:
    """Write what people regraded as texts that name nobody, to train a model with elsewhere."""
    if not why.strip():
        complain("say who asked for this and what for (--why)")
        raise typer.Exit(WRONG_USE)
    with opened(config) as app:
        record_list(app, "corrections", restricted=False, by=by, why=why)
        roster = roster_of(app.config, app.today())
        anonymiser = Anonymiser(roster, insulting_of(app.config), tuple(mask or ()))
        found = gather(app.store, anonymiser)
        chosen = [c for c in found if not c.doubtful or c.mention_id in (looked_at or ())]
        for each in found:
            if each not in chosen:
                _show_doubtful(each)
        if not chosen:
            complain(f"nothing was written: {len(found)} corrections, each to be looked at first")
            raise typer.Exit(FAILED)
        index = write(app.store, out, chosen, by=who(by), why=why.strip(), now=app.clock.now)
    left = f"; {len(found) - len(chosen)} wait for --looked-at" if len(found) > len(chosen) else ""
    typer.echo(f"{len(chosen)} corrections in {out}{left}\nentry {index} of the log says so")


def _show_doubtful(each: Correction) -> None:
    """Print what a person has to look at before it may leave."""
    typer.echo(f"mention {each.mention_id}: look first at: {inert(', '.join(each.doubtful))}")
    for name in ("title", "thread", "text"):
        if name in each.row:
            typer.echo(f"  {name}: {inert(each.row[name])}")


@mention.command("look-again")
def look_again(
    mention_id: Annotated[int, typer.Argument(help="Its number.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    by: ByOption = "",
    why: WhyOption = "",
) -> None:
    """Look whether the post still stands where it was, and keep what was found."""
    with opened(config) as app:
        stored = _mention(app, mention_id)
        entry = stored.entry_index
        record_look(app, "mention where it stood", mention_entry=entry, by=by, why=why)
        seen = asyncio.run(app.rounds.look_again(stored))
    row = {"id": mention_id, "presence": seen.presence.value, "note": seen.note}
    say(row, as_json=as_json, text=f"{seen.presence.value} {seen.note}".strip())
