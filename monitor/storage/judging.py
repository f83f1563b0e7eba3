"""The commit that judges one mention: its grade, who hears of it, its case, its deliveries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import (
    AlertKind,
    Certainty,
    GradingState,
    PostRef,
    Role,
    Urgency,
    Verdict,
)
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.alerting import (
    add_deliveries,
    alert_by_key,
    keep_hearing,
    new_alert,
    release,
)
from monitor.storage.convert import grade_row, stored_grade, stored_mention, stored_post, target_of
from monitor.storage.engine import Database
from monitor.storage.reading import newest_grade, waits_to_be_listed
from monitor.storage.records import Addressee, Hearing, Judgement, StoredMention
from monitor.storage.tables import (
    AlertRow,
    DigestLineRow,
    GradeRow,
    HearingRow,
    MentionRow,
    PostRow,
)
from monitor.storage.withdrawal import withdraw


class Judging:
    """Mentions waiting for a grade, and what their grades set in motion."""

    def __init__(self, database: Database, mail_domain: str) -> None:
        self._database = database
        self._mail_domain = mail_domain

    def waiting(self, limit: int = 200, *, after: int = 0) -> tuple[StoredMention, ...]:
        """Accepted mentions with ids above `after`, in the order in which they came.

        About `limit` of them, but never a part of those of one post: a post is judged as a whole.
        """
        query = (
            select(MentionRow, PostRow)
            .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
            .where(col(MentionRow.state) == GradingState.ACCEPTED.value)
            .order_by(col(MentionRow.id))
        )
        with self._database.read() as session:
            rows = list(session.exec(query.where(col(MentionRow.id) > after).limit(limit)))
            if len(rows) == limit:
                last = rows[-1][0]
                rest = query.where(col(MentionRow.post_id) == last.post_id)
                rows += session.exec(rest.where(col(MentionRow.id) > last.id))
            return tuple(stored_mention(row, stored_post(post)) for row, post in rows)

    def verdicts(self, ref: PostRef) -> tuple[Verdict, ...]:
        """The standing grades of every judged mention of a post, in all its versions, in order."""
        with self._database.read() as session:
            rows = session.exec(
                select(MentionRow, GradeRow)
                .join(GradeRow, col(GradeRow.id) == newest_grade())
                .where(col(MentionRow.platform) == ref.platform)
                .where(col(MentionRow.native_id) == ref.native_id)
                .order_by(col(MentionRow.id))
            )
            return tuple(_verdict(mention, grade) for mention, grade in rows)

    def judge(self, judgement: Judgement, *, at: datetime) -> bool:
        """Keep one judgement in one commit; False when the mention was judged already."""
        with self._database.write() as session:
            mention = session.get_one(MentionRow, judgement.mention_id)
            if GradingState(mention.state) is GradingState.JUDGED:
                return False
            self.keep(session, mention, judgement, at)
            return True

    def regrade(self, mention_id: int, judgement: Judgement, *, at: datetime) -> None:
        """Keep a person's grade beside the model's; whoever must hear of it now does.

        A mention that still waits for the model is judged by this: a person's word stands.
        """
        with self._database.write() as session:
            mention = session.get_one(MentionRow, mention_id)
            self.keep(session, mention, judgement, at)

    def keep(
        self, session: Session, mention: MentionRow, judgement: Judgement, at: datetime
    ) -> None:
        """Keep a judgement in the commit of the caller, and tell whom it names."""
        if GradingState(mention.state) is GradingState.ACCEPTED:
            mention.state = move(GradingState.ACCEPTED, GradingState.JUDGED).value
        _keep_grade(session, mention, judgement, at)
        if judgement.restricted:
            withdraw(session, mention, at, by=judgement.grade.by)
        for hearing in judgement.hearings:
            if hearing.urgency is Urgency.DIGEST:
                _add_digest_line(session, mention, hearing.person)
            else:
                keep_hearing(session, mention, hearing, judgement, at)
        session.flush()
        release(session, mention, judgement.addressees, at, self._mail_domain)

    def raise_alert(
        self,
        *,
        key: str,
        kind: AlertKind,
        text: str,
        addressees: Sequence[tuple[Addressee, Hearing]],
        at: datetime,
        digest_for: str | None = None,
        listing: Collection[int] | None = None,
    ) -> int | None:
        """Raise an alert that is about no single post (digest, operator, test).

        Returns its id, or None where this key was raised before. `digest_for` is the person whose
        waiting digest lines this alert lists: those of the mentions in `listing`; all if None.
        """
        with self._database.write() as session:
            if alert_by_key(session, key) is not None:
                return None
            hearings = [hearing for _addressee, hearing in addressees]
            urgency = min((each.urgency for each in hearings), key=lambda each: each.rank)
            alert = new_alert(session, key, kind, "", urgency, at, text=text)
            assert alert.id is not None
            if digest_for is not None:
                _list_lines(session, digest_for, alert.id, listing)
            for addressee, hearing in addressees:
                add_deliveries(session, alert.id, addressee, hearing, at, domain=self._mail_domain)
            return alert.id


def _verdict(mention: MentionRow, grade: GradeRow) -> Verdict:
    assert mention.id is not None
    return Verdict(
        mention_id=mention.id,
        version=mention.version,
        target=target_of(mention),
        certainty=Certainty(mention.certainty),
        first_look=mention.first_look,
        grade=stored_grade(grade).grade,
    )


def _keep_grade(session: Session, mention: MentionRow, judgement: Judgement, at: datetime) -> None:
    leaf = entries.mention_graded(
        at=at, mention_entry=mention.entry_index, grade=judgement.grade, card=judgement.card
    )
    (index,) = ledger.append(session, [leaf])
    assert mention.id is not None
    session.add(grade_row(judgement.grade, mention.id, at, index))


def _add_digest_line(session: Session, mention: MentionRow, person: str) -> None:
    assert mention.id is not None
    if session.get(DigestLineRow, (mention.id, person)) is None:
        session.add(DigestLineRow(mention_id=mention.id, person=person))


def _list_lines(
    session: Session, person: str, alert_id: int, listing: Collection[int] | None
) -> None:
    lines = session.exec(
        select(DigestLineRow).where(col(DigestLineRow.person) == person).where(waits_to_be_listed())
    )
    for line in lines:
        if listing is None or line.mention_id in listing:
            if line.listed_in is not None:
                _remember_lost(session, line, line.listed_in)
            line.listed_in = alert_id


def _remember_lost(session: Session, line: DigestLineRow, digest: int) -> None:
    """Keep that a digest which reached nobody quoted the mention: its text goes with it."""
    session.add(
        HearingRow(
            alert_id=digest,
            mention_id=line.mention_id,
            person=line.person,
            role=Role.HEADTEACHER.value,
            urgency=Urgency.DIGEST.value,
            due_at=session.get_one(AlertRow, digest).raised_at,
            about_headteacher=False,
        )
    )
