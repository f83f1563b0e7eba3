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

from sqlalchemy import ColumnElement, column, exists, func, literal_column, table
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.model import Flag, Severity
from monitor.storage.convert import stored_grade, stored_mention, stored_post
from monitor.storage.engine import Database
from monitor.storage.reading import case_row, newest_grade
from monitor.storage.records import StoredGrade, StoredMention
from monitor.storage.tables import CaseRow, GradeRow, MentionRow, PostRow

MOST_WORDS: Final = 32
MOST_CHARACTERS: Final = 1_000
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


Found = tuple[StoredMention, StoredGrade | None]


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
            query = _in_sqlite(asked) if self._database.is_sqlite else _in_postgres(asked)
            query = _narrowed(query, wanted, case).limit(wanted.limit)
            ids = [each for each in session.exec(query) if each is not None]
            return tuple(_found(session, each) for each in ids)


def _in_sqlite(asked: Sequence[Sequence[str]]) -> SelectOfScalar[Any]:
    expression = " ".join(f'"{" ".join(phrase)}"' for phrase in asked)
    return (
        select(col(MentionRow.id))
        .select_from(_INDEX)
        # The plus keeps the planner from asking the index for one post at a time: the index, read
        # from its newest post on, stops as soon as enough is found.
        .join(PostRow, col(PostRow.id) == literal_column("+post_words.rowid"))
        .join(MentionRow, col(MentionRow.post_id) == col(PostRow.id))
        .where(_INDEX.c.post_words.op("match")(expression))
        # By nothing more: a second key would make it sort every post that holds the word.
        .order_by(_INDEX.c.rowid.desc())
    )


def _in_postgres(asked: Sequence[Sequence[str]]) -> SelectOfScalar[Any]:
    query = (
        select(col(MentionRow.id))
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .order_by(col(PostRow.id).desc(), col(MentionRow.id).desc())
    )
    vector: ColumnElement[Any] = literal_column(_VECTOR)
    for phrase in asked:
        query = query.where(vector.op("@@")(func.phraseto_tsquery("simple", " ".join(phrase))))
    return query


def _narrowed(
    query: SelectOfScalar[Any], wanted: Wanted, case: CaseRow | None
) -> SelectOfScalar[Any]:
    query = query.where(col(MentionRow.erased_by).is_(None))
    accused = _accused()
    query = query.where(accused if wanted.restricted else ~accused)
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
        query = query.join(GradeRow, col(GradeRow.id) == newest_grade())
        query = query.where(col(GradeRow.severity) == wanted.grade.value)
    return query


def _accused() -> ColumnElement[bool]:
    """Whether any grade of any version of the post is, or was, an allegation; or its case is."""
    kin = MentionRow.__table__.alias("kin")  # type: ignore[attr-defined]
    grade = GradeRow.__table__.alias("grade_of_kin")  # type: ignore[attr-defined]
    flagged = exists().where(
        kin.c.platform == col(MentionRow.platform),
        kin.c.native_id == col(MentionRow.native_id),
        grade.c.mention_id == kin.c.id,
        grade.c.flags_json.contains(f'"{Flag.ALLEGATION.value}"'),  # not a faint one,
    )
    restricted = exists().where(
        col(CaseRow.id) == col(MentionRow.case_id), col(CaseRow.restricted).is_(True)
    )
    return flagged | restricted


def _found(session: Session, mention_id: int) -> Found:
    row = session.get_one(MentionRow, mention_id)
    kept = stored_post(session.get_one(PostRow, row.post_id))
    grade = session.exec(
        select(GradeRow)
        .where(col(GradeRow.mention_id) == mention_id)
        .order_by(col(GradeRow.id).desc())
        .limit(1)
    ).one_or_none()
    return stored_mention(row, kept), stored_grade(grade) if grade else None
