"""The file in which a person decides on every item of an access request before anything leaves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from monitor.errors import ConfigError, Problem
from monitor.export.access import ALWAYS, Decision, Item, gather, items
from monitor.storage.dossier import Chosen, Dossiers

MAX_DRAFT: Final = 20_000_000
"""Bytes of a draft that is read."""

_HEAD: Final = """\
# A draft for an access request. Nothing has left yet.
#
# Decide on every item: write "release", "redact" or "withhold" instead of "undecided".
#   redact    needs the fields to leave out, such as redact = ["author", "url"], and a reason
#   withhold  needs a reason; what names reporters or colleagues, may be legal advice or carries a
#             locked allegation starts there, and may be released where you find that right
# Reasons stay at the school, sealed in the log; the person is told only how many items were kept.
# Then: staff-mentions evidence export --draft THIS-FILE --reason "…"
#
# This file holds personal data. Delete it when the request is answered.

"""


@dataclass(frozen=True, slots=True)
class Released:
    """A decided draft: the entries that leave, the fields left out of each, what is kept back."""

    chosen: Chosen
    fields: Mapping[int, frozenset[str]]
    kept_back: Mapping[str, str]


def written(person: str, found: Sequence[Item], at: datetime) -> str:
    """The draft as TOML."""
    rows = [_HEAD, f"person = {_quoted(person)}\n", f"prepared = {_quoted(at.isoformat())}\n"]
    for item in found:
        rows += [
            "\n[[item]]\n",
            f"id = {_quoted(item.id)}\n",
            f"what = {_quoted(item.what)}\n",
            f"when = {_quoted(item.at.isoformat(timespec='seconds'))}\n",
            f"words = {_quoted(item.words)}\n",
            f"decision = {_quoted(item.decision.value)}\n",
            f"redact = {json.dumps(list(item.redact))}\n",
            f"reason = {_quoted(item.reason)}\n",
        ]
    return "".join(rows)


def _quoted(text: str) -> str:
    """A TOML basic string; control characters were written out before."""
    return json.dumps(text, ensure_ascii=False)


def decided(path: Path, dossiers: Dossiers, reference: str) -> Released:
    """Read a draft back, and what it releases.

    Raises:
        ConfigError: every problem in the file: an item undecided, a reason or a field missing, an
            item that is unknown, or one that is kept by now and does not stand in it.
        EvidenceError: nothing is kept about the person any more.
    """
    given = _read(path)
    person = given.get("person")
    if not isinstance(person, str):
        raise ConfigError((Problem(str(path), "person", "is missing"),))
    known = {item.id: item for item in items(dossiers, person)}
    problems: list[Problem] = []
    answers: dict[str, Item] = {}
    for number, row in enumerate(_rows(given), start=1):
        where = str(row.get("id") or f"item {number}")
        item = known.get(where)
        if item is None or where in answers:
            said = "stands there twice" if item else "is no item of this person's"
            problems.append(Problem(str(path), where, said))
            continue
        answers[where] = item
        answer = _answer(item, row)
        if isinstance(answer, str):
            problems.append(Problem(str(path), where, answer))
        else:
            answers[where] = answer
    missing = sorted(known.keys() - answers.keys())
    problems += [
        Problem(str(path), each, "is kept but not in this draft: prepare it again")
        for each in missing
    ]
    if problems:
        raise ConfigError(tuple(problems))
    return _released(list(answers.values()), dossiers, person, reference)


def _read(path: Path) -> dict[str, Any]:
    try:
        body = path.read_bytes()
        if len(body) > MAX_DRAFT:
            raise ConfigError((Problem(str(path), "", "is too large to be a draft"),))
        return tomllib.loads(body.decode())
    except OSError as error:
        said = f"cannot be read: {error.strerror}"
        raise ConfigError((Problem(str(path), "", said),)) from error
    except ValueError as error:
        raise ConfigError((Problem(str(path), "", f"is not TOML: {error}"),)) from error


def _rows(given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = given.get("item", [])
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _answer(item: Item, row: Mapping[str, Any]) -> Item | str:
    """The item with a person's decision, or what is wrong with it."""
    try:
        decision = Decision(str(row.get("decision", "")))
    except ValueError:
        return "the decision is release, redact or withhold"
    reason, fields = str(row.get("reason", "")).strip(), row.get("redact", [])
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        return 'redact is a list of fields, such as ["author", "url"]'
    if decision is Decision.UNDECIDED:
        return "is undecided: release, redact or withhold it"
    if decision is not Decision.RELEASE and not reason:
        return f"{decision.value} needs a reason"
    if (decision is Decision.REDACT) is not bool(fields):
        return "redact needs fields, and fields need the decision redact"
    return Item(
        item.id, item.what, item.at, item.words, item.entries, decision, reason, tuple(fields)
    )


def _released(answers: Sequence[Item], dossiers: Dossiers, person: str, reference: str) -> Released:
    out = {n for item in answers if item.decision is not Decision.WITHHOLD for n in item.entries}
    found = gather(dossiers, person)
    always = {n for n, (_, opened) in found.entries.items() if opened.kind in ALWAYS}
    kinds = {n: found.entries[n][1].kind for n in out}
    chosen = Chosen(
        reference=reference,
        restricted=bool(found.accused & out),
        mention_ids=(),
        posts=tuple(sorted(n for n, kind in kinds.items() if kind == "post.captured")),
        mentions=tuple(sorted(n for n, kind in kinds.items() if kind == "mention.matched")),
        entries=tuple(sorted(out | always)),
    )
    fields = {
        n: frozenset(item.redact)
        for item in answers
        if item.decision is Decision.REDACT
        for n in item.entries
    }
    kept = {item.id: item.reason for item in answers if item.decision is Decision.WITHHOLD}
    return Released(chosen, fields, kept)
