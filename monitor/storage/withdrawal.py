"""What is taken back of a post that turned out to carry an allegation: it stands in no message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import AlertKind, AlertState, DeliveryState
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.tables import AlertRow, DeliveryRow, DigestLineRow, HearingRow, MentionRow

WITHDRAWN = "withdrawn: it is an allegation now, and told of as one"
_UNSENT = (DeliveryState.WAITING.value, DeliveryState.LATER.value)
_ABOUT_THE_POST = (AlertKind.CONCERN.value, AlertKind.POSSIBLE.value)


def withdraw(
    session: Session,
    mention: MentionRow,
    at: datetime,
    *,
    by: str,
    how: str = WITHDRAWN,
    kinds: Collection[str] = _ABOUT_THE_POST,
) -> None:
    """Take back what waits about the post of this mention, in any of its versions; `how` says why.

    Its lines leave the digests that were not made yet; messages that were not sent are given up;
    its alerts are answered for, so that nobody else is tried with its words. What was sent stays
    sent. The post is told of by its own alert of the allegation, to whoever may know of it.
    """
    for line in session.exec(
        select(DigestLineRow)
        .join(MentionRow, col(MentionRow.id) == col(DigestLineRow.mention_id))
        .where(col(MentionRow.platform) == mention.platform)
        .where(col(MentionRow.native_id) == mention.native_id)
        .where(col(DigestLineRow.listed_in).is_(None))
    ):
        session.delete(line)
    alerts = session.exec(
        select(AlertRow)
        .join(HearingRow, col(HearingRow.alert_id) == col(AlertRow.id))
        .join(MentionRow, col(MentionRow.id) == col(HearingRow.mention_id))
        .where(col(MentionRow.platform) == mention.platform)
        .where(col(MentionRow.native_id) == mention.native_id)
        .where(col(AlertRow.kind).in_(kinds))
        .where(col(AlertRow.state) != AlertState.ACKNOWLEDGED.value)
        .distinct()
    ).all()
    for alert in alerts:
        _close(session, alert, at, by, how)


def _close(session: Session, alert: AlertRow, at: datetime, by: str, how: str) -> None:
    assert alert.id is not None
    alert.state = move(AlertState(alert.state), AlertState.ACKNOWLEDGED).value
    alert.answered_at, alert.answered_by, alert.answered_how = at, by, how
    leaves = [entries.alert_acknowledged(at=at, alert=alert.id, by=by, how=how)]
    for row in session.exec(
        select(DeliveryRow)
        .where(col(DeliveryRow.alert_id) == alert.id)
        .where(col(DeliveryRow.state).in_(_UNSENT))
        .order_by(col(DeliveryRow.id))
    ):
        assert row.id is not None
        row.state = move(DeliveryState(row.state), DeliveryState.GIVEN_UP).value
        row.last_error, row.finished_at, row.escalated = how, at, True
        leaves.append(
            entries.delivery_settled(
                at=at, delivery=row.id, outcome=row.state, attempt=row.attempts, said=how
            )
        )
    ledger.append(session, leaves)
