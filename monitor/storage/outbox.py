"""The outbox: deliveries without a final state, and every step of their way.

Over 300 lines, because who is told next is decided in the same commits as what became of a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, update
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import AlertKind, AlertState, DeliveryState, Message, Role, Urgency
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.alerting import add_deliveries
from monitor.storage.convert import dump_message, stored_alert, stored_delivery
from monitor.storage.engine import Database
from monitor.storage.records import Addressee, Hearing, HeldUp, StoredAlert, StoredDelivery
from monitor.storage.tables import AlertRow, DeliveryRow, HearingRow

_OPEN = (DeliveryState.WAITING.value, DeliveryState.LATER.value)

LONGEST_WAIT = timedelta(hours=2)
"""No retry is put off for longer, so a later one that is due after it was set by a clock that has
since gone back. (`monitor.outbox` keeps to it.)"""
LONGEST_NIGHT = timedelta(hours=26)
"""Nothing waits longer than this for the school's day to begin."""
SENDING_FOR = timedelta(minutes=15)
"""No attempt takes longer: a delivery that has been sending for this long was cut off."""


class OutboxStore:
    """Deliveries and the alerts that they carry."""

    def __init__(self, database: Database, mail_domain: str) -> None:
        self._database = database
        self._mail_domain = mail_domain

    def due(self, *, now: datetime, limit: int = 50) -> tuple[StoredDelivery, ...]:
        """What should be sent now, the most urgent first."""
        with self._database.read() as session:
            rows = session.exec(
                select(DeliveryRow)
                .where(col(DeliveryRow.state).in_(_OPEN))
                .where(_is_due(now))
                .order_by(col(DeliveryRow.due_at), col(DeliveryRow.id))
            ).all()
        found = [stored_delivery(row) for row in rows]
        return tuple(sorted(found, key=lambda each: (each.urgency.rank, each.due_at))[:limit])

    def next_due(self) -> datetime | None:
        """When the outbox next has something to do."""
        with self._database.read() as session:
            return session.exec(
                select(func.min(col(DeliveryRow.due_at))).where(col(DeliveryRow.state).in_(_OPEN))
            ).one()

    def hurry(self, *, at: datetime) -> None:
        """Let every retry be due: the clock was set back, and their times mean nothing any more."""
        with self._database.write() as session:
            session.exec(
                update(DeliveryRow)
                .where(col(DeliveryRow.state) == DeliveryState.LATER.value)
                .where(col(DeliveryRow.due_at) > at)
                .values(due_at=at)
            )

    def held_up(self, *, before: datetime) -> tuple[HeldUp, ...]:
        """The channels that did not take what was tried and is older than `before`."""
        with self._database.read() as session:
            rows = session.exec(
                select(DeliveryRow)
                .where(col(DeliveryRow.state) == DeliveryState.LATER.value)
                .where(col(DeliveryRow.created_at) < before)
                .order_by(col(DeliveryRow.created_at).desc())
            ).all()
        # The oldest of each channel comes last, and stays.
        found = {row.channel: HeldUp(row.channel, row.created_at, row.last_error) for row in rows}
        return tuple(found[name] for name in sorted(found))

    def begin(
        self, delivery: StoredDelivery, message: Message, *, digest: str, at: datetime
    ) -> StoredDelivery:
        """Keep the message and that it is about to be sent, before it is.

        `digest` is the SHA-256 of the message as kept. A message that is kept already stays: a
        repeat is the same message to the letter. Raises MoveError where it is being sent already.
        """
        with self._database.write() as session:
            row = session.get_one(DeliveryRow, delivery.id)
            row.state = move(DeliveryState(row.state), DeliveryState.SENDING).value
            row.attempts += 1
            row.due_at = at + SENDING_FOR
            row.message_json = row.message_json or dump_message(message)
            leaf = entries.delivery_attempted(
                at=at,
                delivery=delivery.id,
                alert=delivery.alert_id,
                channel=delivery.channel,
                attempt=row.attempts,
                secret={
                    "person": row.person,
                    "recipient": row.recipient,
                    "message_id": row.message_id,
                    "message_sha256": digest,
                },
            )
            ledger.append(session, [leaf])
            session.flush()
            return stored_delivery(row)

    def settle(
        self,
        delivery_id: int,
        state: DeliveryState,
        *,
        said: str,
        at: datetime,
        due_at: datetime | None = None,
    ) -> StoredDelivery:
        """Keep what became of an attempt; `due_at` says when to try again."""
        with self._database.write() as session:
            row = session.get_one(DeliveryRow, delivery_id)
            row.state = move(DeliveryState(row.state), state).value
            if state is DeliveryState.TAKEN:
                row.receipt, row.last_error = said, ""
            else:
                row.last_error = said
            if state is DeliveryState.LATER:
                assert due_at is not None, "a later delivery needs a time"
                row.due_at = due_at
            else:
                row.finished_at = at
            leaf = entries.delivery_settled(
                at=at, delivery=delivery_id, outcome=state.value, attempt=row.attempts, said=said
            )
            ledger.append(session, [leaf])
            session.flush()
            return stored_delivery(row)

    def recover(self, *, at: datetime, cut_off_only: bool = False) -> int:
        """Offer again what was being sent, since nobody knows how it ended; how many that is.

        After a crash that is all of it; while the service runs (`cut_off_only`) that which has
        been sending for longer than any attempt takes, as when its outcome could not be kept.
        """
        query = select(DeliveryRow.id).where(col(DeliveryRow.state) == DeliveryState.SENDING.value)
        if cut_off_only:
            late = col(DeliveryRow.due_at) <= at
            query = query.where(or_(late, col(DeliveryRow.due_at) > at + LONGEST_WAIT))
        with self._database.read() as session:
            stuck = session.exec(query).all()
        for delivery_id in stuck:
            assert delivery_id is not None
            self.settle(
                delivery_id,
                DeliveryState.LATER,
                said="the program stopped before the answer came",
                at=at,
                due_at=at,
            )
        return len(stuck)

    def alert(self, alert_id: int) -> StoredAlert:
        with self._database.read() as session:
            return stored_alert(session.get_one(AlertRow, alert_id))

    def alerts(self, *, limit: int = 100) -> tuple[StoredAlert, ...]:
        """The newest alerts."""
        with self._database.read() as session:
            rows = session.exec(select(AlertRow).order_by(col(AlertRow.id).desc()).limit(limit))
            return tuple(stored_alert(row) for row in rows)

    def deliveries(self, alert_id: int) -> tuple[StoredDelivery, ...]:
        with self._database.read() as session:
            rows = session.exec(
                select(DeliveryRow)
                .where(col(DeliveryRow.alert_id) == alert_id)
                .order_by(col(DeliveryRow.id))
            )
            return tuple(stored_delivery(row) for row in rows)

    def told_apart(self, person: str, since: datetime, until: datetime) -> int:
        """How many alerts about posts, allegations left out, were made for a person in a time."""
        about_posts = (AlertKind.CONCERN, AlertKind.POSSIBLE, AlertKind.FIRST_LOOK)
        with self._database.read() as session:
            return session.exec(
                select(func.count(func.distinct(col(DeliveryRow.alert_id))))
                .join(AlertRow, col(AlertRow.id) == col(DeliveryRow.alert_id))
                .where(col(DeliveryRow.person) == person)
                .where(col(AlertRow.kind).in_(about_posts))
                .where(col(DeliveryRow.created_at) > since)
                .where(col(DeliveryRow.created_at) <= until)
            ).one()

    def acknowledge(self, alert_id: int, *, by: str, how: str, at: datetime) -> StoredAlert:
        """Keep that a person answered."""
        with self._database.write() as session:
            row = session.get_one(AlertRow, alert_id)
            row.state = move(AlertState(row.state), AlertState.ACKNOWLEDGED).value
            row.answered_at, row.answered_by, row.answered_how = at, by, how
            leaf = entries.alert_acknowledged(at=at, alert=alert_id, by=by, how=how)
            ledger.append(session, [leaf])
            session.flush()
            return stored_alert(row)

    def unanswered(self, *, before: datetime, now: datetime) -> tuple[StoredDelivery, ...]:
        """Urgent deliveries made before `before`, of open alerts, not yet handed on.

        Whether they were taken does not matter: a mail that nobody answers may be a mail that
        nobody read. One that was made in the future was made before the clock went back.
        """
        made = col(DeliveryRow.created_at)
        with self._database.read() as session:
            rows = session.exec(
                select(DeliveryRow)
                .join(AlertRow, col(AlertRow.id) == col(DeliveryRow.alert_id))
                .where(col(DeliveryRow.urgency) == Urgency.NOW.value)
                .where(col(DeliveryRow.escalated).is_(False))
                .where(or_(made < before, made > now + LONGEST_WAIT))
                .where(col(AlertRow.state) == AlertState.OPEN.value)
                .where(col(AlertRow.kind).in_(_HANDED_ON))
                .order_by(col(DeliveryRow.id))
            )
            return tuple(stored_delivery(row) for row in rows)

    def exhausted(self, *, before: datetime) -> tuple[StoredDelivery, ...]:
        """The first deliveries of alerts that nobody answered, last told of before `before`."""
        newest = (
            select(func.max(col(DeliveryRow.created_at)))
            .where(col(DeliveryRow.alert_id) == col(AlertRow.id))
            .correlate(AlertRow)
            .scalar_subquery()
        )
        with self._database.read() as session:
            rows = session.exec(
                select(DeliveryRow)
                .join(AlertRow, col(AlertRow.id) == col(DeliveryRow.alert_id))
                .where(col(AlertRow.state) == AlertState.EXHAUSTED.value)
                .where(col(DeliveryRow.step) == 0)
                .where(newest < before)
                .order_by(col(DeliveryRow.id))
            )
            return tuple(stored_delivery(row) for row in rows)

    def tell_again(
        self, alert_id: int, to: Sequence[tuple[Addressee, Hearing]], *, at: datetime
    ) -> int:
        """Put an exhausted alert into the outbox once more; how many deliveries that is."""
        with self._database.write() as session:
            alert = session.get_one(AlertRow, alert_id)
            if AlertState(alert.state) is not AlertState.EXHAUSTED:
                return 0
            alert.step += 1
            for addressee, hearing in to:
                add_deliveries(
                    session,
                    alert_id,
                    addressee,
                    hearing,
                    at,
                    domain=self._mail_domain,
                    step=alert.step,
                )
            return sum(len(addressee.channels) for addressee, _hearing in to)

    def about_headteacher(self, delivery: StoredDelivery) -> bool:
        """Whether what this person was to hear is about the headteacher."""
        with self._database.read() as session:
            found = session.exec(
                select(HearingRow.about_headteacher)
                .where(col(HearingRow.alert_id) == delivery.alert_id)
                .where(col(HearingRow.person) == delivery.person)
            ).all()
            return any(found)

    def escalate(
        self,
        delivery: StoredDelivery,
        to: Sequence[tuple[Addressee, Role]],
        *,
        at: datetime,
    ) -> int:
        """Let the next people hear what `delivery.person` could not be told, or did not answer.

        `to` is in the order of trying; the first who has not been tried hears. Returns how many
        deliveries were added; where nobody is left to try or to wait for, the alert is exhausted.
        """
        with self._database.write() as session:
            alert = session.get_one(AlertRow, delivery.alert_id)
            told = session.exec(
                select(DeliveryRow).where(col(DeliveryRow.alert_id) == alert.id)
            ).all()
            for row in told:
                if row.person == delivery.person:
                    row.escalated = True
            tried = {row.person for row in told}
            following = next((pair for pair in to if pair[0].person not in tried), None)
            if following is not None:
                return self._try_next(session, alert, delivery, following, at)
            waited_for = any(_may_answer(row) for row in told)
            if AlertState(alert.state) is AlertState.OPEN and not waited_for:
                alert.state = move(AlertState.OPEN, AlertState.EXHAUSTED).value
            return 0

    def _try_next(
        self,
        session: Session,
        alert: AlertRow,
        delivery: StoredDelivery,
        following: tuple[Addressee, Role],
        at: datetime,
    ) -> int:
        addressee, role = following
        alert.step += 1
        _hand_on(session, delivery, addressee, role, at)
        hearing = Hearing(
            kind=AlertKind(alert.kind),
            person=addressee.person,
            role=role,
            urgency=delivery.urgency,
            due_at=at,
            about_headteacher=False,
        )
        add_deliveries(
            session,
            delivery.alert_id,
            addressee,
            hearing,
            at,
            domain=self._mail_domain,
            step=alert.step,
        )
        return len(addressee.channels)


