"""Full-text search over what is kept: SQLite FTS5 and PostgreSQL behind one interface.

What a person types is words and "quoted phrases", and nothing else: no operator of either database
gets through. The newest come first; ranking a common word would read every match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, column, func, literal_column, table
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.model import Severity
from monitor.storage.engine import Database
from monitor.storage.guarding import accused
from monitor.storage.listing import Found, graded, has_grade, hidden, order, read_found
from monitor.storage.reading import case_row
from monitor.storage.tables import CaseRow, MentionRow, PostRow

MOST_WORDS: Final = 32
MOST_CHARACTERS: Final = 1_000
COMMON: Final = 5_000
"""So many posts have to hold a word before another index is asked first."""
MANY: Final = 40_000
"""So many hold a word that is soon found by trying one post after the other."""
WALK: Final = 5_000
"""So many posts are tried before the index of words is asked after all."""
TRIED: Final = 10
"""What it costs to try a mention that PostgreSQL expects, in posts that hold some words."""
_PIECE: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_WORD: Final = re.compile(r"\w+")
_INDEX: Final = table("post_words", column("rowid"), column("post_words"))
"""In SQLite; in PostgreSQL `post` has a column of that name."""


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


def phrases(words: str) -> list[list[str]]:
    """The phrases that all have to be there, each a list of words; empty where none was given."""
    found: list[list[str]] = []
    count = 0
    for piece in _PIECE.finditer(words[:MOST_CHARACTERS]):
        phrase = _WORD.findall(piece[1] or piece[2] or "")[: MOST_WORDS - count]
        count += len(phrase)
        if phrase:
            found.append(phrase)
    return found


class Search:
    """Questions about words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, wanted: Wanted) -> tuple[Found, ...]:
        """The newest mentions that answer; none where no word was given or the case is unknown."""
        asked = phrases(wanted.words)
        if not asked:
            return ()
        with self._database.read() as session:
            case = case_row(session, wanted.case) if wanted.case else None
            if wanted.case and case is None:
                return ()
            if self._database.is_sqlite:
                query = _in_sqlite(session, asked, wanted, case).limit(wanted.limit)
                return read_found(session, session.exec(query).all())
            return read_found(session, _ids_in_postgres(session, asked, wanted, case))


def _is_narrow(wanted: Wanted) -> bool:
    """Whether an index over something other than words leads to few posts."""
    return wanted.restricted or _is_of_few(wanted) or bool(wanted.since or wanted.until)


def _is_of_few(wanted: Wanted) -> bool:
    narrow = wanted.person, wanted.source, wanted.author, wanted.case
    return any(narrow) or wanted.grade is not None


def _in_sqlite(
    session: Session, asked: Sequence[Sequence[str]], wanted: Wanted, case: CaseRow | None
) -> SelectOfScalar[Any]:
    count = 0
    if _is_narrow(wanted):
        some: Select[Any] = sa_select(literal_column("1")).select_from(_INDEX)
        some = some.where(_matches(asked)).limit(MANY)
        count = session.exec(select(func.count()).select_from(some.subquery())).one()
    if count < COMMON:
        return _narrowed(_by_word_in_sqlite(asked), wanted, case, aside=True)
    return _narrowed(_by_row_in_sqlite(asked, wanted, at_once=count < MANY), wanted, case)


