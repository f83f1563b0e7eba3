"""What retention would let go, and why: the rules of [retention], asked of the rows.

A rule that cannot be shown to be met keeps: what was never listed in a message that was taken, or
what a person has still to decide about, stays.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_
from sqlmodel import Session, col, select

from monitor.evidence.leaf import open_leaf
from monitor.model import CaseState, Certainty, DeliveryState, GradingState, Severity
from monitor.storage.casebook import case_reference
from monitor.storage.engine import Database
from monitor.storage.erasing import to_be_told
from monitor.storage.holding import held_mentions
from monitor.storage.reading import newest_grade
from monitor.storage.tables import (
    CaseRow,
    DeliveryRow,
    DigestLineRow,
    EntryRow,
    GradeRow,
    HearingRow,
    MentionRow,
    PostRow,
    TermRow,
)

_GRAVE: Final = (Severity.ABUSIVE.value, Severity.THREATENING.value, Severity.UNGRADED.value)
_DAYS_A_MONTH: Final = 31
PAGE: Final = 5_000
"""Mentions that are looked at together."""
_LEAP_DAY: Final = (2, 29)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things are kept. `school_year_end` gives the end of the school year of a day."""

    neutral_days: int
    after_abuse_months: int
    abusive_years: int
    zone: ZoneInfo
    school_year_end: Callable[[date], date]


@dataclass(frozen=True, slots=True)
class Expired:
    """Mentions that may go, and the rule by which; of a case only with a person's approval.

    `restricted`: the case is of an allegation.
    """

    mentions: tuple[int, ...]
    why: str
    case: str = ""
    restricted: bool = False


class Expiry:
    """The dry run of retention."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def neutral(self, terms: Terms, now: datetime, *, limit: int = 100_000) -> tuple[Expired, ...]:
        """Neutral mentions outside a case that nothing keeps any more, the oldest first."""
        why = f"neutral, older than {terms.neutral_days} days, listed in a message that was taken"
        with self._database.read() as session:
            spared = _targets_of_abuse(session, terms, now)
            pages = _old_neutral(session, terms, now)
            going = (each for page in pages for each in _let_go(session, page, spared))
            return tuple(Expired((each,), why) for each in itertools.islice(going, limit))

    def cases(self, terms: Terms, now: datetime) -> tuple[Expired, ...]:
        """Closed cases whose time is over; each waits for a person's approval."""
        today = now.astimezone(terms.zone).date()
        with self._database.read() as session:
            closed = _closings(session)
            found = []
            query = select(CaseRow).where(col(CaseRow.state) == CaseState.CLOSED.value)
            for row in session.exec(query.order_by(col(CaseRow.id))).all():
                reference = case_reference(row)
                mentions = _mentions_of(session, row)
                if not mentions or held_mentions(session, mentions):
                    continue
                if any(to_be_told(session, each) for each in mentions) or reference not in closed:
                    continue
                until, why = _end(session, row, mentions, closed[reference], terms)
                if until is not None and until < today:
                    found.append(Expired(tuple(mentions), why, reference, row.restricted))
            return tuple(found)


def _old_neutral(
    session: Session, terms: Terms, now: datetime
) -> Iterator[Sequence[tuple[MentionRow, GradeRow]]]:
    """Neutral mentions outside a case that are old enough, the oldest first, page by page.

    However many of them something keeps, those behind them are looked at too.
    """
    query = (
        select(MentionRow, GradeRow)
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .join(GradeRow, col(GradeRow.id) == newest_grade())
        .where(col(MentionRow.erased_by).is_(None))
        .where(col(MentionRow.case_id).is_(None))
        .where(col(MentionRow.state) == GradingState.JUDGED.value)
        .where(col(MentionRow.certainty) != Certainty.POSSIBLE.value)
        .where(col(PostRow.captured_at) <= now - timedelta(days=terms.neutral_days))
        .where(col(GradeRow.severity) == Severity.NEUTRAL.value)
        .where(col(GradeRow.unsure).is_(False))
        .order_by(col(MentionRow.id))
    )
    last = 0
    while page := session.exec(query.where(col(MentionRow.id) > last).limit(PAGE)).all():
        yield page
        last = page[-1][0].id or 0


