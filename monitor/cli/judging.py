"""`match` and `grade`: the two judgements on JSON lines, without a database."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.app import read_config
from monitor.cli.common import FAILED, ConfigOption, config_path
from monitor.cli.records import opened, opinion_rows, record_look
from monitor.clock import SystemClock
from monitor.grading import lines as grade_lines
from monitor.grading.grader import Grader
from monitor.grading.runtime import runtime
from monitor.judge import question_if_named
from monitor.matching import lines as match_lines
from monitor.matching.answer import Explanation, Refused, Threatens
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster, load_roster
from monitor.model import Post, Scope, Severity
from monitor.replay import replay
from monitor.roster import roster_of

LONGEST_LINE = 16_000_000
"""Code points; a longer line is an error, not a question of memory."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(match)
    app.command()(grade)


def match(
    config: ConfigOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say also why not.")] = False,
    threats: Annotated[
        bool,
        typer.Option("--threats", help="Keep a name that is a word where the post is a threat."),
    ] = False,
    _as_json: Annotated[bool, typer.Option("--json", help="As always here.")] = False,
) -> None:
    """Say whom each post names: JSON lines in, JSON lines out. Needs no more than a roster."""
    matcher = Matcher(_roster(config_path(config)))
    grader = Grader.load() if threats else None

    def answer(line: Any) -> dict[str, Any]:
        identity, post, scope, school, place = match_lines.read_line(line)
        threatens = _threats_by(grader, scope) if grader else None
        where: dict[str, Any] = {
            "scope": scope,
            "source_school": school,
            "place": place,
            "threatens": threatens,
        }
        if explain:
            why = matcher.explain(post, **where)
            return match_lines.write_line(identity, why.mentions) | _why_not(why)
        return match_lines.write_line(identity, matcher.match(post, **where))

    _each_line(answer)


def _threats_by(grader: Grader, scope: Scope) -> Threatens:
    def threatens(post: Post, words: tuple[Refused, ...]) -> bool:
        grade = grader.grade(question_if_named(post, words, scope), reasons=False)
        return grade.severity is Severity.THREATENING

    return threatens


def _why_not(why: Explanation) -> dict[str, Any]:
    refused = [
        {
            "target": each.target.id,
            "field": each.field.value,
            "start": each.start,
            "end": each.end,
            "text": each.text,
            "why": each.why,
            "unless_threat": each.unless_threat,
        }
        for each in why.refused
    ]
    return {"refused": refused, "ties": {school: list(ties) for school, ties in why.ties}}


def _roster(path: Path) -> Roster:
    """The roster of a whole config, or of a file that holds nothing else."""
    try:
        tables = set(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        tables = set()
    if tables == {"schools"}:
        return load_roster(path)
    clock = SystemClock()
    config = read_config(path, clock=clock)
    return roster_of(config, clock.now().astimezone(config.zone).date())


def grade(
    no_reasons: Annotated[
        bool, typer.Option("--no-reasons", help="Leave out which words decided (faster).")
    ] = False,
    replay_entry: Annotated[
        int | None,
        typer.Option("--replay", help="Grade what this log entry graded again, and compare."),
    ] = None,
    config: ConfigOption = None,
    _as_json: Annotated[bool, typer.Option("--json", help="As always here.")] = False,
) -> None:
    """Say what each text does to the person it names: JSON lines in, JSON lines out."""
    grader = Grader.load()
    if replay_entry is not None:
        _replay(config, replay_entry, grader)
        return

    def answer(line: Any) -> dict[str, Any]:
        identity, question = grade_lines.read_line(line)
        return grade_lines.write_line(identity, grader.grade(question, reasons=not no_reasons))

    _each_line(answer)


def _replay(config: Path | None, index: int, grader: Grader) -> None:
    """One JSON object: the grade as sealed, the grade now, and what differs; exit 1 if it does."""
    with opened(config) as app:
        record_look(app, f"the grade in entry {index}", by="", why="graded again")
        found = replay(app.store.log, index, grader)
        opinions = app.store.opinions.about(found.mention_entry)
    _print(
        {
            "entry": found.entry,
            "graded_at": found.graded_at.isoformat(),
            "same": found.is_same,
            "drift": round(found.drift, 4),
            "was": dict(found.was),
            "now": {k: round(v, 4) if isinstance(v, float) else v for k, v in found.now.items()},
            "model": grader.name,
            "runtime": runtime(),
            "differences": list(found.notes),
            "second_opinions": opinion_rows(opinions),
        }
    )
    if not found.is_same:
        raise typer.Exit(FAILED)


def _each_line(answer: Callable[[Any], dict[str, Any]]) -> None:
    """Answer line by line, streaming; a bad line gets an error and the rest goes on, exit 1."""
    failed = False
    for number, text in _lines():
        if text is None:
            _print({"line": number, "error": f"longer than {LONGEST_LINE} characters"})
            failed = True
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            _print({"line": number, "error": "not JSON"})
            failed = True
            continue
        try:
            _print(answer(line))
        except ValueError as error:
            identity = line.get("id") if isinstance(line, dict) else None
            where = {"line": number} if identity is None else {"id": identity}
            _print({**where, "error": str(error)})
            failed = True
    if failed:
        raise typer.Exit(FAILED)


def _lines() -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers, blank ones left out; None for one that is too long to be read."""
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    number = 0
    while text := sys.stdin.readline(LONGEST_LINE):
        number += 1
        if len(text) == LONGEST_LINE and not text.endswith("\n"):
            while (rest := sys.stdin.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield number, None
        elif text.strip():
            yield number, text


def _print(row: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=True) + "\n")
    sys.stdout.flush()
