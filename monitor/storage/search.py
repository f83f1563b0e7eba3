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

from sqlalchemy import ColumnElement, Select, column, func, literal_column, table
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.model import Severity
from monitor.storage.engine import Database
from monitor.storage.listing import Found, graded, hidden, order, read_found
from monitor.storage.reading import case_row
from monitor.storage.tables import CaseRow, MentionRow, PostRow

MOST_WORDS: Final = 32
MOST_CHARACTERS: Final = 1_000
COMMON: Final = 5_000
"""So many posts have to hold a word before another index is asked first."""
_PIECE: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_WORD: Final = re.compile(r"\w+")
_VECTOR: Final = (
    "to_tsvector('simple', left(post.title || ' ' || post.text || ' ' || post.thread || ' ' ||"
    " post.author_handle || ' ' || post.author_name, 100000))"
)
_INDEX: Final = table("post_words", column("rowid"), column("post_words"))


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
            if not self._database.is_sqlite:
                query = _in_postgres(asked, wanted)
            elif _is_narrow(wanted) and _is_common(session, asked):
                query = _by_row_in_sqlite(asked, wanted)
            else:
                query = _by_word_in_sqlite(asked)
            query = _narrowed(query, wanted, case).limit(wanted.limit)
            return read_found(session, session.exec(query).all())


def _is_narrow(wanted: Wanted) -> bool:
    """Whether an index over something other than words leads to few posts."""
    return wanted.restricted or _is_of_few(wanted) or bool(wanted.since or wanted.until)


def _is_of_few(wanted: Wanted) -> bool:
    narrow = wanted.person, wanted.source, wanted.author, wanted.case
    return any(narrow) or wanted.grade is not None


def _is_common(session: Session, asked: Sequence[Sequence[str]]) -> bool:
    some: Select[Any] = (
        sa_select(literal_column("1")).select_from(_INDEX).where(_matches(asked)).limit(COMMON)
    )
    return session.exec(select(func.count()).select_from(some.subquery())).one() == COMMON


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


def _by_row_in_sqlite(asked: Sequence[Sequence[str]], wanted: Wanted) -> SelectOfScalar[Any]:
    """Posts by what narrows them, each looked up in the index of words, which is slow for many."""
    holds: Select[Any] = sa_select(literal_column("1")).select_from(_INDEX).where(_matches(asked))
    holds = holds.where(_INDEX.c.rowid == col(PostRow.id))
    return (
        select(col(MentionRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .where(holds.correlate(PostRow).scalar_subquery().is_not(None))
        .order_by(*_order(wanted))
    )


def _order(wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    """Newest first, so that what narrows the search most gives them in their order."""
    if (wanted.since or wanted.until) and not _is_of_few(wanted):
        return col(PostRow.captured_at).desc(), col(PostRow.id).desc()
    return order(severity=wanted.grade, by_post=bool(wanted.source))


def _in_postgres(asked: Sequence[Sequence[str]], wanted: Wanted) -> SelectOfScalar[Any]:
    query = (
        select(col(MentionRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .order_by(*_order(wanted))
    )
    vector: ColumnElement[Any] = literal_column(_VECTOR)
    for phrase in asked:
        query = query.where(vector.op("@@")(func.phraseto_tsquery("simple", " ".join(phrase))))
    return query


def _narrowed(
    query: SelectOfScalar[Any], wanted: Wanted, case: CaseRow | None
) -> SelectOfScalar[Any]:
    query = query.where(col(MentionRow.erased_by).is_(None))
    query = query.where(hidden(restricted=wanted.restricted, ever=True))
    if wanted.person:
        query = query.where(col(MentionRow.target_id) == wanted.person)
    if wanted.source:
        query = query.where(col(PostRow.source) == wanted.source)
    if wanted.author:
        query = query.where(
            (col(PostRow.author_handle) == wanted.author)
            | (col(PostRow.author_name) == wanted.author)
        )
    if wanted.since:
        query = query.where(col(PostRow.captured_at) >= wanted.since)
    if wanted.until:
        query = query.where(col(PostRow.captured_at) < wanted.until)
    if case is not None:
        query = query.where(col(MentionRow.case_id) == case.id)
    if wanted.grade is not None:
        query = graded(query, wanted.grade)
    return query
