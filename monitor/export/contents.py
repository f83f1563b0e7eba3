"""What the report says, as plain values: all of it read from the entries that the export discloses.

Nothing here asks the database, so the report cannot show what was withheld, nor anything that the
proofs do not cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from monitor.export.redact import Shown
from monitor.export.wording import (
    CERTAINTY,
    ERASED,
    GRADES,
    PROGRAM,
    WHO,
    WHY,
    WITHHELD,
    Speech,
    event,
    exact,
    field,
)

MATCHED: Final = "mention.matched"
CAPTURED: Final = "post.captured"
GRADED: Final = "mention.graded"
_STORY: Final = ("case.", "post.looked-at-again", GRADED)
_CUSTODY: Final = ("alert.", "delivery.", "evidence.", "record.", "post.looked-at-again", "case.")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why the export is made: what of, when, by whom, for what, and what was asked to be left out.

    `withheld` says in words what a person decided to keep back as a whole (an access request).
    """

    reference: str
    at: datetime
    by: str
    why: str
    school: str
    origin: str
    key: str
    left_out: tuple[str, ...] = ()
    recipient: str = ""
    restricted: bool = False
    withheld: int = 0


def contents(
    entries: Sequence[Shown], occasion: Occasion, speech: Speech, stamps: Sequence[str]
) -> dict[str, Any]:
    """The report as JSON for the template; every text in it still has to be made visible."""
    exhibits = _exhibits(entries, occasion, speech)
    return {
        "reference": occasion.reference,
        "school": occasion.school,
        "made": speech.moment(occasion.at),
        "day": speech.day(occasion.at),
        "iso": [occasion.at.year, occasion.at.month, occasion.at.day],
        "by": speech.name(occasion.by),
        "why": occasion.why,
        "recipient": occasion.recipient,
        "restricted": occasion.restricted,
        "left_out": list(occasion.left_out),
        "withheld": occasion.withheld,
        "origin": occasion.origin,
        "key": occasion.key,
        "stamps": list(stamps),
        "summary": _summary(entries, exhibits, speech),
        "exhibits": exhibits,
        "chronology": _chronology(entries, exhibits, speech),
        "custody": _custody(entries, occasion, speech),
        "statement": _statement(entries, exhibits, speech),
        "entries": len(entries),
    }


def _kind(entries: Sequence[Shown], *prefixes: str) -> list[Shown]:
    return [each for each in entries if each.opened.kind.startswith(prefixes)]


def _exhibits(entries: Sequence[Shown], occasion: Occasion, speech: Speech) -> list[dict[str, Any]]:
    mentions: dict[int, list[Shown]] = {}
    for each in _kind(entries, MATCHED):
        mentions.setdefault(int(str(each.opened.public["post_entry"])), []).append(each)
    grades: dict[int, list[Shown]] = {}
    for each in _kind(entries, GRADED):
        grades.setdefault(int(str(each.opened.public["mention_entry"])), []).append(each)
    posts = _kind(entries, CAPTURED)
    return [
        _exhibit(f"{occasion.reference}/{number:02d}", post, mentions.get(post.index, []), grades)
        | _times(post, speech)
        | {
            "about": [_about(m, grades.get(m.index, []), speech) for m in mentions[post.index]]
            if post.index in mentions
            else []
        }
        for number, post in enumerate(posts, start=1)
    ]


def _exhibit(
    number: str, post: Shown, mentions: Sequence[Shown], grades: dict[int, list[Shown]]
) -> dict[str, Any]:
    standing = [grades[each.index][-1] for each in mentions if grades.get(each.index)]
    severities = [field(each, "severity") for each in standing]
    order = [*GRADES, WITHHELD, ERASED]
    gravest = min(severities, key=order.index, default="") if severities else ""
    return {
        "number": number,
        "entry": post.index,
        "entries": [post.index, *(each.index for each in mentions)],
        "grade": gravest,
        "platform": field(post, "platform"),
        "source": field(post, "source"),
        "url": field(post, "url"),
        "identity": field(post, "native_id"),
        "version": field(post, "version"),
        "author": _author(post),
        "title": field(post, "title"),
        "text": field(post, "text"),
        "thread": field(post, "thread"),
        "media": _listed(post, "media_urls"),
        "digest": field(post, "raw_sha256"),
        "media_type": field(post, "raw_media_type"),
        "answer": _answer(post),
        "first_look": bool(post.get("first_look")),
        "erased": post.erased,
        "program": field(post, "program"),
        "leaf": post.leaf_hash.hex(),
    }