def _let_go(
    session: Session,
    page: Sequence[tuple[MentionRow, GradeRow]],
    spared: AbstractSet[tuple[str, str]],
) -> Iterator[int]:
    """Those of some neutral mentions that neither a flag, a person, a hold nor a message keeps."""
    plain = [
        row.id
        for row, grade in page
        if row.id is not None
        and (row.target_kind, row.target_id) not in spared
        and not json.loads(grade.flags_json)
    ]
    held = held_mentions(session, plain)
    return (
        each
        for each in plain
        if each not in held and _was_told(session, each) and not to_be_told(session, each)
    )


def _targets_of_abuse(session: Session, terms: Terms, now: datetime) -> set[tuple[str, str]]:
    """Those towards whom abuse or a threat was seen so lately that neutral mentions stay."""
    since = now - timedelta(days=_DAYS_A_MONTH * terms.after_abuse_months)
    query = (
        select(MentionRow.target_kind, MentionRow.target_id)
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .join(GradeRow, col(GradeRow.id) == newest_grade())
        .where(or_(col(GradeRow.severity).in_(_GRAVE), col(GradeRow.unsure).is_(True)))
        .where(col(PostRow.captured_at) > since)
        .distinct()
    )
    return set(session.exec(query).all())


def _was_told(session: Session, mention_id: int) -> bool:
    """Whether a message that listed the mention was taken by somebody's mail server."""
    taken = col(DeliveryRow.state) == DeliveryState.TAKEN.value
    digest = (
        select(DeliveryRow.id)
        .join(DigestLineRow, col(DigestLineRow.listed_in) == col(DeliveryRow.alert_id))
        .where(col(DigestLineRow.mention_id) == mention_id)
        .where(taken)
    )
    alert = (
        select(DeliveryRow.id)
        .join(HearingRow, col(HearingRow.alert_id) == col(DeliveryRow.alert_id))
        .where(col(HearingRow.mention_id) == mention_id)
        .where(taken)
    )
    return any(session.exec(query.limit(1)).one_or_none() is not None for query in (digest, alert))


def _closings(session: Session) -> dict[str, datetime]:
    """When each case was last closed, by its number, as the log says."""
    found: dict[str, datetime] = {}
    query = select(EntryRow.content).where(col(EntryRow.kind) == "case.moved")
    for content in session.exec(query.order_by(col(EntryRow.index))):
        leaf = open_leaf(content, ())
        if leaf.public.get("state") == CaseState.CLOSED.value:
            found[str(leaf.public["reference"])] = leaf.at
    return found


def _mentions_of(session: Session, case: CaseRow) -> list[int]:
    query = select(MentionRow.id).where(col(MentionRow.case_id) == case.id)
    query = query.where(col(MentionRow.erased_by).is_(None)).order_by(col(MentionRow.id))
    return [each for each in session.exec(query) if each is not None]


def _end(
    session: Session, case: CaseRow, mentions: list[int], closed: datetime, terms: Terms
) -> tuple[date | None, str]:
    """The last day on which a case is kept; None where a person has to set it."""
    term = session.exec(
        select(TermRow)
        .where(col(TermRow.case_id) == case.id)
        .order_by(col(TermRow.id).desc())
        .limit(1)
    ).one_or_none()
    if term is not None:
        return term.keep_until, f"kept until {term.keep_until}, as decided by {term.by}"
    grades = session.exec(
        select(GradeRow)
        .join(MentionRow, col(GradeRow.id) == newest_grade())
        .where(col(MentionRow.id).in_(mentions))
    ).all()
    usual = {Severity.ABUSIVE.value, Severity.NEUTRAL.value}
    if case.restricted or any(
        grade.severity not in usual or "allegation" in grade.flags_json for grade in grades
    ):
        return None, ""
    end = terms.school_year_end(closed.astimezone(terms.zone).date())
    years = terms.abusive_years
    if (end.month, end.day) == _LEAP_DAY:
        end -= timedelta(days=1)
    until = end.replace(year=end.year + years)
    return until, f"abusive, closed in the school year that ended on {end}, and {years} years more"
