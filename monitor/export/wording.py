"""How the report says what an entry says: one plain line for each kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.export.redact import Shown

WITHHELD: Final = "withheld"
ERASED: Final = "erased"
PROGRAM: Final = "the program"

GRADES: Final = {
    "threatening": "threatening",
    "abusive": "abusive",
    "neutral": "neutral",
    "ungraded": "could not be graded",
}
CERTAINTY: Final = {
    "certain": "certain",
    "less-sure": "less sure",
    "possible": "possible: it may be about somebody else",
}
_PRESENCE: Final = {
    "present": "The post still stood where it was.",
    "edited": "The post had been changed since it was captured.",
    "gone": "The post was no longer where it was.",
    "could-not-look": "The place could not be looked at.",
}
_EVENTS: Final = {
    "alert.acknowledged": "Answered alert {alert}",
    "alert.raised": "Alert {alert} was raised",
    "case.kept-until": "A day was set until which case {reference} is kept",
    "case.moved": "Case {reference} is {state}",
    "case.noted": "Note on case {reference}",
    "case.opened": "Case {reference} was opened",
    "corrections.exported": "Exported without names, as a correction of the grader",
    "delivery.attempted": "A message about alert {alert} to {to} by {channel}, attempt {attempt}",
    "delivery.failed": "A message was not delivered: {outcome}",
    "delivery.taken": "A message was taken by the other side",
    "evidence.exported": "Exported {what}",
    "evidence.viewed": "Looked at {what}",
    "opinion.asked": "The post, names masked, was read to the model {model}",
    "opinion.given": "That model answered, or did not",
    "page.not-pictured": "A picture of the page was tried for and did not come",
    "page.pictured": "The page was pictured",
    "record.erased": "Records were erased",
    "record.held": "A hold was laid on records",
    "record.released": "A hold on records was lifted",
}
WHO: Final = ("by", "person", "actor", "approved_by")
WHY: Final = ("why", "because", "reason", "text", "note", "said")
_BY_ITSELF: Final = ("alert.raised", "case.opened", "delivery.", "opinion.", "page.", "post.")
"""Kinds of what the program does by itself: what of them is withheld is no person."""
_UNEXPLAINED: Final = frozenset(
    {"alert.raised", "case.opened", "delivery.attempted", "opinion.asked", "page.pictured"}
)


@dataclass(frozen=True, slots=True)
class Speech:
    """What the report needs beside the entries: people's names and the school's time."""

    names: Mapping[str, str]
    zone: ZoneInfo

    def name(self, identity: object) -> str:
        """A person as the roster names them, else as the log does."""
        written = str(identity)
        return self.names.get(written, written)

    def moment(self, at: datetime) -> str:
        """A time for people: in the school's zone, which is named."""
        here = at.astimezone(self.zone)
        return f"{here.day} {here:%B %Y, %H:%M:%S %Z}"

    def short(self, at: datetime) -> str:
        """The same for a narrow column."""
        here = at.astimezone(self.zone)
        return f"{here.day} {here:%b %Y, %H:%M:%S %Z}"

    def day(self, at: datetime) -> str:
        here = at.astimezone(self.zone)
        return f"{here.day} {here:%B %Y}"


def exact(at: datetime) -> str:
    """A time to the microsecond, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"


def field(entry: Shown, *names: str) -> str:
    """The first of these fields that holds something; `withheld` or `erased` if none is shown."""
    for name in names:
        value = entry.get(name)
        if value not in {None, ""} if not isinstance(value, dict | list) else value:
            return str(value)
    if any(name in entry.opened.secret or name in entry.opened.public for name in names):
        return ""
    if entry.erased:
        return ERASED
    return WITHHELD if entry.opened.withheld else ""


def actor(entry: Shown, speech: Speech) -> str:
    """Who did what an entry tells, a person or the program; `withheld` where it is not shown."""
    if entry.opened.kind.startswith(_BY_ITSELF):
        return PROGRAM
    return speech.name(field(entry, *WHO)) or PROGRAM


def reason(entry: Shown) -> str:
    """Why, as whoever did it said; empty where that is never said."""
    return "" if entry.opened.kind in _UNEXPLAINED else field(entry, *WHY)


def event(entry: Shown, speech: Speech) -> str:
    """What happened, in one sentence without a full stop."""
    kind, public = entry.opened.kind, entry.opened.public
    if kind == "post.looked-at-again":
        return _PRESENCE.get(str(public.get("presence")), "The post was looked at again.")
    if kind == "mention.graded":
        severity = field(entry, "severity")
        return f"Graded {GRADES.get(severity, severity)}"
    pattern = _EVENTS.get(kind)
    if pattern is None:
        return kind.replace(".", ": ").replace("-", " ")
    return pattern.format_map(_Known({**public, "to": speech.name(field(entry, "person"))}))


class _Known(dict[str, Any]):
    """Public fields for a sentence; one that is not there is left open."""

    def __missing__(self, name: str) -> str:
        return "…"
