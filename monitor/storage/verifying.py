"""Verifies the log as it is stored: stretch by stretch, in as many processes as help.

Stretches are joined in the order of the log. One that is in doubt is read again there, entry by
entry, and says what is wrong in the words of `monitor.evidence.verify`, whoever read it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from monitor.evidence.checkpoint import VerifierKey
from monitor.evidence.log import verify_levels
from monitor.evidence.stretch import levels_over
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Reading, Verified
from monitor.storage import ledger
from monitor.storage.engine import Database
from monitor.storage.readers import Reader, Readers, as_many_as_help, begin_together, started
from monitor.storage.rowcheck import RowCheck
from monitor.storage.stretches import LENGTH
from monitor.storage.tables import NodeRow


class Whole:
    """All of a log, as one moment shows it."""

    def __init__(
        self, session: Session, size: int, vault: Vault, readers: Readers, length: int
    ) -> None:
        self._session = session
        self._size = size
        self._length = length
        self._vault = vault
        self._readers = readers

    def verify(
        self,
        verifiers: Iterable[VerifierKey],
        *,
        nodes: bool = True,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Verified:
        """Check the log as `verify_log` does, against its rows, and its nodes if asked.

        Raises:
            EvidenceError: the first thing that is wrong.
        """
        session, head = self._session, ledger.root(self._session)
        notes = [row.note for row in ledger.checkpoints(session)]
        reading = Reading(verifiers, notes, self._vault.get, check_row=RowCheck(session))
        starts = range(0, self._size, self._length)
        ends = (min(start + self._length, self._size) for start in starts)
        jobs = [
            (start, stop, reading.signed_between(start + 1, stop))
            for start, stop in zip(starts, ends, strict=True)
        ]
        tops: list[bytes] | None = []
        for (start, stop, _), stretch in zip(jobs, self._readers.read(jobs), strict=True):
            if stretch is None:
                self._take(reading, start, stop)
            else:
                reading.join(stretch)
            if stretch is None or not stretch.nodes:
                tops = None
            elif tops is not None and stop - start == self._length:
                tops += stretch.peaks[stop]
            progress(reading.size)
        found = reading.finish(head)
        if nodes and not (tops is not None and self._are_all_nodes(tops)):
            verify_levels(self._size, lambda level: ledger.level(session, level))
        return found

    def _take(self, reading: Reading, start: int, stop: int) -> None:
        """Read entry by entry what is in doubt; one that stands too far on says what is missing."""
        for entry in ledger.entries(self._session, start):
            if entry.index >= stop and reading.size == stop:
                return
            reading.take(entry)

    def _are_all_nodes(self, tops: list[bytes]) -> bool:
        """Whether the nodes above the stretches are right, and none is too many."""
        highest = self._length.bit_length() - 1
        above = dict(enumerate(levels_over(tops), start=highest))
        for level in range(1, self._size.bit_length() + 1):
            place = col(NodeRow.index)
            of_level = select(NodeRow.hash).where(col(NodeRow.level) == level).order_by(place)
            hashes = above.get(level, [])
            if level > highest and (self._session.exec(of_level.where(place >= 0)).all() != hashes):
                return False
            beyond = of_level.where(place >= self._size >> level)
            if self._session.exec(beyond.limit(1)).one_or_none() is not None:
                return False
        return True


@contextmanager
def opened(
    database: Database, vault: Path, *, processes: int | None = None, length: int = LENGTH
) -> Iterator[tuple[Session, Whole]]:
    """One view of the log and what verifies it; None: as many processes as the machine lends.

    `length` is that of a stretch, a power of two. The writer's lock is held for the moment in
    which several begin to read. Where it cannot be had, one reads alone.
    """
    with database.read() as session:
        count = as_many_as_help(ledger.size(session), processes)
    with started(database, vault, count) as others, database.read() as session:
        size = _begin(database, others, session)
        kept = Vault(vault)
        yield session, Whole(session, size, kept, Readers(others, session, kept), length)


def _begin(database: Database, others: list[Reader], session: Session) -> int:
    if others:
        try:
            with database.write():
                size = ledger.size(session)
                begin_together(others, size)
                return size
        except SQLAlchemyError:
            while others:
                others.pop().end()
    return ledger.size(session)
