"""Which mentions belong together: the case of a mention, found or opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.model import CaseState
from monitor.moves import move
from monitor.storage import ledger
from monitor.storage.tables import CaseRow, MentionRow, PostRow

_BY_ITSELF = "program"


def case_reference(case: CaseRow) -> str:
    """A case's number as people write it, "SM-2026-0007"."""
    return f"SM-{case.year}-{case.number:04d}"


def case_for(session: Session, mention: MentionRow, at: datetime, *, restricted: bool) -> CaseRow:
    """The case that this mention belongs to, opened where there is none.

    All mentions of one post, in all its versions, share a case; so do those by one author about
    one person while the case is not closed. A restricted case (an allegation) holds nothing else:
    a post that turns out to carry an allegation leaves the case in which it stood.
    """
    held = session.get_one(CaseRow, mention.case_id) if mention.case_id is not None else None
    if held is not None and held.restricted == restricted:
        return held
    case = _of_post(session, mention, restricted=restricted)
    if case is None and not restricted:
        case = _of_author(session, mention)
    if case is None:
        case = _open(session, at, restricted=restricted)
    elif case.state == CaseState.CLOSED.value:
        _reopen(session, case, at)
    mention.case_id = case.id
    if restricted:
        _move_siblings(session, mention)
    session.flush()
    return case


def _of_post(session: Session, mention: MentionRow, *, restricted: bool) -> CaseRow | None:
    return session.exec(
        select(CaseRow)
        .join(MentionRow, col(MentionRow.case_id) == col(CaseRow.id))
        .where(col(MentionRow.platform) == mention.platform)
        .where(col(MentionRow.native_id) == mention.native_id)
        .where(col(CaseRow.restricted).is_(restricted))
        .order_by(col(CaseRow.id).desc())
        .limit(1)
    ).one_or_none()


def _of_author(session: Session, mention: MentionRow) -> CaseRow | None:
    post = session.get_one(PostRow, mention.post_id)
    if not post.author_handle:
        return None
    return session.exec(
        select(CaseRow)
        .join(MentionRow, col(MentionRow.case_id) == col(CaseRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .where(col(PostRow.platform) == post.platform)
        .where(col(PostRow.author_handle) == post.author_handle)
        .where(col(MentionRow.target_kind) == mention.target_kind)
        .where(col(MentionRow.target_id) == mention.target_id)
        .where(col(CaseRow.state) != CaseState.CLOSED.value)
        .where(col(CaseRow.restricted).is_(False))
        .order_by(col(CaseRow.id).desc())
        .limit(1)
    ).one_or_none()


def _open(session: Session, at: datetime, *, restricted: bool) -> CaseRow:
    last = session.exec(
        select(func.max(col(CaseRow.number))).where(col(CaseRow.year) == at.year)
    ).one()
    case = CaseRow(
        year=at.year,
        number=(last or 0) + 1,
        state=CaseState.PROPOSED.value,
        restricted=restricted,
        opened_at=at,
        entry_index=0,
    )
    leaf = entries.case_opened(at=at, reference=case_reference(case))
    (case.entry_index,) = ledger.append(session, [leaf])
    session.add(case)
    session.flush()
    return case


def _reopen(session: Session, case: CaseRow, at: datetime) -> None:
    case.state = move(CaseState(case.state), CaseState.REOPENED).value
    leaf = entries.case_moved(
        at=at,
        reference=case_reference(case),
        state=case.state,
        by=_BY_ITSELF,
        why="somebody must hear of a post that belongs to it",
    )
    ledger.append(session, [leaf])


def _move_siblings(session: Session, mention: MentionRow) -> None:
    """What else was found in the same words goes where those words may be read."""
    siblings = session.exec(
        select(MentionRow)
        .where(col(MentionRow.post_id) == mention.post_id)
        .where(col(MentionRow.case_id).is_not(None))
    )
    for row in siblings:
        row.case_id = mention.case_id
