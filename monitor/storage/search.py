"""Full-text search over what is kept: SQLite FTS5 and PostgreSQL behind one interface.

What a person types is words and "quoted phrases", and nothing else: no operator of either database
gets through. The newest come first; ranking a common word would read every match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, column, func, literal_column, table
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.storage.engine import Database
from monitor.storage.listing import Found, read_found
from monitor.storage.reading import case_row
from monitor.storage.search_postgres import ids_in_postgres
from monitor.storage.tables import CaseRow, MentionRow, PostRow
from monitor.storage.wanted import Wanted, guarded, is_of_few, narrowed, newest_first

MOST_WORDS: Final = 32
MOST_CHARACTERS: Final = 1_000
COMMON: Final = 5_000
"""So many posts have to hold a word before another index is asked first."""
MANY: Final = 40_000
"""So many hold a word that is soon found by trying one post after the other."""
_PIECE: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_WORD: Final = re.compile(r"\w+")
_INDEX: Final = table("post_words", column("rowid"), column("post_words"))
"""In SQLite; in PostgreSQL `post` has a column of that name."""


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
            return read_found(session, ids_in_postgres(session, asked, wanted, case))


def _is_narrow(wanted: Wanted) -> bool:
    """Whether an index over something other than words leads to few posts."""
    return wanted.restricted or is_of_few(wanted) or bool(wanted.since or wanted.until)


def _in_sqlite(
    session: Session, asked: Sequence[Sequence[str]], wanted: Wanted, case: CaseRow | None
) -> SelectOfScalar[Any]:
    count = 0
    if _is_narrow(wanted):
        some: Select[Any] = sa_select(literal_column("1")).select_from(_INDEX)
        some = some.where(_matches(asked)).limit(MANY)
        count = session.exec(select(func.count()).select_from(some.subquery())).one()
    if count < COMMON:
        query = narrowed(_by_word_in_sqlite(asked), wanted, case, aside=True)
        return guarded(query, wanted, aside=True)
    query = _by_row_in_sqlite(asked, wanted, at_once=count < MANY)
    return guarded(narrowed(query, wanted, case), wanted)


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
        .order_by(*newest_first(wanted))
    )
    holds: Select[Any] = sa_select(_INDEX.c.rowid).select_from(_INDEX).where(_matches(asked))
    if at_once:
        # The plus keeps the planner from beginning with them.
        return query.where(literal_column("+post.id").in_(holds))
    holds = holds.where(_INDEX.c.rowid == col(PostRow.id))
    return query.where(holds.correlate(PostRow).scalar_subquery().is_not(None))
