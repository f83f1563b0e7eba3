"""Erasure: salts and content destroyed in one commit with the entry that says who did it and why.

The rows stay, emptied, because entries name them; what a mention's record was is then unreadable
for good, while every leaf of the log stays as it was. Blobs and freed pages lie outside a commit:
what has still to be destroyed stands in `leftover` until it is gone, so a crash is made up for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.evidence.leaf import open_leaf
from monitor.evidence.vault import Vault
from monitor.model import AlertState, DeliveryState, GradingState
from monitor.storage import ledger
from monitor.storage.engine import Database
from monitor.storage.forgetting import make_key, mark
from monitor.storage.holding import held_mentions
from monitor.storage.opinions import forget_opinions
from monitor.storage.pictures import forget_picture, picture_entries
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    DeliveryRow,
    DigestLineRow,
    DisclosureRow,
    EntryRow,
    GradeRow,
    HearingRow,
    LeftoverRow,
    MentionRow,
    PictureRow,
    PostRow,
)
from monitor.storage.words import unindex_posts

ERASED = "erased"
"""Stands where a person, a place or a message stood."""

_PAGES = ""
_MESSAGE = "message_sha256"
_ENDED = (DeliveryState.TAKEN.value, DeliveryState.BOUNCED.value, DeliveryState.GIVEN_UP.value)


@dataclass(slots=True)
class Erased:
    """What one erasure destroyed: the entry that records it (None: nothing was left to erase)."""

    entry: int | None = None
    mentions: list[int] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)
    messages: int = 0


class Erasing:
    """The one way by which anything is forgotten."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase(
        self, mention_ids: Sequence[int], *, reason: str, by: str, at: datetime, basis: str
    ) -> Erased:
        """Erase mentions; a post goes with the last of its mentions. Doing it again is harmless.

        `basis` is "person" or "retention" ("restore": see `repeating`). Call `settle` afterwards:
        it destroys blobs and pages.

        Raises:
            EvidenceError: a mention is unknown, under a legal hold, still to be graded, or still
                to be told of. Nothing was erased.
        """
        with self._database.write() as session:
            rows = [_wanted(session, each) for each in sorted(set(mention_ids))]
            rows = [row for row in rows if row.erased_by is None]
            if not rows:
                return Erased()
            _refuse_what_must_stay(session, rows)
            return erase_rows(session, rows, reason=reason, by=by, at=at, basis=basis)

    def settle(self, vault: Vault) -> bool:
        """Destroy what erasures left outside their commits; True where nothing is left over.

        Raises:
            EvidenceError: the disk refuses; it is tried again at the next start or round.
        """
        with self._database.read() as session:
            if session.exec(select(LeftoverRow).limit(1)).one_or_none() is None:
                return True
        with self._database.write() as session:
            # Under the writer's lock, so that no capture takes a blob up while it goes.
            for row in session.exec(select(LeftoverRow).where(col(LeftoverRow.digest) != _PAGES)):
                if not _is_needed(session, row.digest):
                    vault.erase(row.digest)
                session.delete(row)
        if not self._database.destroy_freed():
            return False
        with self._database.write() as session:
            session.connection().execute(
                delete(LeftoverRow).where(col(LeftoverRow.digest) == _PAGES)
            )
        return True


def _wanted(session: Session, mention_id: int) -> MentionRow:
    row = session.get(MentionRow, mention_id)
    if row is None:
        raise EvidenceError(f"there is no mention {mention_id}; nothing was erased")
    return row


def _refuse_what_must_stay(session: Session, rows: Sequence[MentionRow]) -> None:
    held = held_mentions(session, [_id(row) for row in rows])
    for row in rows:
        if _id(row) in held:
            raise EvidenceError(
                f"mention {row.id} is under a legal hold, or one in the same post or message is:"
                " nothing was erased; `evidence release` ends a hold"
            )
        if row.state == GradingState.ACCEPTED.value:
            raise EvidenceError(f"mention {row.id} waits for its grade: nothing was erased")
        if to_be_told(session, _id(row)):
            raise EvidenceError(
                f"mention {row.id} is still to be told of, or its alert is not answered:"
                " nothing was erased; answer the alert first (`alert ack`)"
            )


