"""The fixed words of every message, in plain British English.

Nothing here depends on what a stranger wrote.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.cases.letter import Tone
from monitor.model import Certainty, Flag, Role, Severity, Urgency

ALLEGATION = "An allegation about a member of staff needs you. Log in."
"""All that a message about an allegation says, to anybody, on any channel."""

SELF_EXPLANATION = (
    "The grade is the program's suggestion; a person decides. This mail loads nothing from "
    "elsewhere and does not report that you opened it."
)


class Concern(StrEnum):
    """What a post asks of the reader first; the most pressing of grade and flags."""

    THREAT = "threat"
    DISTRESS = "distress"
    WELFARE = "welfare"
    ABUSE = "abuse"
    UNGRADED = "ungraded"
    SECOND_HAND = "second-hand"
    NEUTRAL = "neutral"


TONES = {
    Concern.THREAT: Tone.GRAVE,
    Concern.DISTRESS: Tone.GRAVE,
    Concern.WELFARE: Tone.SERIOUS,
    Concern.ABUSE: Tone.SERIOUS,
    Concern.UNGRADED: Tone.SERIOUS,
    Concern.SECOND_HAND: Tone.SERIOUS,
    Concern.NEUTRAL: Tone.CALM,
}

HEADINGS = {
    Concern.THREAT: "Threatening post",
    Concern.DISTRESS: "A writer may be at risk",
    Concern.WELFARE: "Somebody may be in danger",
    Concern.ABUSE: "Abusive post",
    Concern.UNGRADED: "Post without a grade",
    Concern.SECOND_HAND: "A threat or abuse made elsewhere is reported",
    Concern.NEUTRAL: "A post names your staff",
}

UNSURE_HEADINGS = {
    Concern.THREAT: "Possibly a threatening post",
    Concern.ABUSE: "Possibly an abusive post",
}

SHORT = {
    Concern.THREAT: "reads as a threat",
    Concern.DISTRESS: "its writer may harm themselves",
    Concern.WELFARE: "somebody may be in danger",
    Concern.ABUSE: "reads as abuse",
    Concern.UNGRADED: "could not be graded",
    Concern.SECOND_HAND: "a threat or abuse made elsewhere is reported",
    Concern.NEUTRAL: "reads as neutral",
}

UNSURE_SHORT = {Concern.THREAT: "may be a threat", Concern.ABUSE: "may be abuse"}

URGENCIES = {
    Urgency.NOW: "act now",
    Urgency.DAYTIME: "read today",
    Urgency.SAME_DAY: "needs you today",
    Urgency.DIGEST: "for your information",
}

NEEDS_YOU = {
    Urgency.NOW: "Needs you now",
    Urgency.DAYTIME: "Needs you today",
    Urgency.SAME_DAY: "Needs you today",
    Urgency.DIGEST: "Needs you today",
}
"""All that the subject of a message about an allegation says."""

SEVERITIES = {
    Severity.THREATENING: "Threatening",
    Severity.ABUSIVE: "Abusive",
    Severity.NEUTRAL: "Neutral",
    Severity.UNGRADED: "Not graded: the grader gave no answer, so it counts as possible abuse",
}

FLAGS = {
    Flag.PRIVATE_INFORMATION: "gives away private information",
    Flag.PILE_ON: "calls on others to join in",
    Flag.IMPERSONATION: "pretends to be somebody else",
    Flag.SEXUAL: "sexual",
    Flag.DISCRIMINATORY: "discriminatory",
    Flag.DISTRESS: "its writer may harm themselves",
    Flag.WELFARE: "somebody else may be in danger",
    Flag.SECOND_HAND: "tells of a threat or abuse made elsewhere",
    Flag.MILD: "childish rather than grave",
}
"""How each flag is put to a reader. An allegation has no words here: it must leave no trace."""

CERTAINTIES = {
    Certainty.CERTAIN: "certain",
    Certainty.LESS_SURE: "fairly sure",
    Certainty.POSSIBLE: "not sure that this is about them",
}

ROLES = {
    Role.HEADTEACHER: "headteacher",
    Role.DEPUTY: "deputy",
    Role.SECOND_PERSON: "second person",
    Role.SAFEGUARDING_LEAD: "safeguarding lead",
    Role.ADMINISTRATOR: "administrator",
    Role.WITNESS: "witness",
}


# --- leads: what happened, and what to do first ------------------------------------------------

FIRST = {
    Concern.THREAT: "If anyone may be in danger now, ring 999 before you do anything else.",
    Concern.DISTRESS: "If a life may be in danger now, ring 999 before you do anything else.",
    Concern.WELFARE: "If they may be in danger now, ring 999; otherwise start safeguarding today.",
    Concern.ABUSE: "Keep the evidence, tell the person named yourself, and let nobody answer it.",
    Concern.UNGRADED: "Please read it and decide; until then it counts as possible abuse.",
    Concern.SECOND_HAND: "Ask, calmly, what was seen and where: the original may be graver.",
    Concern.NEUTRAL: "There is nothing that you must do now.",
}

FIRST_TO_TARGET = {
    Concern.ABUSE: "Keep the evidence, do not answer it, and do not carry it alone.",
}


def lead_of(concern: Concern, whom: str, *, unsure: bool, to_reader: bool) -> str:
    """One or two sentences: what happened to `whom` ("a member of staff"), what to do first."""
    first = FIRST_TO_TARGET.get(concern, FIRST[concern]) if to_reader else FIRST[concern]
    may = "may be" if unsure else "reads as"
    happened = {
        Concern.THREAT: f"A public post {may} a threat to {whom}.",
        Concern.DISTRESS: "The writer of a public post may be about to harm themselves.",
        Concern.WELFARE: "A public post suggests that somebody may be in danger.",
        Concern.ABUSE: f"A public post {may} abuse of {whom}.",
        Concern.UNGRADED: f"A public post names {whom}, and the program could not grade it.",
        Concern.SECOND_HAND: f"A public post tells of a threat to, or abuse of, {whom} elsewhere.",
        Concern.NEUTRAL: f"A public post names {whom}.",
    }[concern]
    return f"{happened} {first}"


# --- small words ---------------------------------------------------------------------------------

_SURENESS = (
    (0.95, "very sure", "more than 19 in 20"),
    (0.85, "quite sure", "about 9 in 10"),
    (0.7, "fairly sure", "about 3 in 4"),
    (0.5, "more likely than not", "about 6 in 10"),
    (0.0, "not sure", "less than 1 in 2"),
)


def sureness(probability: float) -> str:
    """A calibrated probability as people say it: "quite sure (about 9 in 10)"."""
    for least, words, odds in _SURENESS:
        if probability >= least:
            return f"{words} ({odds})"
    return "not sure"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def when(moment: datetime, zone: ZoneInfo) -> str:
    """A time as the school reads it: "Friday 20 November 2026, 18:42 GMT"."""
    local = moment.astimezone(zone)
    return f"{_DAYS[local.weekday()]} {day(moment, zone)}, {local:%H:%M} {local.tzname()}"


def day(moment: datetime, zone: ZoneInfo) -> str:
    """A date as the school reads it: "20 November 2026"; never in the words of a locale."""
    local = moment.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 post", "1,204 posts"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
