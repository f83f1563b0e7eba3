"""What carries an allegation against staff, and is shown only to those who are cleared for it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    any_,
    exists,
    func,
    literal_column,
    or_,
    union,
)
from sqlalchemy import select as sa_select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlmodel import col, select

from monitor.model import AlertKind, Flag
from monitor.storage.engine import Database
from monitor.storage.tables import (
    AlertRow,
    CaseRow,
    DigestLineRow,
    GradeRow,
    HearingRow,
    MentionRow,
)

_SAID: Final = f"'%\"{Flag.ALLEGATION.value}\"%'"
"""As it stands in a list of flags; a faint one has its mark inside the quotes and is another.

Written out and not handed over, so that both databases see that `ix_grade_allegation` answers it.
"""


class Guarding:
    """Questions that come before anything is shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mention(self, mention_id: int) -> bool:
        """Whether the post of a mention accuses anybody, or its case is restricted."""
        query = select(MentionRow.id).where(col(MentionRow.id) == mention_id).where(accused())
        with self._database.read() as session:
            return session.exec(query).one_or_none() is not None

    def alert(self, alert_id: int) -> bool:
        """Whether an alert or digest is about an allegation, or tells of a post that carries one.

        A message may have been sent before anybody saw that its post is an allegation.
        """
        heard = select(HearingRow.mention_id).where(col(HearingRow.alert_id) == alert_id)
        listed = select(DigestLineRow.mention_id).where(col(DigestLineRow.listed_in) == alert_id)
        told = or_(col(MentionRow.id).in_(heard), col(MentionRow.id).in_(listed))
        with self._database.read() as session:
            row = session.get(AlertRow, alert_id)
            if row is not None and row.kind == AlertKind.ALLEGATION.value:
                return True
            query = select(MentionRow.id).where(told).where(accused()).limit(1)
            return session.exec(query).one_or_none() is not None


def accused(*, ever: bool = False) -> ColumnElement[bool]:
    """For a query over `MentionRow`: an allegation as its post's grades stand, or as its case does.

    In any version of the post and against anybody: one allegation hides the whole post. `ever`:
    also by a grade that was overruled since.
    """
    kin, flagged = _flagged(ever=ever)
    same = exists().where(
        kin.c.platform == col(MentionRow.platform),
        kin.c.native_id == col(MentionRow.native_id),
        *flagged,
    )
    restricted = exists().where(
        col(CaseRow.id) == col(MentionRow.case_id), col(CaseRow.restricted).is_(True)
    )
    return same | restricted


def is_accused(*, ever: bool = False) -> ColumnElement[bool]:
    """For a query over `MentionRow`: `accused`, with the few that are it found first."""
    return _Among(accused_ids(ever=ever))


class _Among(ColumnElement[bool]):
    """Whether a mention's id is one of these, which are few.

    PostgreSQL is given them as an array, read first: where cases are unknown to its statistics, it
    takes the mentions of the restricted ones for all that there are, and reads every mention.
    """

    inherit_cache = False
    type = Boolean()

    def __init__(self, ids: CompoundSelect[Any]) -> None:
        self.ids = ids

    def self_group(self, against: OperatorType | None = None) -> _Among:  # noqa: ARG002 - its shape
        """As it is: compared with 1, as SQLite's truths are, it would be no way into an index."""
        return self


@compiles(_Among)
def _among(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(col(MentionRow.id).in_(element.ids), **options)


@compiles(_Among, "postgresql")
def _among_in_postgres(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    ids = func.array(element.ids.scalar_subquery())
    return compiler.process(col(MentionRow.id) == any_(ids), **options)


def accused_ids(*, ever: bool = False) -> CompoundSelect[Any]:
    """The ids of the mentions of which `accused` is true, found from the few grades that say so."""
    kin, flagged = _flagged(ever=ever)
    # Under names of their own: of the outer query's rows nothing is asked here.
    told = MentionRow.__table__.alias("told")  # type: ignore[attr-defined]
    closed = MentionRow.__table__.alias("closed")  # type: ignore[attr-defined]
    same = sa_select(told.c.id).where(
        told.c.platform == kin.c.platform, told.c.native_id == kin.c.native_id, *flagged
    )
    cases = sa_select(col(CaseRow.id)).where(col(CaseRow.restricted).is_(True))
    restricted = sa_select(closed.c.id).where(closed.c.case_id.in_(cases))
    return union(same, restricted)


def _flagged(*, ever: bool) -> tuple[Any, tuple[ColumnElement[bool], ...]]:
    """Another mention, and what makes it one that a grade calls an allegation."""
    kin = MentionRow.__table__.alias("kin")  # type: ignore[attr-defined]
    grade = GradeRow.__table__.alias("grade_of_kin")  # type: ignore[attr-defined]
    later = GradeRow.__table__.alias("later_grade")  # type: ignore[attr-defined]
    says = grade.c.mention_id == kin.c.id, grade.c.flags_json.like(literal_column(_SAID))
    if ever:
        return kin, says
    overruled = exists().where(later.c.mention_id == grade.c.mention_id, later.c.id > grade.c.id)
    return kin, (*says, ~overruled)