def to_be_told(session: Session, mention_id: int) -> bool:
    """Whether an alert about the mention still rings, or a message about it is still to go."""
    alerts = _alerts_of(session, mention_id)
    if not alerts:
        return False
    ringing = select(AlertRow.id).where(col(AlertRow.id).in_(alerts))
    ringing = ringing.where(col(AlertRow.state) != AlertState.ACKNOWLEDGED.value)
    ringing = ringing.where(col(AlertRow.kind) != "digest")
    unsent = select(DeliveryRow.id).where(col(DeliveryRow.alert_id).in_(alerts))
    unsent = unsent.where(col(DeliveryRow.state).not_in(_ENDED))
    return any(
        session.exec(query.limit(1)).one_or_none() is not None for query in (ringing, unsent)
    )


def _alerts_of(session: Session, mention_id: int) -> set[int]:
    """Every alert and digest in which the mention was told."""
    heard = session.exec(
        select(HearingRow.alert_id).where(col(HearingRow.mention_id) == mention_id)
    ).all()
    listed = session.exec(
        select(DigestLineRow.listed_in).where(col(DigestLineRow.mention_id) == mention_id)
    ).all()
    return {each for each in (*heard, *listed) if each is not None}


def erase_rows(
    session: Session, rows: Sequence[MentionRow], *, reason: str, by: str, at: datetime, basis: str
) -> Erased:
    """Erase these mentions in this commit; the caller has seen to it that they may go."""
    done = Erased(mentions=[_id(row) for row in rows])
    posts = _posts_that_go(session, rows)
    grades = [grade for row in rows for grade in _grades(session, row)]
    messages = _messages(session, done.mentions)
    whole = {row.entry_index for row in rows} | {post.entry_index for post in posts}
    whole |= {grade.entry_index for grade in grades}
    whole |= set(_looks(session, {post.entry_index for post in posts}))
    whole |= set(picture_entries(session, posts))
    notes = _notes_that_go(session, rows)
    whole |= {note.entry_index for note in notes}
    whole |= {index for row in rows for index in forget_opinions(session, _id(row))}
    of_messages = set(_attempts(session, messages))
    named = sorted(whole | of_messages)
    leaf = entries.record_erased(at=at, erased=named, basis=basis, by=by, reason=reason)
    (done.entry,) = ledger.append(session, [leaf])
    connection = session.connection()
    for part in _parts(sorted(whole)):
        where = col(DisclosureRow.entry_index).in_(part)
        connection.execute(delete(DisclosureRow).where(where))
    for part in _parts(sorted(of_messages)):
        where = col(DisclosureRow.entry_index).in_(part)
        connection.execute(
            delete(DisclosureRow).where(where).where(col(DisclosureRow.name) == _MESSAGE)
        )
    for part in _parts(named):
        where = col(EntryRow.index).in_(part)
        connection.execute(update(EntryRow).where(where).values(erased_by=done.entry))
    key = make_key(session)
    unindex_posts(session, posts)
    for post in posts:
        for digest in filter(None, (post.raw_sha256, post.warc_sha256)):
            session.merge(LeftoverRow(digest=digest))
        forget_picture(session, _id(post))
        _empty_post(post, key, done.entry)
    for row in rows:
        _empty_mention(row, key, done.entry)
    for grade in grades:
        grade.scores_json, grade.flags_json, grade.reasons_json = "null", "[]", "[]"
        grade.note = ""
    for message in messages:
        message.message_json = None
    for note in notes:
        note.by = note.text = ""
    session.merge(LeftoverRow(digest=_PAGES))
    done.posts, done.messages = [_id(post) for post in posts], len(messages)
    return done


def _posts_that_go(session: Session, rows: Sequence[MentionRow]) -> list[PostRow]:
    """The posts of which no other mention is left."""
    going = {_id(row) for row in rows}
    posts = []
    for post_id in sorted({row.post_id for row in rows}):
        left = session.exec(
            select(MentionRow.id)
            .where(col(MentionRow.post_id) == post_id)
            .where(col(MentionRow.erased_by).is_(None))
        ).all()
        if going.issuperset(left):
            posts.append(session.get_one(PostRow, post_id))
    return posts


