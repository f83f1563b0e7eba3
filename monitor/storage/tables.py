"""The rows, one class a table; they never leave this room.

SQLModel does not validate `table=True` classes, so rows are built only from the nouns of
`monitor.model`. Times are aware and come back in UTC. A `..._json` column holds canonical JSON.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# SQLite counts rows only in a column that is exactly INTEGER.
_Big = BigInteger().with_variant(Integer(), "sqlite")


# The few grades that hide a post from every list but one, as `guarding.py` asks for them.
_ALLEGATION = text("flags_json like '%\"allegation\"%'")


class EntryRow(SQLModel, table=True):
    """One leaf of the log: `content` is final; `erased_by` is the entry that forgot it."""

    __tablename__ = "entry"
    index: int = Field(primary_key=True, sa_type=_Big, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(index=True)
    at: datetime
    content: bytes = Field(sa_type=LargeBinary)
    leaf_hash: bytes = Field(sa_type=LargeBinary)
    erased_by: int | None = Field(default=None, sa_type=_Big)


class DisclosureRow(SQLModel, table=True):
    """What opens one salted commitment of an entry (RFC 9901); destroyed to forget it."""

    __tablename__ = "disclosure"
    entry_index: int = Field(primary_key=True, sa_type=_Big, foreign_key="entry.index")
    name: str = Field(primary_key=True)
    encoded: str


class NodeRow(SQLModel, table=True):
    """A complete interior node of the tree, so that proofs cost a few reads at any size."""

    __tablename__ = "node"
    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    index: int = Field(primary_key=True, sa_type=_Big, sa_column_kwargs={"autoincrement": False})
    hash: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(SQLModel, table=True):
    """A signed note over the first `size` entries."""

    __tablename__ = "checkpoint"
    size: int = Field(primary_key=True, sa_type=_Big, sa_column_kwargs={"autoincrement": False})
    note: str
    at: datetime


class StampRow(SQLModel, table=True):
    """An authority's time-stamp (RFC 3161) on a checkpoint; a renewal is another row."""

    __tablename__ = "stamp"
    entry_index: int = Field(
        primary_key=True,
        sa_type=_Big,
        foreign_key="entry.index",
        sa_column_kwargs={"autoincrement": False},
    )
    checkpoint_size: int = Field(sa_type=_Big, foreign_key="checkpoint.size", index=True)
    authority: str
    token: bytes = Field(sa_type=LargeBinary)
    chain: str
    at: datetime
    expires_at: datetime
    received_at: datetime


class SourceRow(SQLModel, table=True):
    """How one source stands: its cursor, and when it was last looked at."""

    __tablename__ = "source"
    name: str = Field(primary_key=True)
    kind: str
    cursor: str | None = None
    first_success_at: datetime | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    next_due_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_error: str = ""
    note: str = Field(default="", sa_column_kwargs={"server_default": ""})
    stopped: bool = False
    told: bool = False
    polls: int = 0
    fetched: int = 0
    matched: int = 0


