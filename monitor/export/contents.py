"""What the report says, as plain values: all of it read from the entries that the export discloses.

Nothing here asks the database, so the report cannot show what was withheld, nor anything that the
proofs do not cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from monitor.export.exhibits import CAPTURED, GRADED, exhibits_of, of_kind
from monitor.export.redact import Shown
from monitor.export.wording import (
    GRADES,
    PROGRAM,
    WITHHELD,
    Speech,
    actor,
    event,
    reason,
)

_STORY: Final = ("case.", "page.", "post.looked-at-again", GRADED)
_CUSTODY: Final = (
    "alert.",
    "case.",
    "corrections.",
    "delivery.",
    "evidence.",
    "opinion.",
    "post.looked-at-again",
    "record.",
)


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

    def without(self, fields: AbstractSet[str]) -> Occasion:
        """The occasion as the report tells it where these fields are left out."""
        return replace(
            self,
            by=WITHHELD if "by" in fields else self.by,
            why=WITHHELD if "why" in fields else self.why,
            recipient=WITHHELD if "recipient" in fields and self.recipient else self.recipient,
            restricted=self.restricted and "flags" not in fields,
        )


def contents(
    entries: Sequence[Shown], occasion: Occasion, speech: Speech, stamps: Sequence[str]
) -> dict[str, Any]:
    """The report as JSON for the template; every text in it still has to be made visible."""
    exhibits = exhibits_of(entries, occasion.reference, speech)
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


def _summary(
    entries: Sequence[Shown], exhibits: Sequence[dict[str, Any]], speech: Speech
) -> dict[str, Any]:
    captured = [each.opened.at for each in of_kind(entries, CAPTURED)]
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
    who, why = actor(entry, speech), reason(entry)
    by = f", by {who}" if who != PROGRAM else ""
    return f"{event(entry, speech)}{by}{f': {why}' if why else ''}"


def _custody(entries: Sequence[Shown], occasion: Occasion, speech: Speech) -> list[list[str]]:
    rows = [
        [
            speech.short(each.opened.at),
            actor(each, speech),
            event(each, speech),
            reason(each),
            str(each.index),
        ]
        for each in of_kind(entries, *_CUSTODY)
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
