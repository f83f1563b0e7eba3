"""Lists of mentions: an index finds the ids of one page, then all of its rows are read together.

Every list stops as soon as it is long enough, so a page costs the same at any size of the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.model import Severity
from monitor.storage.convert import stored_grade, stored_mention, stored_post
from monitor.storage.guarding import accused, is_accused
from monitor.storage.records import StoredGrade, StoredMention
from monitor.storage.tables import GradeRow, MentionRow, PostRow

AT_ONCE: Final = 500
"""So many rows are asked for by their ids in one statement."""

Found: TypeAlias = tuple[StoredMention, StoredGrade | None]


def newest(
    *,
    severity: Severity | None,
    target: str | None,
    source: str | None,
    restricted: bool | None,
) -> SelectOfScalar[Any]:
    """The ids of the mentions that answer, the newest first; `restricted`: see `hidden`."""
    query = select(col(MentionRow.id)).where(col(MentionRow.erased_by).is_(None))
    if restricted is not None:
        query = query.where(hidden(restricted=restricted))
    if severity is not None:
        query = graded(query, severity)
    if target is not None:
        query = query.where(col(MentionRow.target_id) == target)
    if source is not None:
        query = query.join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        query = query.where(col(PostRow.source) == source)
    return query.order_by(*order(severity=severity, by_post=source is not None))


def hidden(*, restricted: bool, ever: bool = False) -> ColumnElement[bool]:
    """Only allegations, or none of them; `ever`: also where a later grade took the word back.

    The few that are hidden are found by an index of their own; of the many others each is asked.
    """
    return is_accused(ever=ever) if restricted else ~accused(ever=ever)


def graded(query: SelectOfScalar[Any], severity: Severity) -> SelectOfScalar[Any]:
    """Only mentions of which the grade that stands is this one, found by it."""
    query = query.join(GradeRow, col(GradeRow.mention_id) == col(MentionRow.id))
    return query.where(col(GradeRow.severity) == severity.value).where(~_overruled())


def has_grade(severity: Severity) -> ColumnElement[bool]:
    """For a query over `MentionRow`: whether that is the grade that stands, asked of each."""
    stands = exists().where(
        col(GradeRow.mention_id) == col(MentionRow.id),
        col(GradeRow.severity) == severity.value,
        ~_overruled(),
    )
    return stands.correlate(MentionRow)


def _overruled() -> ColumnElement[bool]:
    later = aliased(GradeRow)
    return exists().where(
        col(later.mention_id) == col(GradeRow.mention_id), col(later.id) > col(GradeRow.id)
    )


def order(*, severity: Severity | None, by_post: bool) -> tuple[ColumnElement[Any], ...]:
    """Newest first, in the words of the index that a list is read from; `by_post`: one of posts."""
    if by_post:
        return col(PostRow.id).desc(), col(MentionRow.id).desc()
    if severity is not None:
        return (col(GradeRow.mention_id).desc(),)
    return (col(MentionRow.id).desc(),)


def read_found(session: Session, ids: Sequence[int]) -> tuple[Found, ...]:
    """The mentions with these ids, in that order, each with the grade that stands."""
    found: dict[int, Found] = {}
    for start in range(0, len(ids), AT_ONCE):
        found |= _read(session, ids[start : start + AT_ONCE])
    return tuple(found[each] for each in ids)


def _read(session: Session, ids: Sequence[int]) -> dict[int, Found]:
    pairs = session.exec(
        select(MentionRow, PostRow)
        .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
        .where(col(MentionRow.id).in_(ids))
    ).all()
    # In the order in which they were made, so that the newest of a mention is the one that stays.
    grades = session.exec(
        select(GradeRow).where(col(GradeRow.mention_id).in_(ids)).order_by(col(GradeRow.id))
    )
    stands = {row.mention_id: row for row in grades}
    edited = _edited(session, [post.id for _row, post in pairs])
    found: dict[int, Found] = {}
    for row, post in pairs:
        assert row.id is not None
        grade = stands.get(row.id)
        kept = stored_post(post, edited=post.id in edited)
        found[row.id] = stored_mention(row, kept), stored_grade(grade) if grade else None
    return found


def _edited(session: Session, posts: Sequence[int | None]) -> frozenset[int | None]:
    """Which of these posts are a later version of one that was kept before."""
    earlier = aliased(PostRow)
    query = select(col(PostRow.id)).where(
        col(PostRow.id).in_(posts),
        exists().where(
            col(earlier.platform) == col(PostRow.platform),
            col(earlier.native_id) == col(PostRow.native_id),
            col(earlier.id) < col(PostRow.id),
        ),
    )
    return frozenset(session.exec(query))
