"""Who hears next of an alert that nobody answered, until somebody does or nobody is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import AlertKind, AlertState, DeliveryState, Role, Urgency
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.alerting import add_deliveries
from monitor.storage.convert import stored_alert, stored_delivery
from monitor.storage.engine import Database
from monitor.storage.outbox import LONGEST_WAIT
from monitor.storage.records import Addressee, Hearing, StoredAlert, StoredDelivery
from monitor.storage.tables import AlertRow, DeliveryRow, HearingRow

_HANDED_ON = tuple(
    kind.value
    for kind in AlertKind
    if kind not in {AlertKind.OPERATOR, AlertKind.DIGEST, AlertKind.TEST, AlertKind.WITNESS}
)
"""The kinds of alert that somebody has to answer."""


class Escalation:
    """Answers to alerts, and what follows where none comes."""

    def __init__(self, database: Database, mail_domain: str) -> None:
        self._database = database
        self._mail_domain = mail_domain

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
