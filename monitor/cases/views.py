"""What a message may know: frozen values that the core fills in and the composer turns to words.

Nothing here reads a database or a config. An alert view shows one post with all its targets (or,
for a first look, all posts of a new source); `MailWords` is what a school settled once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.cases.events import Event
from monitor.model import (
    AlertKind,
    Certainty,
    DateSource,
    Flag,
    Reason,
    Role,
    Scores,
    Severity,
    Urgency,
    aware,
)


class Quote(StrEnum):
    """How much of a post a message shows: nothing, the deciding words masked, or all of it."""

    NONE = "none"
    MASKED = "masked"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom the procedure asks the school to reach; `checked_on` is when it was right."""

    name: str = ""
    phone: str = ""
    email: str = ""
    url: str = ""
    checked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Contacts:
    """The people and offices outside the alert itself; None where the school gave none."""

    safeguarding_lead: Contact | None = None
    lado: Contact | None = None
    police_force: Contact | None = None
    chair: Contact | None = None
    hr: Contact | None = None
    employee_assistance: Contact | None = None
    union: Contact | None = None


@dataclass(frozen=True, slots=True)
class HelpLine:
    """Help for the person named: who, what for, how to reach them, and when that was checked."""

    name: str
    purpose: str
    reach: str
    checked_on: date | None = None


@dataclass(frozen=True, slots=True)
class MailWords:
    """What one school settled about its messages.

    `timezone` is an IANA name; every time is shown in it, with its zone. `public_url` is where the
    pages can be reached, if they can. `not_yet_lawful` names what `[lawful]` still lacks.
    """

    school: str
    quote: Quote = Quote.MASKED
    timezone: str = "Europe/London"
    public_url: str | None = None
    contacts: Contacts = field(default_factory=Contacts)
    help_lines: tuple[HelpLine, ...] = ()
    not_yet_lawful: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Recipient:
    """The one person to whom a message goes, and the part they play."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class PostView:
    """One version of a post, as it was kept.

    `published` is the time as the source claims it, `dated_by` the field that claimed it.
    `clock_synchronised` is None where the system could not say. `edited` is true when an earlier
    version of the same post is kept too. `reference` names the mention or its post in the log.
    """

    reference: str
    platform: str
    source: str
    text: str
    first_seen: datetime
    captured_at: datetime
    title: str = ""
    thread: str = ""
    author: str = ""
    url: str = ""
    published: datetime | None = None
    dated_by: DateSource = DateSource.NONE
    clock_synchronised: bool | None = None
    edited: bool = False

    def __post_init__(self) -> None:
        aware(self.first_seen)
        aware(self.captured_at)


@dataclass(frozen=True, slots=True)
class MentionView:
    """One target of a post: who, how surely, and what the post does to them."""

    post: PostView
    target_name: str
    severity: Severity
    certainty: Certainty = Certainty.CERTAIN
    target_is_reader: bool = False
    target_is_school: bool = False
    unsure: bool = False
    flags: frozenset[Flag] = frozenset()
    scores: Scores | None = None
    reasons: tuple[Reason, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class AlertView:
    """That somebody must know of these mentions. CONCERN, POSSIBLE, ALLEGATION, FIRST_LOOK, TEST.

    `reference` is the case ("SM-2026-0007"). `told_also` names the others who were told, in words.
    `times_told` counts the earlier messages of this alert to anybody; `ack_code` answers it.
    A `drill` is marked as such wherever it is shown.
    """

    kind: AlertKind
    urgency: Urgency
    recipient: Recipient
    sent_at: datetime
    reference: str = ""
    mentions: tuple[MentionView, ...] = ()
    told_also: tuple[str, ...] = ()
    times_told: int = 0
    ack_code: str = ""
    drill: bool = False

    def __post_init__(self) -> None:
        aware(self.sent_at)


class DigestReason(StrEnum):
    """Why a mention is in the digest and not in an alert of its own."""

    NEUTRAL = "neutral"
    MILD = "mild"
    POSSIBLE = "possible"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class DigestRow:
    """One mention in the digest."""

    why: DigestReason
    mention: MentionView


@dataclass(frozen=True, slots=True)
class Blind:
    """A time in which a source could not be looked at; `until` is None while it still cannot."""

    source: str
    since: datetime
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DigestView:
    """What happened since the last digest, for one reader who may see all of it.

    `posts_read` counts what the sources brought, `matched` what named somebody; both leave out
    whatever this reader is not cleared for, as do `rows`. `waiting` more come in the next digest.
    """

    recipient: Recipient
    since: datetime
    until: datetime
    posts_read: int
    matched: int
    sources_read: int
    alerts_sent: int = 0
    rows: tuple[DigestRow, ...] = ()
    waiting: int = 0
    blind: tuple[Blind, ...] = ()


class OperatorEvent(StrEnum):
    """What the administrator must hear about the service itself."""

    SOURCE_BROKEN = "source-broken"
    SOURCE_RECOVERED = "source-recovered"
    SOURCE_STOPPED = "source-stopped"
    CHANNEL_BROKEN = "channel-broken"
    CHANNEL_RECOVERED = "channel-recovered"
    DELIVERY_FAILED = "delivery-failed"
    ALERT_UNANSWERED = "alert-unanswered"
    SELF_TEST_FAILED = "self-test-failed"
    GRADER_MISSING = "grader-missing"
    CLOCK_UNSYNCHRONISED = "clock-unsynchronised"
    CLOCK_WENT_BACK = "clock-went-back"
    ENDED_UNASKED = "ended-unasked"
    DISK_LOW = "disk-low"
    EVIDENCE_BROKEN = "evidence-broken"


@dataclass(frozen=True, slots=True)
class OperatorView:
    """One fact about the service, for the person who runs it; it holds no post text.

    `subject_of` names the source or channel as the config does; `detail` is the error's own line.
    """

    event: OperatorEvent
    recipient: Recipient
    at: datetime
    subject_of: str = ""
    detail: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class WitnessView:
    """A checkpoint for somebody outside who keeps it; `note` is the signed note, word for word.

    `events` are what befell the log since the last such mail, the first first.
    """

    recipient: Recipient
    at: datetime
    size: int
    note: str
    verifier: str
    events: tuple[Event, ...] = ()


View = AlertView | DigestView | OperatorView | WitnessView


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one message, ready for any channel."""

    subject: str
    text: str
    html: str