def _notes_that_go(session: Session, rows: Sequence[MentionRow]) -> list[CaseNoteRow]:
    """The notes of cases of which no mention is left."""
    going = {_id(row) for row in rows}
    notes: list[CaseNoteRow] = []
    for case_id in sorted({row.case_id for row in rows if row.case_id is not None}):
        left = session.exec(
            select(MentionRow.id)
            .where(col(MentionRow.case_id) == case_id)
            .where(col(MentionRow.erased_by).is_(None))
        ).all()
        if going.issuperset(left):
            notes += session.exec(select(CaseNoteRow).where(col(CaseNoteRow.case_id) == case_id))
    return notes


def _grades(session: Session, row: MentionRow) -> Sequence[GradeRow]:
    return session.exec(select(GradeRow).where(col(GradeRow.mention_id) == row.id)).all()


def _messages(session: Session, mention_ids: Sequence[int]) -> list[DeliveryRow]:
    """The messages that quoted these mentions, as far as they are still kept."""
    alerts = sorted({each for one in mention_ids for each in _alerts_of(session, one)})
    return [
        row
        for part in _parts(alerts)
        for row in session.exec(
            select(DeliveryRow)
            .where(col(DeliveryRow.alert_id).in_(part))
            .where(col(DeliveryRow.message_json).is_not(None))
        )
    ]


def _attempts(session: Session, messages: Sequence[DeliveryRow]) -> Iterator[int]:
    """The entries that hold the digest of one of these messages."""
    if not messages:
        return
    wanted = {_id(row) for row in messages}
    alerts = sorted({row.alert_id for row in messages})
    raised = min(
        session.exec(
            select(func.min(col(AlertRow.entry_index))).where(col(AlertRow.id).in_(part))
        ).one()
        for part in _parts(alerts)
    )
    for index, content in _of_kind(session, "delivery.attempted", after=raised):
        if open_leaf(content, ()).public.get("delivery") in wanted:
            yield index


def _looks(session: Session, posts: set[int]) -> Iterator[int]:
    """The entries of later looks at posts that go."""
    for index, content in _of_kind(session, "post.looked-at-again") if posts else ():
        if open_leaf(content, ()).public.get("post_entry") in posts:
            yield index


def _of_kind(session: Session, kind: str, *, after: int = -1) -> Iterator[tuple[int, bytes]]:
    """The entries of a kind behind one; by their places, since a clock can go back."""
    query = select(EntryRow.index, EntryRow.content).where(col(EntryRow.kind) == kind)
    query = query.where(col(EntryRow.erased_by).is_(None)).where(col(EntryRow.index) > after)
    yield from session.exec(query)


def _parts(wanted: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(wanted), 500):
        yield wanted[start : start + 500]


def _empty_post(row: PostRow, key: bytes, erased_by: int) -> None:
    row.native_id = mark(key, row.platform, row.native_id, row.version)
    row.version = row.url = row.title = row.text = row.thread = ""
    row.author_handle = row.author_name = row.author_native_id = row.author_url = ""
    row.published, row.published_raw = None, ""
    row.media_urls_json, row.answer_json = "[]", "null"
    row.raw_sha256, row.raw_media_type, row.raw_offset = "", "", None
    row.warc_sha256 = ""
    row.erased_by = erased_by


def _empty_mention(row: MentionRow, key: bytes, erased_by: int) -> None:
    target = f"{row.target_kind}:{row.target_id}"
    row.native_id = mark(key, row.platform, row.native_id, row.version, target)
    row.version, row.target_id, row.matches_json = "", ERASED, "[]"
    row.erased_by = erased_by


def _is_needed(session: Session, digest: str) -> bool:
    kept = or_(col(PostRow.raw_sha256) == digest, col(PostRow.warc_sha256) == digest)
    if session.exec(select(PostRow.id).where(kept).limit(1)).one_or_none() is not None:
        return True
    shown = select(PictureRow.post_id).where(col(PictureRow.sha256) == digest)
    return session.exec(shown.limit(1)).one_or_none() is not None


def _id(row: MentionRow | PostRow | DeliveryRow) -> int:
    assert row.id is not None
    return row.id
