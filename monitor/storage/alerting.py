"""Alerts as rows: which one a mention goes into, and when its deliveries are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, exists, func
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import AlertKind, AlertState, DeliveryState, GradingState, Urgency
from monitor.storage import ledger
from monitor.storage.casebook import case_for, case_reference
from monitor.storage.records import Addressee, Hearing, Judgement
from monitor.storage.tables import AlertRow, DeliveryRow, HearingRow, MentionRow, PostRow


def keep_hearing(
    session: Session, mention: MentionRow, hearing: Hearing, judgement: Judgement, at: datetime
) -> None:
    """Put a mention into the alert through which one person hears of it."""
    alert = _alert_for(session, mention, hearing, judgement, at)
    assert alert.id is not None
    assert mention.id is not None
    if session.get(HearingRow, (alert.id, mention.id, hearing.person)) is not None:
        return
    session.add(
        HearingRow(
            alert_id=alert.id,
            mention_id=mention.id,
            person=hearing.person,
            role=hearing.role.value,
            urgency=hearing.urgency.value,
            due_at=hearing.due_at,
            about_headteacher=hearing.about_headteacher,
        )
    )


def _group(kind: AlertKind, post: PostRow) -> str:
    """What must be judged completely before an alert goes out, so that it shows a post once."""
    return _first_look(post) if kind is AlertKind.FIRST_LOOK else _whole_post(post)


def _first_look(post: PostRow) -> str:
    return f"first-look:{post.source}"


def _whole_post(post: PostRow) -> str:
    return f"post:{post.id}"


def _alert_for(
    session: Session, mention: MentionRow, hearing: Hearing, judgement: Judgement, at: datetime
) -> AlertRow:
    post = session.get_one(PostRow, mention.post_id)
    group = _group(hearing.kind, post)
    case = case_for(session, mention, at, restricted=judgement.restricted)
    alike = session.exec(
        select(AlertRow)
        .where(col(AlertRow.waits_for) == group)
        .where(col(AlertRow.kind) == hearing.kind.value)
        .order_by(col(AlertRow.id).desc())
    ).all()
    # What went out is not added to: a target found later, or a person's own grade, is news.
    if alike and not _is_out(session, alike[0]):
        return alike[0]
    key = f"{hearing.kind.value}:{group}" + (f":{len(alike) + 1}" if alike else "")
    reference = "" if hearing.kind is AlertKind.FIRST_LOOK else case_reference(case)
    return new_alert(session, key, hearing.kind, reference, hearing.urgency, at, waits_for=group)


def _has_deliveries() -> ColumnElement[bool]:
    return exists().where(col(DeliveryRow.alert_id) == col(AlertRow.id))


def _is_out(session: Session, alert: AlertRow) -> bool:
    found = select(DeliveryRow.id).where(col(DeliveryRow.alert_id) == alert.id).limit(1)
    return session.exec(found).one_or_none() is not None


def alert_by_key(session: Session, key: str) -> AlertRow | None:
    return session.exec(select(AlertRow).where(col(AlertRow.key) == key)).one_or_none()


def new_alert(
    session: Session,
    key: str,
    kind: AlertKind,
    reference: str,
    urgency: Urgency,
    at: datetime,
    *,
    text: str = "",
    waits_for: str = "",
) -> AlertRow:
    """Raise an alert, and seal that it was."""
    number = (session.exec(select(func.max(col(AlertRow.id)))).one() or 0) + 1
    leaf = entries.alert_raised(
        at=at, alert=number, urgency=urgency.value, kind=kind.value, reference=reference
    )
    (index,) = ledger.append(session, [leaf])
    alert = AlertRow(
        id=number,
        key=key,
        kind=kind.value,
        waits_for=waits_for,
        reference=reference,
        state=AlertState.OPEN.value,
        step=0,
        text=text,
        raised_at=at,
        entry_index=index,
    )
    session.add(alert)
    session.flush()
    return alert


def release(
    session: Session,
    mention: MentionRow,
    addressees: Mapping[str, Addressee],
    at: datetime,
    domain: str,
) -> None:
    """Make deliveries for the alerts whose whole post (or first look) is judged by now."""
    post = session.get_one(PostRow, mention.post_id)
    groups = {_whole_post(post): _open_in_post}
    if mention.first_look:
        groups[_first_look(post)] = _open_in_first_look
    waiting = session.exec(
        select(AlertRow)
        .where(col(AlertRow.waits_for).in_(list(groups)))
        .where(col(AlertRow.state) == AlertState.OPEN.value)
        .where(~_has_deliveries())
        .order_by(col(AlertRow.id))
    ).all()
    ready = {name for name in {a.waits_for for a in waiting} if groups[name](session, post) == 0}
    for alert in waiting:
        if alert.waits_for in ready:
            assert alert.id is not None
            for hearing in _soonest(session, alert.id):
                addressee = addressees.get(hearing.person)
                if addressee is not None:
                    add_deliveries(session, alert.id, addressee, hearing, at, domain=domain)


def _open_in_post(session: Session, post: PostRow) -> int:
    return session.exec(
        select(func.count())
        .select_from(MentionRow)
        .where(col(MentionRow.post_id) == post.id)
        .where(col(MentionRow.state) == GradingState.ACCEPTED.value)
    ).one()


def _open_in_first_look(session: Session, post: PostRow) -> int:
    return session.exec(
        select(func.count())
        .select_from(MentionRow)
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .where(col(PostRow.source) == post.source)
        .where(col(MentionRow.first_look).is_(True))
        .where(col(MentionRow.state) == GradingState.ACCEPTED.value)
    ).one()


def _soonest(session: Session, alert_id: int) -> Iterable[HearingRow]:
    """For each person, the most urgent of what they must hear."""
    best: dict[str, HearingRow] = {}
    for row in session.exec(select(HearingRow).where(col(HearingRow.alert_id) == alert_id)):
        held = best.get(row.person)
        if held is None or Urgency(row.urgency).rank < Urgency(held.urgency).rank:
            best[row.person] = row
    return best.values()


def add_deliveries(
    session: Session,
    alert_id: int,
    addressee: Addressee,
    hearing: Hearing | HearingRow,
    at: datetime,
    *,
    domain: str,
    step: int = 0,
) -> None:
    """Put an alert into the outbox for one person, once for each of their channels."""
    for channel in addressee.channels:
        session.add(
            DeliveryRow(
                alert_id=alert_id,
                person=addressee.person,
                role=str(hearing.role),
                recipient=addressee.address,
                recipient_name=addressee.name,
                channel=channel,
                step=step,
                urgency=str(hearing.urgency),
                state=DeliveryState.WAITING.value,
                due_at=hearing.due_at,
                created_at=at,
                message_id=f"{uuid4().hex}@{domain}",
            )
        )
    session.flush()