def _times(post: Shown, speech: Speech) -> dict[str, Any]:
    published = post.get("published")
    claimed, how = field(post, "published") if published is None else "", ""
    if isinstance(published, dict):
        how = str(published.get("as_given") or "")
        at = published.get("at")
        claimed = speech.moment(datetime.fromisoformat(str(at))) if at else "not given"
        if published.get("field") == "updated":
            claimed += " (the time of its last change)"
    seen = post.get("first_seen_at")
    first = datetime.fromisoformat(str(seen)) if seen else post.opened.at
    return {
        "published": claimed,
        "published_as_given": how,
        "first_seen": speech.moment(first),
        "captured": speech.moment(post.opened.at),
        "captured_exact": exact(post.opened.at),
        "clock": _clock(post.get("clock")),
    }


def _clock(state: object) -> str:
    if not isinstance(state, dict):
        return ""
    error = state.get("error_ms")
    if state.get("synchronised"):
        tail = f", error at most {error} ms" if error is not None else ""
        return f"synchronised with network time{tail}"
    if state.get("synchronised") is False:
        return "not synchronised with network time"
    return "not known whether synchronised"


def _author(post: Shown) -> list[list[str]]:
    author = post.get("author")
    if not isinstance(author, dict):
        return [["", field(post, "author")]]
    labels = {"name": "shown as", "handle": "account", "native_id": "account id", "url": "page"}
    rows = [[label, str(author[name])] for name, label in labels.items() if author.get(name)]
    return rows or [["", "not given by the platform"]]


def _answer(post: Shown) -> list[list[str]]:
    answer = post.get("answer")
    if not isinstance(answer, dict):
        shown = field(post, "answer")
        return [["", shown]] if shown else []
    received = answer.get("received_at")
    return [
        ["asked for", str(answer.get("url", ""))],
        ["answered", f"HTTP status {answer.get('status')}, {answer.get('size')} bytes"],
        ["received", exact(datetime.fromisoformat(str(received))) if received else ""],
        ["SHA-256 of the whole answer", str(answer.get("sha256", ""))],
    ]


def _listed(entry: Shown, name: str) -> list[str]:
    value = entry.get(name)
    if isinstance(value, list):
        return [str(each) for each in value]
    shown = field(entry, name)
    return [shown] if shown else []


def _about(mention: Shown, grades: Sequence[Shown], speech: Speech) -> dict[str, Any]:
    target = mention.get("target")
    who = speech.name(target.get("id")) if isinstance(target, dict) else field(mention, "target")
    matches = mention.get("matches")
    found = [
        f"“{match.get('text')}” in the {match.get('field')} (rule {match.get('rule')})"
        for match in (matches if isinstance(matches, list) else [])
        if isinstance(match, dict)
    ]
    certainty = str(mention.opened.public.get("certainty", ""))
    return {
        "who": who,
        "certainty": CERTAINTY.get(certainty, certainty),
        "found": found[:3] or ([shown] if (shown := field(mention, "matches")) else []),
        "entry": mention.index,
        "grades": [_grade(each, speech) for each in grades],
    }


def _grade(entry: Shown, speech: Speech) -> dict[str, Any]:
    severity = field(entry, "severity")
    person = entry.opened.public.get("by") == "person"
    reasons = entry.get("reasons")
    words = [
        f"“{reason.get('text')}”"
        for reason in (reasons if isinstance(reasons, list) else [])
        if isinstance(reason, dict)
    ]
    flags = entry.get("flags")
    model = str(entry.opened.public.get("model", ""))
    by = field(entry, "person") if person else PROGRAM
    return {
        "grade": GRADES.get(severity, severity) + (", unsure" if entry.get("unsure") else ""),
        "by": speech.name(by) if person else f"{PROGRAM} ({model})" if model else PROGRAM,
        "at": speech.moment(entry.opened.at),
        "words": words[:6],
        "flags": [str(flag) for flag in flags if not str(flag).startswith("~")]
        if isinstance(flags, list)
        else [],
        "note": field(entry, "note"),
        "entry": entry.index,
    }


