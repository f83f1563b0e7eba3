"""Erasures made again after a backup brought back what had been forgotten."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from monitor.model import AlertKind, GradingState
from monitor.storage.engine import Database
from monitor.storage.erasing import erase_rows
from monitor.storage.tables import MentionRow
from monitor.storage.withdrawal import withdraw

REPEATED: Final = "erased again: it had been erased before a backup was restored"
BASIS: Final = "restore"
_AT_A_TIME: Final = 200


def repeat(database: Database, mention_entries: Collection[int], *, by: str, at: datetime) -> int:
    """Erase the mentions that these entries describe, as far as they are there; how many went.

    Holds, waiting grades and unanswered alerts do not stand in the way here: they are those of the
    backup, and had ended when the mention was erased. What still waits about it is taken back.
    Call `Erasing.settle` afterwards.
    """
    wanted, gone = sorted(mention_entries), 0
    for start in range(0, len(wanted), _AT_A_TIME):
        with database.write() as session:
            gone += _repeat(session, wanted[start : start + _AT_A_TIME], by=by, at=at)
    return gone


def _repeat(session: Session, entries: Collection[int], *, by: str, at: datetime) -> int:
    query = select(MentionRow).where(col(MentionRow.entry_index).in_(entries))
    query = query.where(col(MentionRow.erased_by).is_(None)).order_by(col(MentionRow.id))
    rows = session.exec(query).all()
    if not rows:
        return 0
    kinds = [kind.value for kind in AlertKind]
    for row in rows:
        withdraw(session, row, at, by=by, how=REPEATED, kinds=kinds)
        row.state = GradingState.JUDGED.value
    session.flush()
    erase_rows(session, rows, reason=REPEATED, by=by, at=at, basis=BASIS)
    return len(rows)
