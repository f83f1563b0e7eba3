"""Reads a stretch of the log with its rows at once, and says that it is whole or that it doubts it.

Nearly every entry either describes no row, or is to the letter what its row would be sealed as
(`resealed`). Whatever else is found is opened and compared one by one, by the same functions that
`Reading.take` uses. What is wrong is never said here: a stretch in doubt is read again, in the
order of the log, by them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from monitor.errors import EvidenceError
from monitor.evidence.leaf import Json
from monitor.evidence.stretch import Stretch, levels_over, peaks_of
from monitor.evidence.verify import StoredEntry, check_entry, opened_entry
from monitor.storage.inspection import DoubtError, Inspection
from monitor.storage.letters import GATHERED
from monitor.storage.rowcheck import RowCheck
from monitor.storage.wellknown import WellKnown
from monitor.storage.written import UnlikeError

__all__ = ["LENGTH", "DoubtError", "Stretches"]

LENGTH: Final = 1 << 13
"""Entries of one stretch: a power of two, so that its hashes are whole subtrees."""

_BROKEN: Final = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError,
    EvidenceError, SQLAlchemyError, UnlikeError, msgspec.MsgspecError,
)  # fmt: skip
"""What rows and bytes that are not as they should be can lead to. Why does not matter here."""


class Stretches:
    """Reads stretches of one database, in one transaction; `get_blob` gives whole blobs only."""

    def __init__(self, session: Session, get_blob: Callable[[str], bytes]) -> None:
        self._session = session
        self._get_blob = get_blob
        self._rows = RowCheck(session, LENGTH)
        self._is_sqlite = session.get_bind().dialect.name == "sqlite"
        self.gathered = GATHERED["sqlite" if self._is_sqlite else "postgresql"]
        self.known = WellKnown()

    def read(self, start: int, stop: int, signed: Iterable[int]) -> Stretch:
        """Check the entries from `start` up to `stop`; `signed` are sizes of checkpoints in it.

        `start` has to be a multiple of a power of two, by which `stop` is at most farther on.

        Raises:
            DoubtError: it has to be read entry by entry.
        """
        try:
            return self._read(start, stop, signed)
        except _BROKEN as error:
            raise DoubtError from error
        except Exception as error:  # any but a driver's own goes on: psycopg need not be here
            if type(error).__module__.split(".")[0] not in {"sqlite3", "psycopg"}:
                raise
            raise DoubtError from error  # the driver itself could not make sense of a value

    def _read(self, start: int, stop: int, signed: Iterable[int]) -> Stretch:
        found = Inspection(self, start, stop)
        found.check()
        levels = levels_over(found.hashes)
        return Stretch(
            start,
            stop,
            {size: peaks_of(levels, size - start) for size in [*signed, stop]},
            tuple(found.erased),
            tuple(found.events),
            found.blobs,
            found.pictures,
            found.withheld,
            self._same_nodes(levels, start),
        )

    def _same_nodes(self, levels: Sequence[Sequence[bytes]], start: int) -> bool:
        for level, hashes in enumerate(levels[1:], start=1):
            first = start >> level
            rows = self.ask(
                f'select hash from node where level = {level} and "index" >= {first}'  # noqa: S608 - numbers
                f' and "index" < {first + len(hashes)} order by "index"'
            )
            if [row[0] for row in rows] != hashes:
                return False
        return True

    def ask(self, query: str) -> list[Any]:
        """Rows as the driver gives them: making objects of them would take most of the time."""
        cursor: Any = self._session.connection().connection.cursor()
        try:
            if self._is_sqlite:
                cursor.execute(query)
            else:
                cursor.execute(query, binary=True)
            found: list[Any] = cursor.fetchall()
            return found
        finally:
            cursor.close()

    def check_slowly(self, entry: StoredEntry) -> tuple[Mapping[str, Json], list[str], int]:
        """Public fields, names of blobs and number of withheld fields of an entry, opened."""
        opened = opened_entry(entry)
        blobs = check_entry(entry, opened, self._get_blob)
        if self._rows.compare(opened, entry.index) is not None:
            raise DoubtError
        return opened.public, blobs, opened.withheld

    def get_blob(self, digest: str) -> None:
        """Raise EvidenceError unless the vault has these bytes whole."""
        self._get_blob(digest)
