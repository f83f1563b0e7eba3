"""The outbox: deliveries without a final state, and every step of their way."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, update
from sqlmodel import col, select

from monitor.evidence import entries
from monitor.model import AlertKind, DeliveryState, Message, Urgency
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.convert import dump_message, stored_alert, stored_delivery
from monitor.storage.engine import Database
from monitor.storage.records import HeldUp, StoredAlert, StoredDelivery
from monitor.storage.tables import AlertRow, DeliveryRow

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

    def __init__(self, database: Database) -> None:
        self._database = database

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

    def last_to(self, person: str, kind: AlertKind) -> StoredAlert | None:
        """The newest alert of a kind that one person had a message of; None where there is none."""
        had = select(DeliveryRow.alert_id).where(col(DeliveryRow.person) == person)
        query = select(AlertRow).where(col(AlertRow.kind) == kind.value)
        query = query.where(col(AlertRow.id).in_(had)).order_by(col(AlertRow.id).desc())
        with self._database.read() as session:
            row = session.exec(query.limit(1)).one_or_none()
            return stored_alert(row) if row else None

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
