"""Compares the rows that people read with the entries that were sealed about them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col, select

from monitor.evidence.leaf import OpenedLeaf
from monitor.storage import ledger
from monitor.storage.comparing import AGAIN, LATER
from monitor.storage.neighbours import BLOCK, Rows
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    CaseRow,
    EntryRow,
    GradeRow,
    MentionRow,
    PictureRow,
    PostRow,
    StampRow,
)

_DESCRIBED: dict[str, Any] = {
    "post.captured": PostRow,
    "mention.matched": MentionRow,
    "mention.graded": GradeRow,
    "alert.raised": AlertRow,
    "case.opened": CaseRow,
    "case.noted": CaseNoteRow,
    "checkpoint.stamped": StampRow,
    "page.pictured": PictureRow,
}
"""The kinds of entry that are the beginning of a row, which names its entry."""

TABLES: Final = {kind: str(table.__tablename__) for kind, table in _DESCRIBED.items()}
"""The names of those tables."""
COMPARED: Final = AGAIN.keys() | LATER.keys()
"""The kinds of entry that have rows to be compared with."""


class RowCheck:
    """A check for `monitor.evidence.verify`: says what differs, or None where all agrees.

    Rows are read for so many entries at once as `length` says.
    """

    def __init__(self, session: Session, length: int = BLOCK) -> None:
        self._session = session
        self._rows = Rows(session, length)
        self._block = -1
        self._strays: dict[int, str] = {}

    def __call__(self, leaf: OpenedLeaf, index: int) -> str | None:
        if index // BLOCK != self._block:
            self._block = index // BLOCK
            start = self._block * BLOCK
            self._strays = _strays(self._session, start, start + BLOCK)
        return self._strays.get(index) or self.compare(leaf, index)

    def compare(self, leaf: OpenedLeaf, index: int) -> str | None:
        """The rows that this entry describes; not those that name it and speak of another."""
        try:
            return self._compare(leaf, index)
        except DBAPIError as error:
            if not ledger.is_garbled(error):
                raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            pass  # which of them depends on what was written where
        return f"a row about this {leaf.kind} entry was changed: it cannot be read any more"

    def _compare(self, leaf: OpenedLeaf, index: int) -> str | None:
        table = _DESCRIBED.get(leaf.kind)
        found = self._rows.describing(table, index) if table else []
        if leaf.withheld:  # a withheld or erased entry says nothing to compare with
            return None
        if leaf.kind in LATER:
            return LATER[leaf.kind](self._rows, leaf)
        if table is None:
            return None
        if len(found) != 1:
            how_many = "is gone" if not found else "stands there twice"
            return f"the {_noun(table)} row that this entry describes {how_many}"
        return AGAIN[leaf.kind](self._rows, found[0], leaf)


def _strays(session: Session, start: int, stop: int) -> dict[int, str]:
    """Rows that name an entry of this range which speaks of something else: nobody sealed them.

    The first of each kind that there is, by its entry.
    """
    found = {}
    for kind, table in _DESCRIBED.items():
        for index in session.exec(_naming(table, start, stop).where(col(EntryRow.kind) != kind)):
            found[index] = f"a {_noun(table)} row names this entry, which does not describe it"
    for marked in (PostRow, MentionRow):
        differs = col(marked.erased_by).is_distinct_from(col(EntryRow.erased_by))
        for index in session.exec(_naming(marked, start, stop).where(differs)):
            found[index] = f"the {_noun(marked)} row and this entry are not both marked as erased"
    return found


def _naming(table: Any, start: int, stop: int) -> Any:
    place = col(table.entry_index)
    query = select(place).join(EntryRow, col(EntryRow.index) == place)
    return query.where(place >= start).where(place < stop).order_by(place).limit(1)


def _noun(table: type[SQLModel]) -> str:
    return {"casefile": "case", "case_note": "note", "stamp": "time-stamp"}.get(
        str(table.__tablename__), str(table.__tablename__)
    )
