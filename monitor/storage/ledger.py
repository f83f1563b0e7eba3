"""The one append path to the log: leaves and the rows that they describe, in one commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, tuple_
from sqlalchemy import select as sa_select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from monitor.errors import EvidenceError
from monitor.evidence.leaf import Leaf, seal
from monitor.evidence.log import Frontier
from monitor.evidence.verify import StoredEntry
from monitor.storage.tables import CheckpointRow, DisclosureRow, EntryRow, NodeRow

_PAGE = "page"


@dataclass(slots=True)
class _Page:
    """What one commit adds to the log: read once where it ends, written in three statements."""

    frontier: Frontier
    entries: list[dict[str, Any]] = field(default_factory=list)
    disclosures: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, leaf: Leaf) -> int:
        index, sealed = self.frontier.size, seal(leaf)
        self.nodes += [
            {"level": node.level, "index": node.index, "hash": node.hash}
            for node in self.frontier.append(sealed.leaf_hash)
        ]
        self.entries.append(
            {
                "index": index,
                "kind": leaf.kind,
                "at": leaf.at,
                "content": sealed.content,
                "leaf_hash": sealed.leaf_hash,
            }
        )
        self.disclosures += [
            {"entry_index": index, "name": each.name, "encoded": each.encoded}
            for each in sealed.disclosures
        ]
        return index

    def write(self, session: Session) -> None:
        connection = session.connection()
        for table, rows in (
            (EntryRow, self.entries),
            (DisclosureRow, self.disclosures),
            (NodeRow, self.nodes),
        ):
            if rows:
                connection.execute(insert(table), rows)
                rows.clear()


class WritingSession(Session):
    """A session under the writer's lock: entries reach the database before rows that name them."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        page: _Page | None = self.info.get(_PAGE)
        if page is not None:
            page.write(self)
        super().flush(objects)


def append(session: Session, leaves: Sequence[Leaf]) -> list[int]:
    """Seal `leaves` at the end of the log; their indices. Call only inside `Database.write()`."""
    if not leaves:
        return []
    page: _Page | None = session.info.get(_PAGE)
    if page is None:
        # Nobody else can write before this commit, so where the log ends is read once.
        assert isinstance(session, WritingSession), "the log grows only under the writer's lock"
        page = session.info[_PAGE] = _Page(_frontier(session))
    return [page.add(leaf) for leaf in leaves]


def size(session: Session) -> int:
    """How many entries the log holds."""
    return session.exec(select(func.coalesce(func.max(col(EntryRow.index)), -1))).one() + 1


def _frontier(session: Session) -> Frontier:
    """The right edge of the log, in two reads whatever its size."""
    count = size(session)
    wanted = _peaks(count)
    interior = [peak for peak in wanted if peak[0] > 0]
    found: dict[tuple[int, int], bytes] = {}
    if interior:
        place = tuple_(col(NodeRow.level), col(NodeRow.index))
        rows = session.exec(
            select(NodeRow.level, NodeRow.index, NodeRow.hash).where(place.in_(interior))
        )
        found = {(level, index): digest for level, index, digest in rows}
    if count & 1:
        leaf = select(EntryRow.leaf_hash).where(col(EntryRow.index) == count - 1)
        try:
            found[0, count - 1] = session.exec(leaf).one()
        except DBAPIError as error:  # left out, it is named as damaged
            if not is_garbled(error):
                raise
    return Frontier.of(count, lambda level, index: found.get((level, index), b""))


def _peaks(count: int) -> list[tuple[int, int]]:
    """(level, index) of the complete subtrees at the right edge: one for each bit of the size."""
    return [
        (level, (count >> level) - 1) for level in range(count.bit_length()) if count >> level & 1
    ]


def root(session: Session) -> tuple[int, bytes]:
    """The size of the log and its RFC 6962 root now."""
    frontier = _frontier(session)
    return frontier.size, frontier.root()


def level(session: Session, level: int, *, batch: int = 10_000) -> Iterator[bytes]:
    """The hashes of one level of the tree in the order of their indices; leaves are level 0."""
    start = -1
    while True:
        if level == 0:
            query = select(EntryRow.index, EntryRow.leaf_hash).where(col(EntryRow.index) > start)
            rows = session.exec(query.order_by(col(EntryRow.index)).limit(batch)).all()
        else:
            nodes = select(NodeRow.index, NodeRow.hash).where(col(NodeRow.level) == level)
            nodes = nodes.where(col(NodeRow.index) > start)
            rows = session.exec(nodes.order_by(col(NodeRow.index)).limit(batch)).all()
        if not rows:
            return
        yield from (digest for _index, digest in rows)
        start = rows[-1][0]


