"""Rows about a stretch of the log, read many at once, since entries come in their order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select as sa_select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col

BLOCK = 1_000
"""So many entries, or ids, are read at once."""
KNOWN = 4 * BLOCK


class Rows:
    """The rows about a stretch of the log, read a block at a time: entries come in order."""

    def __init__(self, session: Session, length: int) -> None:
        self._session = session
        self._length = length
        self._block = -1
        self._described: dict[type[SQLModel], dict[int, list[Any]]] = {}
        self._known: dict[type[SQLModel], dict[int, Any]] = {}

    def describing(self, table: Any, index: int) -> list[Any]:
        """The rows of a table that name this entry as their beginning."""
        if index // self._length != self._block:
            self._block = index // self._length
            self._described.clear()
        if table not in self._described:
            try:
                self._described[table] = self._about(table)
            except (
                DBAPIError,
                TypeError,
                ValueError,
            ):  # one row of the block cannot be read: is it this?
                return self._read(table, col(table.entry_index), index, index + 1)
        return self._described[table].get(index, [])

    def _about(self, table: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        start = self._block * self._length
        for row in self._read(table, col(table.entry_index), start, start + self._length):
            found.setdefault(row.entry_index, []).append(row)
        return found

    def get(self, table: Any, number: Any) -> Any:
        """The row with that id, or None; its neighbours, wanted next, are read with it."""
        if type(number) is not int:
            return None
        known = self._known.setdefault(table, {})
        if number not in known:
            if len(known) > KNOWN:
                known.clear()
            start = number - number % BLOCK
            try:
                near = self._read(table, col(table.id), start, start + BLOCK)
            except (DBAPIError, TypeError, ValueError):  # likewise
                near = self._read(table, col(table.id), number, number + 1)
            known |= {row.id: row for row in near}
        return known.get(number)

    def _read(self, table: Any, by: Any, start: int, stop: int) -> list[Any]:
        """Plain rows of a range: an object of the mapper for each would take most of the time."""
        query = sa_select(*table.__table__.columns).where(by >= start).where(by < stop)
        return list(self._session.connection().execute(query))