class PostRow(SQLModel, table=True):
    """One version of a matched post."""

    __tablename__ = "post"
    __table_args__ = (
        UniqueConstraint("platform", "native_id", "version"),
        Index("ix_post_author", "author_handle", "platform"),
        Index("ix_post_source", "source", "id"),
        Index("ix_post_captured", "captured_at", "id"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    platform: str
    native_id: str
    version: str
    source: str
    url: str
    title: str
    text: str
    thread: str
    author_handle: str
    author_name: str = Field(index=True)
    author_native_id: str
    author_url: str
    published: datetime | None
    published_raw: str
    dated_by: str
    media_urls_json: str
    raw_sha256: str = Field(index=True)
    warc_sha256: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    raw_media_type: str
    raw_offset: int | None = Field(sa_type=_Big)
    answer_json: str
    first_seen_at: datetime
    captured_at: datetime
    clock_synchronised: bool | None
    scope: str
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)
    erased_by: int | None = Field(default=None, sa_type=_Big)


class CaseRow(SQLModel, table=True):
    """Mentions that belong together; `number` runs within a year."""

    __tablename__ = "casefile"
    __table_args__ = (UniqueConstraint("year", "number"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    year: int
    number: int
    state: str
    restricted: bool
    opened_at: datetime
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class CaseNoteRow(SQLModel, table=True):
    """What a person wrote about a case."""

    __tablename__ = "case_note"
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    case_id: int = Field(sa_type=_Big, foreign_key="casefile.id", index=True)
    at: datetime
    by: str
    text: str
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class MentionRow(SQLModel, table=True):
    """One version of a post x one target: at most one for each, for ever."""

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("platform", "native_id", "version", "target_kind", "target_id"),
        Index("ix_mention_state", "state", "id"),
        Index("ix_mention_target", "target_id", "id"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    post_id: int = Field(sa_type=_Big, foreign_key="post.id", index=True)
    platform: str
    native_id: str
    version: str
    target_kind: str
    target_id: str
    certainty: str
    matches_json: str
    first_look: bool
    state: str
    case_id: int | None = Field(default=None, sa_type=_Big, foreign_key="casefile.id", index=True)
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)
    erased_by: int | None = Field(default=None, sa_type=_Big)


class GradeRow(SQLModel, table=True):
    """One judgement of a mention, by the model or a person; the newest stands."""

    __tablename__ = "grade"
    __table_args__ = (
        Index("ix_grade_severity", "severity", "mention_id", postgresql_include=["id"]),
        Index(
            "ix_grade_allegation",
            "mention_id",
            sqlite_where=_ALLEGATION,
            postgresql_where=_ALLEGATION,
        ),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    mention_id: int = Field(sa_type=_Big, foreign_key="mention.id", index=True)
    severity: str
    unsure: bool
    scores_json: str
    flags_json: str
    reasons_json: str
    by: str
    model: str
    note: str
    at: datetime
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class AlertRow(SQLModel, table=True):
    """The decision that somebody must know; `key` makes a second raising harmless."""

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("key"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    key: str
    kind: str
    waits_for: str = Field(index=True)
    reference: str
    state: str
    step: int
    text: str
    raised_at: datetime
    answered_at: datetime | None = None
    answered_by: str = ""
    answered_how: str = ""
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class HearingRow(SQLModel, table=True):
    """That one person must hear of one mention through one alert, in one role."""

    __tablename__ = "hearing"
    alert_id: int = Field(primary_key=True, sa_type=_Big, foreign_key="alert.id")
    mention_id: int = Field(primary_key=True, sa_type=_Big, foreign_key="mention.id", index=True)
    person: str = Field(primary_key=True)
    role: str
    urgency: str
    due_at: datetime
    about_headteacher: bool


class DigestLineRow(SQLModel, table=True):
    """A mention waiting for a person's next digest."""

    __tablename__ = "digest_line"
    mention_id: int = Field(primary_key=True, sa_type=_Big, foreign_key="mention.id")
    person: str = Field(primary_key=True)
    listed_in: int | None = Field(default=None, sa_type=_Big, foreign_key="alert.id", index=True)


class DeliveryRow(SQLModel, table=True):
    """An alert for one person over one channel: the outbox is the rows without a final state."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("alert_id", "person", "channel", "step"),
        Index("ix_delivery_due", "state", "due_at"),
        Index("ix_delivery_unanswered", "urgency", "escalated", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    alert_id: int = Field(sa_type=_Big, foreign_key="alert.id", index=True)
    person: str
    role: str
    recipient: str
    recipient_name: str
    channel: str
    step: int
    urgency: str
    state: str
    due_at: datetime
    attempts: int = 0
    created_at: datetime
    message_id: str
    message_json: str | None = None
    last_error: str = ""
    finished_at: datetime | None = None
    receipt: str = ""
    escalated: bool = False


class RememberedRow(SQLModel, table=True):
    """Small facts that must survive a restart: digests of config and roster, the last digest."""

    __tablename__ = "remembered"
    name: str = Field(primary_key=True)
    value: str


class HoldRow(SQLModel, table=True):
    """A legal hold on a case or on a mention outside one; while it stands, nothing goes."""

    __tablename__ = "legal_hold"
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    case_id: int | None = Field(default=None, sa_type=_Big, foreign_key="casefile.id", index=True)
    mention_id: int | None = Field(default=None, sa_type=_Big, foreign_key="mention.id", index=True)
    at: datetime
    by: str
    why: str
    released_at: datetime | None = None
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class TermRow(SQLModel, table=True):
    """Until when a case is kept, as a person decided; the newest of a case stands."""

    __tablename__ = "case_term"
    id: int | None = Field(default=None, primary_key=True, sa_type=_Big)
    case_id: int = Field(sa_type=_Big, foreign_key="casefile.id", index=True)
    keep_until: date
    at: datetime
    by: str
    why: str
    entry_index: int = Field(sa_type=_Big, foreign_key="entry.index", index=True)


class PictureRow(SQLModel, table=True):
    """The picture of a post's page: waited for, taken, or given up; one for each post."""

    __tablename__ = "picture"
    post_id: int = Field(
        primary_key=True,
        sa_type=_Big,
        foreign_key="post.id",
        sa_column_kwargs={"autoincrement": False},
    )
    state: str
    attempts: int = 0
    due_at: datetime = Field(index=True)
    sha256: str = Field(default="", index=True)
    entry_index: int | None = Field(
        default=None, sa_type=_Big, foreign_key="entry.index", index=True
    )


class LeftoverRow(SQLModel, table=True):
    """What an erasure has still to destroy outside its commit: a blob, or (`""`) freed pages."""

    __tablename__ = "leftover"
    digest: str = Field(primary_key=True)
