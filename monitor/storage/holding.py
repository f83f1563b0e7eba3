"""Legal holds, and until when a case is kept: what a person decided, which retention obeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.storage import ledger
from monitor.storage.casebook import case_reference
from monitor.storage.engine import Database
from monitor.storage.reading import case_row
from monitor.storage.tables import (
    CaseRow,
    DeliveryRow,
    DigestLineRow,
    HearingRow,
    HoldRow,
    MentionRow,
    TermRow,
)

_AT_A_TIME = 500


class Holding:
    """Placing and ending holds, setting how long a case is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(
        self, *, reference: str = "", mention: int | None = None, by: str, why: str, at: datetime
    ) -> None:
        """Hold a case, or one mention; nothing of it is erased until `release`.

        Raises:
            EvidenceError: there is no such case or mention, or the mention was erased.
        """
        with self._database.write() as session:
            case, row = _found(session, reference, mention)
            if row is not None and row.erased_by is not None:
                raise EvidenceError(f"mention {row.id} was erased: there is nothing to hold")
            leaf = entries.record_held(
                at=at, reference=reference, mention_entry=_entry(row), by=by, why=why
            )
            (index,) = ledger.append(session, [leaf])
            case_id, mention_id = case.id if case else None, row.id if row else None
            session.add(
                HoldRow(
                    case_id=case_id, mention_id=mention_id, at=at, by=by, why=why, entry_index=index
                )
            )

    def release(
        self, *, reference: str = "", mention: int | None = None, by: str, why: str, at: datetime
    ) -> int:
        """End every hold on this case or mention; how many there were.

        Raises:
            EvidenceError: there is no such case or mention.
        """
        with self._database.write() as session:
            case, row = _found(session, reference, mention)
            query = select(HoldRow).where(col(HoldRow.released_at).is_(None))
            if case is not None:
                query = query.where(col(HoldRow.case_id) == case.id)
            else:
                assert row is not None
                query = query.where(col(HoldRow.mention_id) == row.id)
            holds = session.exec(query).all()
            if holds:
                leaf = entries.record_released(
                    at=at, reference=reference, mention_entry=_entry(row), by=by, why=why
                )
                ledger.append(session, [leaf])
            for each in holds:
                each.released_at = at
            return len(holds)

    def keep_until(self, reference: str, day: date, *, by: str, why: str, at: datetime) -> None:
        """Set until when a case is kept.

        Raises:
            EvidenceError: there is no such case.
        """
        with self._database.write() as session:
            case, _row = _found(session, reference, None)
            assert case is not None
            assert case.id is not None
            leaf = entries.case_kept_until(
                at=at, reference=reference, until=day.isoformat(), by=by, why=why
            )
            (index,) = ledger.append(session, [leaf])
            session.add(
                TermRow(case_id=case.id, keep_until=day, at=at, by=by, why=why, entry_index=index)
            )


def _found(
    session: Session, reference: str, mention: int | None
) -> tuple[CaseRow | None, MentionRow | None]:
    if bool(reference) is (mention is not None):
        raise EvidenceError("say either a case or a mention")
    if mention is not None:
        row = session.get(MentionRow, mention)
        if row is None:
            raise EvidenceError(f"there is no mention {mention}")
        return None, row
    case = case_row(session, reference)
    if case is None:
        raise EvidenceError(f"there is no case {reference}; numbers are like SM-2026-0007")
    assert case_reference(case) == reference, "a case has one way to be written"
    return case, None


def _entry(row: MentionRow | None) -> int | None:
    return row.entry_index if row else None


def held_mentions(session: Session, mention_ids: Sequence[int]) -> frozenset[int]:
    """Which of these mentions a hold covers: their own, their case's, or one beside them.

    Beside them is what stands in the same post, and what was told in the same message as far as
    that is kept: the text of a message goes whole, with the first mention that it tells of.
    """
    held = _held(session)
    covered = held | _of_same_post(session, held) | _of_same_message(session, held)
    return frozenset(covered.intersection(mention_ids))


def _held(session: Session) -> set[int]:
    """Every mention under a hold of its own or of its case."""
    standing = col(HoldRow.released_at).is_(None)
    own = select(HoldRow.mention_id).where(standing)
    cases = select(HoldRow.case_id).where(standing).where(col(HoldRow.case_id).is_not(None))
    of_cases = select(MentionRow.id).where(col(MentionRow.case_id).in_(cases))
    return {each for query in (own, of_cases) for each in session.exec(query) if each is not None}


def _of_same_post(session: Session, held: set[int]) -> set[int]:
    posts = _among(session, MentionRow.post_id, MentionRow.id, held)
    return _among(session, MentionRow.id, MentionRow.post_id, posts)


def _of_same_message(session: Session, held: set[int]) -> set[int]:
    alerts = _among(session, HearingRow.alert_id, HearingRow.mention_id, held)
    alerts |= _among(session, DigestLineRow.listed_in, DigestLineRow.mention_id, held)
    kept = _among(
        session,
        DeliveryRow.alert_id,
        DeliveryRow.alert_id,
        alerts,
        col(DeliveryRow.message_json).is_not(None),
    )
    heard = _among(session, HearingRow.mention_id, HearingRow.alert_id, kept)
    return heard | _among(session, DigestLineRow.mention_id, DigestLineRow.listed_in, kept)


def _among(
    session: Session, wanted: Any, key: Any, keys: set[int], *also: ColumnElement[bool]
) -> set[int]:
    """What stands in one column where another column is one of `keys`."""
    ordered, found = sorted(keys), set[int]()
    for start in range(0, len(ordered), _AT_A_TIME):
        query = select(wanted).where(col(key).in_(ordered[start : start + _AT_A_TIME]), *also)
        found.update(each for each in session.exec(query) if each is not None)
    return found