def _summary(
    entries: Sequence[Shown], exhibits: Sequence[dict[str, Any]], speech: Speech
) -> dict[str, Any]:
    captured = [each.opened.at for each in _kind(entries, CAPTURED)]
    grades = [exhibit["grade"] for exhibit in exhibits]
    people = sorted({about["who"] for exhibit in exhibits for about in exhibit["about"]})
    return {
        "exhibits": len(exhibits),
        "first": speech.day(min(captured)) if captured else "",
        "last": speech.day(max(captured)) if captured else "",
        "grades": [
            [words, grades.count(grade)] for grade, words in GRADES.items() if grades.count(grade)
        ],
        "people": people,
        "platforms": sorted({exhibit["platform"] for exhibit in exhibits}),
    }


def _chronology(
    entries: Sequence[Shown], exhibits: Sequence[dict[str, Any]], speech: Speech
) -> list[list[str]]:
    numbers = {index: exhibit["number"] for exhibit in exhibits for index in exhibit["entries"]}
    rows: list[tuple[datetime, str, str, int]] = []
    for each in entries:
        opened = each.opened
        if opened.kind == CAPTURED:
            number = numbers[each.index]
            published = each.get("published")
            at = published.get("at") if isinstance(published, dict) else None
            if at:
                said = "Published, as the platform says"
                rows.append((datetime.fromisoformat(str(at)), said, number, each.index))
            rows.append((opened.at, "Captured", number, each.index))
        elif opened.kind.startswith(_STORY):
            if opened.kind == GRADED and opened.public.get("by") != "person":
                continue  # the program's own grades stand with the exhibits
            place = opened.public.get("mention_entry", opened.public.get("post_entry"))
            number = numbers.get(place, "") if isinstance(place, int) else ""
            rows.append((opened.at, _told(each, speech), number, each.index))
    rows.sort(key=lambda row: (row[0], row[3]))
    return [[speech.short(at), what, number, str(index)] for at, what, number, index in rows]


def _told(entry: Shown, speech: Speech) -> str:
    who, why = field(entry, *WHO), field(entry, *WHY)
    by = f", by {speech.name(who)}" if who else ""
    return f"{event(entry)}{by}{f': {why}' if why else ''}"


def _custody(entries: Sequence[Shown], occasion: Occasion, speech: Speech) -> list[list[str]]:
    rows = [
        [
            speech.short(each.opened.at),
            speech.name(field(each, *WHO)) or PROGRAM,
            event(each),
            field(each, *WHY),
            str(each.index),
        ]
        for each in _kind(entries, *_CUSTODY)
    ]
    mine = f"Exported {occasion.reference}: this export"
    rows.append([speech.short(occasion.at), speech.name(occasion.by), mine, occasion.why, "-"])
    return rows


def _statement(
    entries: Sequence[Shown],
    exhibits: Sequence[dict[str, Any]],
    speech: Speech,
) -> dict[str, Any]:
    numbers = [exhibit["number"] for exhibit in exhibits]
    programs = sorted({exhibit["program"] for exhibit in exhibits if exhibit["program"]})
    clocks = sorted({exhibit["clock"] for exhibit in exhibits if exhibit["clock"]})
    begun = entries[0].opened if entries and entries[0].index == 0 else None
    return {
        "numbers": numbers if len(numbers) <= len(("first", "last")) else [numbers[0], numbers[-1]],
        "count": len(numbers),
        "programs": programs,
        "clocks": clocks,
        "log_since": speech.day(begun.at) if begun else "",
        "sources": sorted({exhibit["source"] for exhibit in exhibits if exhibit["source"]}),
    }
