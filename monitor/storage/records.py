"""What storage takes and gives: frozen values around the nouns, with their stored identities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.evidence.leaf import Json
from monitor.model import (
    AlertKind,
    AlertState,
    CaseState,
    Cursor,
    DeliveryState,
    Grade,
    GradingState,
    Mention,
    Message,
    Post,
    Role,
    Scope,
    Urgency,
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands. `stopped` means that only a person can help (a refused key).

    `note` is what the last answer said beside its posts: that the source moved, that it has more.
    """

    name: str
    kind: str
    cursor: Cursor | None = None
    first_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    next_due_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_error: str = ""
    note: str = ""
    stopped: bool = False
    told: bool = False
    polls: int = 0
    fetched: int = 0
    matched: int = 0


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A channel that takes nothing: since when its oldest message waits, and what it said last."""

    channel: str
    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Capture:
    """A post about to be stored, with all its mentions.

    Its raw bytes, and the WARC file that they stand in, are already in the vault.
    """

    post: Post
    raw_sha256: str
    mentions: tuple[Mention, ...]
    scope: Scope
    first_look: bool
    warc_sha256: str = ""

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests under which the vault keeps what it needs."""
        return tuple(each for each in (self.raw_sha256, self.warc_sha256) if each)


@dataclass(frozen=True, slots=True)
class Turn:
    """The facts of one successful turn of one source; `clock` is the state of this machine's."""

    source: str
    kind: str
    cursor: Cursor | None
    started_at: datetime
    captured_at: datetime
    fetched: int
    malformed: int
    not_modified: bool
    complete: bool
    next_due_at: datetime
    clock: Mapping[str, Json]
    note: str = ""


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post as kept: what it said, when it was first seen and captured, and where it is sealed."""

    id: int
    post: Post
    source: str
    scope: Scope
    first_seen_at: datetime
    captured_at: datetime
    clock_synchronised: bool | None
    raw_sha256: str
    entry_index: int
    edited: bool = False


@dataclass(frozen=True, slots=True)
class StoredMention:
    """A mention as kept, with the post that it is part of.

    `first_look`: it was there before its source was watched.
    """

    id: int
    kept: StoredPost
    mention: Mention
    first_look: bool
    state: GradingState
    case_id: int | None
    entry_index: int


@dataclass(frozen=True, slots=True)
class StoredGrade:
    """One judgement as kept; the newest of a mention stands."""

    id: int
    mention_id: int
    grade: Grade
    at: datetime
    entry_index: int


@dataclass(frozen=True, slots=True)
class StoredOpinion:
    """One question to another model, as sealed, and what became of it (None: not answered yet).

    `told` is every word that the model was told; `found` holds `said`, its answer, or `why` that
    counts as none. Both are empty once the mention was erased.
    """

    asked_entry: int
    asked_at: datetime
    model: str
    server: str
    told: str
    given_entry: int | None = None
    found: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person who can be told, and over which channels."""

    person: str
    name: str
    address: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hearing:
    """That `person` must hear, in this role, through an alert of this kind, from `due_at` on."""

    kind: AlertKind
    person: str
    role: Role
    urgency: Urgency
    due_at: datetime
    about_headteacher: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that one judged mention changes, for one commit."""

    mention_id: int
    grade: Grade
    hearings: tuple[Hearing, ...]
    addressees: Mapping[str, Addressee]
    card: Mapping[str, str] = field(default_factory=dict)
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert as kept."""

    id: int
    key: str
    kind: AlertKind
    reference: str
    state: AlertState
    step: int
    text: str
    raised_at: datetime
    answered_at: datetime | None
    answered_by: str
    answered_how: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One mention as one person hears of it."""

    stored: StoredMention
    grade: StoredGrade
    role: Role
    urgency: Urgency
    case_reference: str


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One row of the outbox."""

    id: int
    alert_id: int
    person: str
    role: Role
    recipient: str
    recipient_name: str
    channel: str
    step: int
    urgency: Urgency
    state: DeliveryState
    due_at: datetime
    attempts: int
    created_at: datetime
    message_id: str
    message: Message | None
    last_error: str
    finished_at: datetime | None
    receipt: str
    escalated: bool


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case: its number, its state, its mentions and notes."""

    id: int
    reference: str
    state: CaseState
    restricted: bool
    opened_at: datetime
    mention_ids: tuple[int, ...]
    notes: tuple[tuple[datetime, str, str], ...]
