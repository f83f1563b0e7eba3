"""What a search looks for, and how a query over mentions is narrowed to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal_column
from sqlmodel import col
from sqlmodel.sql.expression import SelectOfScalar

from monitor.model import Severity
from monitor.storage.guarding import accused
from monitor.storage.listing import graded, has_grade, hidden, order
from monitor.storage.tables import CaseRow, MentionRow, PostRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `restricted`: allegations, and only they; otherwise none of them."""

    words: str
    person: str = ""
    source: str = ""
    author: str = ""
    grade: Severity | None = None
    since: datetime | None = None
    until: datetime | None = None
    case: str = ""
    restricted: bool = False
    limit: int = 50


def is_of_few(wanted: Wanted) -> bool:
    """Whether more than the time narrows it, so that an index leads to its mentions."""
    narrow = wanted.person, wanted.source, wanted.author, wanted.case
    return any(narrow) or wanted.grade is not None


def newest_first(wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    """Newest first, so that what narrows the search most gives them in their order."""
    if (wanted.since or wanted.until) and not is_of_few(wanted):
        return col(PostRow.captured_at).desc(), col(PostRow.id).desc()
    return order(severity=wanted.grade, by_post=bool(wanted.source))


def narrowed(
    query: SelectOfScalar[Any], wanted: Wanted, case: CaseRow | None, *, aside: bool = False
) -> SelectOfScalar[Any]:
    """Only what answers the rest; `aside`: asked of what was found, and no way to find it by.

    It may still be hidden: see `guarded`.
    """

    def of(found: Any) -> ColumnElement[Any]:
        # A plus before a column keeps SQLite from using an index on it.
        plain: ColumnElement[Any] = found.property.columns[0]
        return literal_column(f"+{plain}", plain.type) if aside else plain

    query = query.where(of(MentionRow.erased_by).is_(None))
    if wanted.grade is not None:
        graded_so = has_grade(wanted.grade)
        query = query.where(graded_so) if aside else graded(query, wanted.grade)
    if wanted.person:
        query = query.where(of(MentionRow.target_id) == wanted.person)
    if wanted.source:
        query = query.where(of(PostRow.source) == wanted.source)
    if wanted.author:
        query = query.where(
            (of(PostRow.author_handle) == wanted.author)
            | (of(PostRow.author_name) == wanted.author)
        )
    if wanted.since:
        query = query.where(of(PostRow.captured_at) >= wanted.since)
    if wanted.until:
        query = query.where(of(PostRow.captured_at) < wanted.until)
    if case is not None:
        query = query.where(of(MentionRow.case_id) == case.id)
    return query


def guarded(
    query: SelectOfScalar[Any], wanted: Wanted, *, aside: bool = False
) -> SelectOfScalar[Any]:
    """Only allegations or none of them; last, for it costs most, and SQLite asks in this order."""
    if wanted.restricted and aside:
        return query.where(accused(ever=True))
    return query.where(hidden(restricted=wanted.restricted, ever=True))