_HANDED_ON = tuple(
    kind.value
    for kind in AlertKind
    if kind not in {AlertKind.OPERATOR, AlertKind.DIGEST, AlertKind.TEST, AlertKind.WITNESS}
)
"""The kinds of alert that somebody has to answer."""


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due by the clock, or put off by a clock that has since gone back."""
    due, state = col(DeliveryRow.due_at), col(DeliveryRow.state)
    urgent = col(DeliveryRow.urgency) == Urgency.NOW.value
    return or_(
        due <= now,
        and_(state == DeliveryState.WAITING.value, urgent),
        and_(state == DeliveryState.LATER.value, due > now + LONGEST_WAIT),
        due > now + LONGEST_NIGHT,
    )


def _may_answer(row: DeliveryRow) -> bool:
    """Whether somebody may still answer this one, and nobody has been told in their place."""
    lost = {DeliveryState.BOUNCED.value, DeliveryState.GIVEN_UP.value}
    return not row.escalated and row.state not in lost


def _hand_on(
    session: Session, delivery: StoredDelivery, addressee: Addressee, role: Role, at: datetime
) -> None:
    """Copy what one person was to hear to the next."""
    rows = session.exec(
        select(HearingRow)
        .where(col(HearingRow.alert_id) == delivery.alert_id)
        .where(col(HearingRow.person) == delivery.person)
    ).all()
    for row in rows:
        known = session.get(HearingRow, (row.alert_id, row.mention_id, addressee.person))
        if known is None:
            session.add(
                HearingRow(
                    alert_id=row.alert_id,
                    mention_id=row.mention_id,
                    person=addressee.person,
                    role=role.value,
                    urgency=row.urgency,
                    due_at=at,
                    about_headteacher=row.about_headteacher,
                )
            )
    session.flush()
