"""Search in PostgreSQL: of the ways to the newest mentions, the one that reads least.

Its planner knows how many posts hold a word, and is asked; what it does not know is that words and
people, or the words of a phrase, do not meet by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, true
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.storage.listing import AT_ONCE, hidden
from monitor.storage.tables import CaseRow, MentionRow, PostRow
from monitor.storage.wanted import Wanted, guarded, is_of_few, narrowed, newest_first

COMMON: Final = 5_000
"""So many posts have to hold the words before another way is looked for."""
MANY: Final = 40_000
"""So many hold a word that is soon found by trying one post after the other."""
WALK: Final = 10_000
"""So many posts are tried before the index of words is asked after all."""
SPARE: Final = 10
"""So many more are looked for than are wanted, since a few may not be shown."""
PAIRED: Final = 5_000
"""So many posts, that hold the words of a phrase side by side, are all read."""


def ids_in_postgres(
    session: Session, asked: Sequence[Sequence[str]], wanted: Wanted, case: CaseRow | None
) -> Sequence[int]:
    vector: ColumnElement[Any] = literal_column("post.post_words")
    said = (func.phraseto_tsquery("simple", " ".join(phrase)) for phrase in asked)
    holds = and_(*(vector.op("@@")(each) for each in said))
    query = select(col(MentionRow.id)).join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
    query = narrowed(query.order_by(*newest_first(wanted)), wanted, case)
    phrased = [phrase for phrase in asked if len(phrase) > 1]
    found: Sequence[int] | None = None
    if not wanted.restricted and (phrased or is_of_few(wanted)):
        expected = _expected(session, _posts(holds))
        if phrased and expected >= COMMON:
            found = _by_pairs(session, query, phrased, holds, wanted)
        elif not phrased and expected < MANY:
            found = _by_the_lesser(session, query, holds, wanted, expected)
    if found is not None:
        return found
    query = guarded(query, wanted).where(holds).limit(wanted.limit)
    asked_at_once: Sequence[Any] = session.exec(query).all()
    return asked_at_once


def _by_the_lesser(
    session: Session,
    query: SelectOfScalar[Any],
    holds: ColumnElement[bool],
    wanted: Wanted,
    expected: float,
) -> Sequence[int] | None:
    """By all posts that hold the words, or by what narrows until enough is found; None for neither.

    Left to itself the planner reads all of both, and joins them: of few, and not by grade, well.
    """
    if expected < COMMON and wanted.grade is None:
        return None
    posts = _expected(session, _posts(true()))
    if expected <= min(_expected(session, query), wanted.limit * posts / expected):
        return _read_first(session, query, holds, wanted)
    return _walked(session, query, holds, wanted) if expected >= COMMON else None


def _by_pairs(
    session: Session,
    query: SelectOfScalar[Any],
    phrased: Sequence[Sequence[str]],
    holds: ColumnElement[bool],
    wanted: Wanted,
) -> Sequence[int] | None:
    """By the words of phrases that stand side by side in a post; None where many posts hold them.

    The planner takes every post that holds the words of a phrase for one that holds the phrase,
    and PostgreSQL's index of words does not know where they stand; `ix_post_word_pairs` does.
    """
    pairs: ColumnElement[Any] = literal_column("post_word_pairs(post.post_words)")
    words = (func.to_tsvector("simple", " ".join(phrase)) for phrase in phrased)
    paired = and_(*(pairs.op("@>")(func.post_word_pairs(each)) for each in words))
    if _expected(session, _posts(paired)) >= PAIRED:
        return None
    # Of the words themselves no index is asked: it would find too many.
    return _read_first(session, query, paired & holds.is_(True), wanted)


def _posts(holds: ColumnElement[bool]) -> Select[Any]:
    return sa_select(literal_column("1")).select_from(PostRow).where(holds)


def _read_first(
    session: Session, query: SelectOfScalar[Any], holds: ColumnElement[bool], wanted: Wanted
) -> Sequence[int]:
    """All posts that hold the words are read before what narrows the search is asked of them.

    That nothing hidden is shown is asked of the newest alone, until enough is found: it costs most.
    """
    posts = sa_select(col(PostRow.id)).where(holds).cte("holding").prefix_with("materialized")
    query = query.where(col(PostRow.id).in_(sa_select(posts.c.id)))
    ids: Sequence[int] = session.exec(query).all()
    return _shown(session, ids, wanted)


def _walked(
    session: Session, query: SelectOfScalar[Any], holds: ColumnElement[bool], wanted: Wanted
) -> Sequence[int] | None:
    """The newest of what narrows the search, each text tried; None where `WALK` are too few."""
    place = func.row_number().over(order_by=newest_first(wanted)).label("place")
    newest = query.add_columns(holds.label("held"), place).limit(WALK).subquery()
    enough = wanted.limit + SPARE
    rows = session.connection().execute(
        sa_select(newest.c.id, newest.c.held, newest.c.place)
        .where(newest.c.held | (newest.c.place == WALK))
        .limit(enough)
    )
    walked = sorted(rows, key=lambda row: row.place)
    found = _shown(session, [row.id for row in walked if row.held], wanted)
    whole = len(walked) < enough and (not walked or walked[-1].place < WALK)
    return found if whole or len(found) == wanted.limit else None


def _shown(session: Session, ids: Sequence[int], wanted: Wanted) -> list[int]:
    """Those that may be shown, as many as are wanted: asked of no more than is needed."""
    may_be_shown = hidden(restricted=wanted.restricted, ever=True)
    found: list[int] = []
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        asked = select(col(MentionRow.id)).where(col(MentionRow.id).in_(part)).where(may_be_shown)
        shown = set(session.exec(asked))
        found += [each for each in part if each in shown]
        if len(found) >= wanted.limit:
            break
    return found[: wanted.limit]


def _expected(session: Session, query: Select[Any] | SelectOfScalar[Any]) -> float:
    """How many rows PostgreSQL expects, from its statistics: none are read."""
    asked = query.compile(session.get_bind())
    told = session.connection().exec_driver_sql(f"explain (format json) {asked}", asked.params)
    (plan,) = told.scalar_one()
    return float(plan["Plan"]["Plan Rows"])