def entries(session: Session, start: int = 0, *, batch: int = 5_000) -> Iterator[StoredEntry]:
    """Every entry from `start` on in order with its disclosures, a batch of rows at a time.

    Plain columns: an object of the mapper for each row would take most of the time.
    """
    while True:
        try:
            found = _batch(session, start, batch)
        except (DBAPIError, TypeError, ValueError) as error:
            if isinstance(error, DBAPIError) and not is_garbled(error):
                raise
            if batch == 1:
                raise EvidenceError(_unreadable(start, error)) from error
            batch = 1  # to find out which of them it is
            continue
        if not found:
            return
        for entry in found:
            _demand_bytes(entry.index, entry.content, entry.leaf_hash)
            if entry.at is None:
                raise EvidenceError(_unreadable(entry.index))
            if not all(type(encoded) is str for _, encoded in entry.disclosures):
                raise EvidenceError(f"entry {entry.index}: a secret field of it is not text")
            yield entry
        start = found[-1].index + 1


def _batch(session: Session, start: int, batch: int) -> list[StoredEntry]:
    connection = session.connection()
    wanted = sa_select(
        col(EntryRow.index),
        col(EntryRow.content),
        col(EntryRow.leaf_hash),
        col(EntryRow.erased_by),
        col(EntryRow.kind),
        col(EntryRow.at),
    )
    rows = connection.execute(
        wanted.where(col(EntryRow.index) >= start).order_by(col(EntryRow.index)).limit(batch)
    ).all()
    place, last = col(DisclosureRow.entry_index), rows[-1][0] if rows else start
    opening = sa_select(place, col(DisclosureRow.name), col(DisclosureRow.encoded))
    opened: dict[int, list[tuple[str, str]]] = {}
    for number, name, encoded in connection.execute(
        opening.where(place >= start).where(place <= last)
    ):
        opened.setdefault(number, []).append((name, encoded))
    return [
        StoredEntry(
            index, content, digest, tuple(opened.get(index, ())), erased_by is not None, kind, at
        )
        for index, content, digest, erased_by, kind, at in rows
    ]


def _unreadable(index: int, error: Exception | None = None) -> str:
    what = "is not even text" if isinstance(error, DBAPIError) else "gives no time"
    return f"entry {index} cannot be read: it was altered, and {what} any more"


def is_garbled(error: DBAPIError) -> bool:
    """Whether SQLite could not read what somebody wrote into a column by hand."""
    return isinstance(error.orig, sqlite3.OperationalError) and "decode" in str(error.orig)


def _demand_bytes(index: int, *found: object) -> None:
    """SQLite keeps text in a column of bytes where somebody wrote it there by hand."""
    for each in found:
        if type(each) is not bytes:
            raise EvidenceError(f"entry {index}: its content was altered: it is not bytes any more")


def entry(session: Session, index: int) -> StoredEntry | None:
    """One entry with its disclosures; None where the log has no such entry."""
    row = session.get(EntryRow, index)
    if row is None:
        return None
    found = session.exec(select(DisclosureRow).where(col(DisclosureRow.entry_index) == index))
    return StoredEntry(
        index=index,
        content=row.content,
        leaf_hash=row.leaf_hash,
        disclosures=tuple((each.name, each.encoded) for each in found),
        erased=row.erased_by is not None,
    )


def contents_of(session: Session, kind: str) -> list[bytes]:
    """The content of every entry of one kind, in order."""
    query = select(EntryRow.content).where(col(EntryRow.kind) == kind)
    return list(session.exec(query.order_by(col(EntryRow.index))))


def of_kinds(
    session: Session, kinds: Collection[str], *, since: int, until: int
) -> list[tuple[int, bytes]]:
    """Number and content of entries of some kinds, from `since` up to, not including, `until`."""
    place = col(EntryRow.index)
    query = select(EntryRow.index, EntryRow.content).where(col(EntryRow.kind).in_(kinds))
    return list(session.exec(query.where(place >= since, place < until).order_by(place)))


def contents(session: Session, *, batch: int = 5_000) -> Iterator[bytes]:
    """The leaf bytes of every entry in order, up to the first that is missing."""
    start = 0
    while True:
        query = select(EntryRow.index, EntryRow.content).where(col(EntryRow.index) >= start)
        rows = session.exec(query.order_by(col(EntryRow.index)).limit(batch)).all()
        for index, content in rows:
            if index != start:
                return
            _demand_bytes(index, content)
            yield content
            start += 1
        if not rows:
            return


def node(session: Session, level: int, index: int) -> bytes:
    """The stored hash of one complete subtree; empty where it is missing."""
    if level == 0:
        leaf = select(EntryRow.leaf_hash).where(col(EntryRow.index) == index)
        return session.exec(leaf).one_or_none() or b""
    found = session.get(NodeRow, (level, index))
    return found.hash if found else b""


def add_checkpoint(session: Session, row: CheckpointRow) -> None:
    """Keep a signed note; a second one of the same size is the same statement and is dropped."""
    if session.get(CheckpointRow, row.size) is None:
        session.add(row)


def checkpoints(session: Session) -> list[CheckpointRow]:
    """Every signed note, the smallest tree first."""
    return list(session.exec(select(CheckpointRow).order_by(col(CheckpointRow.size))))