def _matches(asked: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    expression = " ".join(f'"{" ".join(phrase)}"' for phrase in asked)
    return _INDEX.c.post_words.op("match", is_comparison=True)(expression)


def _by_word_in_sqlite(asked: Sequence[Sequence[str]]) -> SelectOfScalar[Any]:
    """Posts by the index of words, from its newest on, which stops as soon as enough is found."""
    return (
        select(col(MentionRow.id))
        .select_from(_INDEX)
        # The plus keeps the planner from asking the index for one post at a time.
        .join(PostRow, col(PostRow.id) == literal_column("+post_words.rowid"))
        .join(MentionRow, col(MentionRow.post_id) == col(PostRow.id))
        .where(_matches(asked))
        # By nothing more: a second key would make it sort every post that holds the word.
        .order_by(_INDEX.c.rowid.desc())
    )


def _by_row_in_sqlite(
    asked: Sequence[Sequence[str]], wanted: Wanted, *, at_once: bool
) -> SelectOfScalar[Any]:
    """Posts by what narrows them, and of each whether it holds the words.

    Either each is looked up in the index of words, which is slow for many, or (`at_once`) all that
    hold them are read before.
    """
    query = (
        select(col(MentionRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .order_by(*_order(wanted))
    )
    holds: Select[Any] = sa_select(_INDEX.c.rowid).select_from(_INDEX).where(_matches(asked))
    if at_once:
        # The plus keeps the planner from beginning with them.
        return query.where(literal_column("+post.id").in_(holds))
    holds = holds.where(_INDEX.c.rowid == col(PostRow.id))
    return query.where(holds.correlate(PostRow).scalar_subquery().is_not(None))


def _order(wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    """Newest first, so that what narrows the search most gives them in their order."""
    if (wanted.since or wanted.until) and not _is_of_few(wanted):
        return col(PostRow.captured_at).desc(), col(PostRow.id).desc()
    return order(severity=wanted.grade, by_post=bool(wanted.source))


def _ids_in_postgres(
    session: Session, asked: Sequence[Sequence[str]], wanted: Wanted, case: CaseRow | None
) -> Sequence[int]:
    vector: ColumnElement[Any] = literal_column("post.post_words")
    said = (func.phraseto_tsquery("simple", " ".join(phrase)) for phrase in asked)
    holds = and_(*(vector.op("@@")(each) for each in said))
    query = (
        select(col(MentionRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .order_by(*_order(wanted))
    )
    query = _narrowed(query, wanted, case)
    of_posts: Select[Any] = sa_select(literal_column("1")).select_from(PostRow).where(holds)
    expected = _expected(session, of_posts) if _is_of_few(wanted) else 0
    if COMMON <= expected < MANY:
        side_by_side = any(len(phrase) > 1 for phrase in asked)
        by_grade = wanted.grade is not None and not wanted.source
        if side_by_side and by_grade and _expected(session, query) * TRIED > expected:
            return _read_first(session, query, holds, wanted)
        walked = None if side_by_side else _walked(session, query, holds, wanted)
        if walked is not None:
            return walked
    found: Sequence[Any] = session.exec(query.where(holds).limit(wanted.limit)).all()
    return found


def _read_first(
    session: Session, query: SelectOfScalar[Any], holds: ColumnElement[bool], wanted: Wanted
) -> Sequence[int]:
    """All posts that hold the words are read before what narrows the search is asked of them.

    The planner takes every post that holds the words of a phrase for one that holds the phrase, and
    would walk over nearly all that narrows until enough is found.
    """
    posts = sa_select(col(PostRow.id)).where(holds).cte("holding").prefix_with("materialized")
    query = query.where(col(PostRow.id).in_(sa_select(posts.c.id))).limit(wanted.limit)
    found: Sequence[Any] = session.exec(query).all()
    return found


def _walked(
    session: Session, query: SelectOfScalar[Any], holds: ColumnElement[bool], wanted: Wanted
) -> Sequence[int] | None:
    """The newest of what narrows the search, each text taken apart; None where `WALK` are too few.

    Left to itself the planner reads all that narrows and all that holds the words, and joins them.
    """
    place = func.row_number().over(order_by=_order(wanted)).label("place")
    newest = query.add_columns(holds.label("held"), place).limit(WALK).subquery()
    rows = session.connection().execute(
        sa_select(newest.c.id, newest.c.held, newest.c.place)
        .where(newest.c.held | (newest.c.place == WALK))
        .limit(wanted.limit)
    )
    walked = sorted(rows, key=lambda row: row.place)
    found = [row.id for row in walked if row.held]
    whole = len(found) == wanted.limit or not walked or walked[-1].place < WALK
    return found if whole else None


def _expected(session: Session, query: Select[Any] | SelectOfScalar[Any]) -> float:
    """How many rows PostgreSQL expects, from its statistics: none are read."""
    asked = query.compile(session.get_bind())
    told = session.connection().exec_driver_sql(f"explain (format json) {asked}", asked.params)
    (plan,) = told.scalar_one()
    return float(plan["Plan"]["Plan Rows"])


def _narrowed(
    query: SelectOfScalar[Any], wanted: Wanted, case: CaseRow | None, *, aside: bool = False
) -> SelectOfScalar[Any]:
    """Only what answers the rest; `aside`: asked of what was found, and no way to find it by."""

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
    # Last, for it costs most: SQLite asks in this order.
    if wanted.restricted and aside:
        return query.where(accused(ever=True))
    return query.where(hidden(restricted=wanted.restricted, ever=True))
