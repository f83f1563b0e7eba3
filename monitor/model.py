"""The nouns of the house: frozen, aware of time zones, standard library only.

A reader follows one post through these types in order: `Answer` and `Post` (what a platform said),
`Mention` (one version of a post x one target), `Grade` (what it does to that target), `Alert` and
`Delivery` (who must know, and how), `Case` (mentions that belong together).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NewType

Cursor = NewType("Cursor", str)
"""Opaque to everybody but the connector that made it; kept under the source's name."""


class NaiveTimeError(ValueError):
    """A time without a zone was given where an aware one is needed."""


def aware(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises:
        NaiveTimeError: when the time has no zone; relabelling it would invent evidence.
    """
    if moment.tzinfo is None:
        message = f"a time without a zone is not evidence: {moment!r}"
        raise NaiveTimeError(message)
    return moment.astimezone(UTC)


# --- poll: what a platform said -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostRef:
    """The permanent name of a post: unique for ever, whatever happens to its text."""

    platform: str
    native_id: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post, as the platform said it; every part may be unknown. Never a guess."""

    handle: str = ""
    name: str = ""
    native_id: str = ""
    url: str = ""


class Scope(StrEnum):
    """Where a post stands: in a place that is itself about one school, or anywhere."""

    SCHOOL = "school"
    OPEN = "open"


class DateSource(StrEnum):
    """Which field of the source gave the time of a post (procedure section 6, "When")."""

    PUBLISHED = "published"
    UPDATED = "updated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP (or like) answer as it arrived, without its body; secrets are already removed.

    `sha256` is the hex digest of the whole expanded body, `size` its length in bytes. `request` are
    the headers with which it was asked for, as far as they may be told; None where not known.
    """

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    sha256: str
    size: int
    received_at: datetime
    request: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "received_at", aware(self.received_at))


@dataclass(frozen=True, slots=True)
class RawItem:
    """The bytes that carried one post, and where they stood in their answer.

    `offset` is a byte offset into the answer's body; None where the whole answer is kept because
    the item could not be cut out.
    """

    content: bytes
    media_type: str
    offset: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """One version of what somebody said in public.

    `text` and `title` are plain text (tags stripped, entities undone once), with no lone
    surrogates. `thread` is the text that this post answers, where the source gave it.
    """

    ref: PostRef
    text: str
    url: str = ""
    title: str = ""
    author: Author = field(default_factory=Author)
    thread: str = ""
    published: datetime | None = None
    published_raw: str = ""
    dated_by: DateSource = DateSource.NONE
    media_urls: tuple[str, ...] = ()
    raw: RawItem | None = None
    answer: Answer | None = None

    def __post_init__(self) -> None:
        if self.published is not None:
            object.__setattr__(self, "published", aware(self.published))

    @property
    def version(self) -> str:
        """16 hex digits that change when what a reader sees (title, text) changes."""
        seen = json.dumps([self.title, self.text], ensure_ascii=False).encode()
        return hashlib.sha256(seen).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brought: posts, the cursor to keep once they are stored, the answers seen.

    `not_modified` is true when the source said that nothing changed: looked, and found nothing new.
    `not_before` asks the scheduler for patience (a feed's ttl, Cache-Control).
    `malformed` counts things in the answer that could not be read as posts.
    `complete` is false when the source has more than this batch could carry (a gap is possible).
    """

    posts: tuple[Post, ...]
    cursor: Cursor | None
    answers: tuple[Answer, ...] = ()
    not_modified: bool = False
    not_before: datetime | None = None
    malformed: int = 0
    complete: bool = True
    note: str = ""


class Presence(StrEnum):
    """What a second look at a post found."""

    PRESENT = "present"
    EDITED = "edited"
    GONE = "gone"
    COULD_NOT_LOOK = "could-not-look"


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of looking again at one post; `post` is its new version where edited."""

    ref: PostRef
    presence: Presence
    answer: Answer | None = None
    post: Post | None = None
    note: str = ""


# --- match: who is meant --------------------------------------------------------------------


class TargetKind(StrEnum):
    PERSON = "person"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A person on the roster (their id) or a school (its id)."""

    kind: TargetKind
    id: str


class Certainty(StrEnum):
    """How sure a match is. A possible one is kept and shown apart, never alerted as certain."""

    CERTAIN = "certain"
    LESS_SURE = "less-sure"
    POSSIBLE = "possible"


class PostField(StrEnum):
    """The part of a post in which words stand."""

    TEXT = "text"
    TITLE = "title"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class Match:
    """Why a target is meant: the rule and the characters, as offsets in code points of the field.

    `confidence` runs from 0 to 1. `context` names the ties that raised or lowered it
    ("scope:school", "place:dunnowby", "staff:karen-smith").
    """

    target: Target
    field: PostField
    rule: str
    start: int
    end: int
    text: str
    confidence: float
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """One version of a post x one target, with every match that led there, the surest first."""

    post: Post
    target: Target
    certainty: Certainty
    matches: tuple[Match, ...]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """(platform, native id, version, target): at most one mention of each, for ever."""
        ref = self.post.ref
        return (
            ref.platform,
            ref.native_id,
            self.post.version,
            f"{self.target.kind}:{self.target.id}",
        )


# --- grade: what the text does to the target --------------------------------------------------


class Severity(StrEnum):
    """The three grades of the procedure, and the visible state of a grade that failed."""

    THREATENING = "threatening"
    ABUSIVE = "abusive"
    NEUTRAL = "neutral"
    UNGRADED = "ungraded"

    @property
    def rank(self) -> int:
        """Gravest first: 0 threatening, 1 abusive or ungraded (unsure abuse), 2 neutral."""
        return {"threatening": 0, "abusive": 1, "ungraded": 1, "neutral": 2}[self.value]


class Flag(StrEnum):
    """Marks beside the grade; some route an alert by themselves (design, "Who hears, when")."""

    ALLEGATION = "allegation"
    PRIVATE_INFORMATION = "private-information"
    PILE_ON = "pile-on"
    IMPERSONATION = "impersonation"
    SEXUAL = "sexual"
    DISCRIMINATORY = "discriminatory"
    DISTRESS = "distress"
    WELFARE = "welfare"
    SECOND_HAND = "second-hand"
    MILD = "mild"


@dataclass(frozen=True, slots=True)
class Reason:
    """Words that decided a grade: code-point offsets into the text, and their measured weight."""

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated probabilities of the three grades; they add up to 1."""

    threatening: float
    abusive: float
    neutral: float


@dataclass(frozen=True, slots=True)
class Grade:
    """What a mention does to its target, by whom, and why.

    `by` is "model" or a person's id; a regrade is a second Grade, never a change to the first.
    `model` names model and hash; `note` carries a person's reason or why grading failed. Flags that
    are `faint` too were seen, but not surely enough to disturb somebody.
    """

    severity: Severity
    unsure: bool = False
    scores: Scores | None = None
    flags: frozenset[Flag] = frozenset()
    faint: frozenset[Flag] = frozenset()
    reasons: tuple[Reason, ...] = ()
    by: str = "model"
    model: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The standing grade of one mention, with what routes it: one of those that a post has."""

    mention_id: int
    version: str
    target: Target
    certainty: Certainty
    first_look: bool
    grade: Grade


# --- alert and case: who must know -------------------------------------------------------------


class Urgency(StrEnum):
    """When somebody hears (design, "Who hears, when")."""

    NOW = "now"
    DAYTIME = "daytime"
    SAME_DAY = "same-day"
    DIGEST = "digest"

    @property
    def rank(self) -> int:
        return list(type(self)).index(self)


class AlertKind(StrEnum):
    """What an alert is about, which decides what its message may show."""

    CONCERN = "concern"
    ALLEGATION = "allegation"
    POSSIBLE = "possible"
    FIRST_LOOK = "first-look"
    DIGEST = "digest"
    OPERATOR = "operator"
    TEST = "test"
    WITNESS = "witness"


class Role(StrEnum):
    """The parts that people play when they are told."""

    HEADTEACHER = "headteacher"
    DEPUTY = "deputy"
    SECOND_PERSON = "second_person"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    ADMINISTRATOR = "administrator"
    WITNESS = "witness"


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    TAKEN = "taken"
    LATER = "later"
    BOUNCED = "bounced"
    GIVEN_UP = "given-up"


class CaseState(StrEnum):
    PROPOSED = "proposed"
    OPEN = "open"
    CLOSED = "closed"
    REOPENED = "reopened"


class GradingState(StrEnum):
    """Whether a stored mention has been judged."""

    ACCEPTED = "accepted"
    JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class Notice:
    """That these roles must hear of a mention, this urgently: the answer of the routing table."""

    kind: AlertKind
    urgency: Urgency
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person, rendered once and kept, so that a repeat is the same message.

    `message_id` is the RFC 5322 identity without angle brackets; other channels use it as a key.
    """

    message_id: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str
    urgent: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side said when it took a message."""

    said: str
    at: datetime
