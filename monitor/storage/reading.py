"""What people and messages read: mentions with their grades, cases, counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, exists, func
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import (
    AlertKind,
    CaseState,
    DeliveryState,
    Flag,
    GradingState,
    Role,
    Severity,
    Target,
    Urgency,
)
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.casebook import case_reference
from monitor.storage.convert import stored_grade, stored_mention, stored_post, target_of
from monitor.storage.engine import Database
from monitor.storage.listing import Found, newest, read_found
from monitor.storage.records import Heard, StoredCase, StoredGrade, StoredMention, StoredPost
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    CaseRow,
    DeliveryRow,
    DigestLineRow,
    GradeRow,
    HearingRow,
    MentionRow,
    PostRow,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of everything, for `status`."""

    posts: int
    mentions: int
    waiting_for_grade: int
    ungraded: int
    outbox: int
    entries: int


@dataclass(frozen=True, slots=True)
class CountedPost:
    """One post version as a digest counts it."""

    targets: tuple[Target, ...]
    accused: tuple[Target, ...]


class Reading:
    """Read-only questions about what is kept, and the notes that people add."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mention(self, mention_id: int) -> StoredMention | None:
        with self._database.read() as session:
            row = session.get(MentionRow, mention_id)
            return _mention(session, row) if row else None

    def mentions(
        self,
        *,
        limit: int = 50,
        severity: Severity | None = None,
        target: str | None = None,
        source: str | None = None,
        restricted: bool | None = None,
    ) -> tuple[Found, ...]:
        """The newest mentions with their grades; `restricted`: allegations only, or none."""
        query = newest(severity=severity, target=target, source=source, restricted=restricted)
        with self._database.read() as session:
            return read_found(session, session.exec(query.limit(limit)).all())

    def regraded(self, *, by_none_of: Collection[str]) -> tuple[StoredMention, ...]:
        """Mentions whose standing grade was given by somebody else than these, oldest first."""
        query = (
            select(MentionRow)
            .join(GradeRow, col(GradeRow.id) == newest_grade())
            .where(col(MentionRow.erased_by).is_(None))
            .where(col(GradeRow.by).not_in(by_none_of))
            .order_by(col(MentionRow.id))
        )
        with self._database.read() as session:
            return tuple(_mention(session, row) for row in session.exec(query).all())

    def grades(self, mention_id: int) -> tuple[StoredGrade, ...]:
        """Every judgement of a mention, the oldest first."""
        with self._database.read() as session:
            rows = session.exec(
                select(GradeRow)
                .where(col(GradeRow.mention_id) == mention_id)
                .order_by(col(GradeRow.id))
            )
            return tuple(stored_grade(row) for row in rows)

    def heard(self, alert_id: int, person: str) -> tuple[Heard, ...]:
        """What one person hears through one alert, the gravest first.

        A post that was found to carry an allegation since then is left out of every other alert.
        """
        query = (
            select(MentionRow, HearingRow)
            .join(HearingRow, col(HearingRow.mention_id) == col(MentionRow.id))
            .where(col(HearingRow.alert_id) == alert_id)
            .where(col(HearingRow.person) == person)
            .order_by(col(MentionRow.id))
        )
        with self._database.read() as session:
            kind = session.get_one(AlertRow, alert_id).kind
            found = [
                _heard(session, row, Role(hearing.role), Urgency(hearing.urgency))
                for row, hearing in session.exec(query).all()
                if kind == AlertKind.ALLEGATION.value or not _accused(session, row)
            ]
        return tuple(sorted(found, key=lambda each: each.grade.grade.severity.rank))

    def digest_lines(self, person: str, *, listed_in: int | None = None) -> tuple[Heard, ...]:
        """What waits for a person's next digest, or what the digest `listed_in` lists.

        A post that was found to carry an allegation since then is left out: it stands in no digest.
        """
        listed = col(DigestLineRow.listed_in)
        query = (
            select(MentionRow)
            .join(DigestLineRow, col(DigestLineRow.mention_id) == col(MentionRow.id))
            .where(col(DigestLineRow.person) == person)
            .where(col(MentionRow.erased_by).is_(None))
            .where(waits_to_be_listed() if listed_in is None else listed == listed_in)
            .order_by(col(MentionRow.id))
        )
        with self._database.read() as session:
            return tuple(
                _heard(session, row, Role.HEADTEACHER, Urgency.DIGEST)
                for row in session.exec(query).all()
                if not _accused(session, row)
            )

    def counted_posts(self, since: datetime, until: datetime) -> tuple[CountedPost, ...]:
        """Whom the posts captured in that time are about, and whom they accuse; words left out."""
        query = (
            select(MentionRow)
            .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
            .where(col(PostRow.captured_at) > since)
            .where(col(PostRow.captured_at) <= until)
            .order_by(col(MentionRow.id))
        )
        with self._database.read() as session:
            by_post: dict[int, list[MentionRow]] = {}
            for row in session.exec(query):
                by_post.setdefault(row.post_id, []).append(row)
            return tuple(
                CountedPost(tuple(map(target_of, rows)), _accused(session, rows[0]))
                for rows in by_post.values()
            )

    def case(self, reference: str) -> StoredCase | None:
        """The case with a number such as "SM-2026-0007"."""
        with self._database.read() as session:
            row = case_row(session, reference)
            return read_case(session, row) if row else None

    def cases(self, *, limit: int = 100) -> tuple[StoredCase, ...]:
        with self._database.read() as session:
            rows = session.exec(select(CaseRow).order_by(col(CaseRow.id).desc()).limit(limit))
            return tuple(read_case(session, row) for row in rows.all())

    def note(self, reference: str, *, by: str, text: str, at: datetime) -> None:
        """Add what a person wrote to a case. Raises KeyError where there is no such case."""
        with self._database.write() as session:
            row = case_row(session, reference)
            if row is None or row.id is None:
                raise KeyError(reference)
            leaf = entries.case_noted(at=at, reference=reference, by=by, text=text)
            (index,) = ledger.append(session, [leaf])
            session.add(CaseNoteRow(case_id=row.id, at=at, by=by, text=text, entry_index=index))

    def move_case(
        self, reference: str, state: CaseState, *, by: str, why: str, at: datetime
    ) -> StoredCase:
        """Change the state of a case. Raises KeyError, or MoveError where it may not move so."""
        with self._database.write() as session:
            row = case_row(session, reference)
            if row is None:
                raise KeyError(reference)
            row.state = move(CaseState(row.state), state).value
            leaf = entries.case_moved(at=at, reference=reference, state=state.value, by=by, why=why)
            ledger.append(session, [leaf])
            session.flush()
            return read_case(session, row)

    def post_of(self, platform: str, native_id: str) -> tuple[StoredPost, ...]:
        """Every kept version of a post, the oldest first."""
        with self._database.read() as session:
            rows = session.exec(
                select(PostRow)
                .where(col(PostRow.platform) == platform)
                .where(col(PostRow.native_id) == native_id)
                .order_by(col(PostRow.id))
            ).all()
            return tuple(stored_post(row, edited=index > 0) for index, row in enumerate(rows))

    def counts(self) -> Counts:
        with self._database.read() as session:

            def count(table: type, *where: object) -> int:
                query = select(func.count()).select_from(table)
                for each in where:
                    query = query.where(each)  # type: ignore[arg-type]
                return session.exec(query).one()

            accepted = col(MentionRow.state) == GradingState.ACCEPTED.value
            ungraded = col(GradeRow.severity) == Severity.UNGRADED.value
            unsent = col(DeliveryRow.finished_at).is_(None)
            return Counts(
                posts=count(PostRow),
                mentions=count(MentionRow),
                waiting_for_grade=count(MentionRow, accepted),
                ungraded=count(GradeRow, ungraded),
                outbox=count(DeliveryRow, unsent),
                entries=ledger.size(session),
            )


def waits_to_be_listed() -> ColumnElement[bool]:
    """For a query over `DigestLineRow`: in no digest, or in one that reached nobody for good."""
    lost = DeliveryState.BOUNCED.value, DeliveryState.GIVEN_UP.value
    hope = exists().where(
        col(DeliveryRow.alert_id) == col(DigestLineRow.listed_in),
        col(DeliveryRow.state).not_in(lost),
    )
    return col(DigestLineRow.listed_in).is_(None) | ~hope


def newest_grade() -> ScalarSelect[int]:
    """The id of the grade that stands, for a query over `MentionRow`."""
    newest = select(func.max(col(GradeRow.id))).where(
        col(GradeRow.mention_id) == col(MentionRow.id)
    )
    return newest.correlate(MentionRow).scalar_subquery()


def _mention(session: Session, row: MentionRow) -> StoredMention:
    post = session.get_one(PostRow, row.post_id)
    earlier = session.exec(
        select(func.count())
        .select_from(PostRow)
        .where(col(PostRow.platform) == post.platform)
        .where(col(PostRow.native_id) == post.native_id)
        .where(col(PostRow.id) < post.id)
    ).one()
    return stored_mention(row, stored_post(post, edited=earlier > 0))


def _heard(session: Session, row: MentionRow, role: Role, urgency: Urgency) -> Heard:
    grade = session.exec(
        select(GradeRow)
        .where(col(GradeRow.mention_id) == row.id)
        .order_by(col(GradeRow.id).desc())
        .limit(1)
    ).one()
    case = session.get(CaseRow, row.case_id) if row.case_id is not None else None
    return Heard(
        stored=_mention(session, row),
        grade=stored_grade(grade),
        role=role,
        urgency=urgency,
        case_reference=case_reference(case) if case else "",
    )


def _accused(session: Session, row: MentionRow) -> tuple[Target, ...]:
    """Whom the post of this mention accuses, in any of its versions, as their grades stand."""
    pairs = session.exec(
        select(MentionRow, GradeRow)
        .join(GradeRow, col(GradeRow.id) == newest_grade())
        .where(col(MentionRow.platform) == row.platform)
        .where(col(MentionRow.native_id) == row.native_id)
    )
    return tuple(
        target_of(mention)
        for mention, grade in pairs
        if Flag.ALLEGATION in stored_grade(grade).grade.flags
    )


def case_row(session: Session, reference: str) -> CaseRow | None:
    """The row of the case with a number such as "SM-2026-0007"."""
    try:
        prefix, year, number = reference.split("-")
        wanted = int(year), int(number)
    except ValueError:
        return None
    if prefix != "SM":
        return None
    return session.exec(
        select(CaseRow)
        .where(col(CaseRow.year) == wanted[0])
        .where(col(CaseRow.number) == wanted[1])
    ).one_or_none()


def read_case(session: Session, row: CaseRow) -> StoredCase:
    """A case with its mentions and notes."""
    assert row.id is not None
    mentions = session.exec(
        select(MentionRow.id).where(col(MentionRow.case_id) == row.id).order_by(col(MentionRow.id))
    ).all()
    notes = session.exec(
        select(CaseNoteRow).where(col(CaseNoteRow.case_id) == row.id).order_by(col(CaseNoteRow.id))
    ).all()
    return StoredCase(
        id=row.id,
        reference=case_reference(row),
        state=CaseState(row.state),
        restricted=row.restricted,
        opened_at=row.opened_at,
        mention_ids=tuple(found for found in mentions if found is not None),
        notes=tuple((note.at, note.by, note.text) for note in notes),
    )
