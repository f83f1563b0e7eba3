"""Which of two logs is the beginning of the other: the roots that a database's log had."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from monitor.errors import EvidenceError
from monitor.evidence.log import Frontier, leaf_hash
from monitor.storage.engine import Database
from monitor.storage.tables import EntryRow, MentionRow, PictureRow, PostRow

_BATCH = 5_000
_ASKED = 400
"""Names asked for at once, under the limit of SQLite on the variables of a statement."""


@dataclass(frozen=True, slots=True)
class Roots:
    """The size of a log, and the root that it had at some smaller sizes."""

    size: int
    at: dict[int, bytes]


def roots(url: str, sizes: Collection[int] = ()) -> Roots:
    """Work out the roots of a log from its leaves, whatever schema the database has.

    A database without tables, such as any command makes where there was none, is an empty log.

    Raises:
        EvidenceError: the database cannot be read, or entries are missing from it.
    """
    database = Database(url)
    try:
        if not inspect(database.engine).get_table_names():
            return Roots(0, {0: Frontier().root()})
        with database.read() as session:
            return _roots(session, frozenset(sizes))
    except SQLAlchemyError as error:
        raise EvidenceError(f"its log cannot be read ({type(error).__name__})") from error
    finally:
        database.close()


def erased_mentions(url: str) -> frozenset[int]:
    """The log entries of the mentions that were erased in a database, whatever its schema.

    Raises:
        EvidenceError: the database cannot be read.
    """
    database = Database(url)
    try:
        looked = inspect(database.engine)
        if not looked.get_table_names():
            return frozenset()
        columns = {each["name"] for each in looked.get_columns("mention")}
        if "erased_by" not in columns:
            return frozenset()  # its program could not forget yet
        with database.read() as session:
            query = select(MentionRow.entry_index).where(col(MentionRow.erased_by).is_not(None))
            return frozenset(session.exec(query))
    except SQLAlchemyError as error:
        raise EvidenceError(f"its mentions cannot be read ({type(error).__name__})") from error
    finally:
        database.close()


def unnamed(url: str, digests: Iterable[str]) -> frozenset[str]:
    """Those of some blobs that no row of a database at our schema names."""
    database, found = Database(url), set[str]()
    columns = col(PostRow.raw_sha256), col(PostRow.warc_sha256), col(PictureRow.sha256)
    try:
        with database.read() as session:
            every = iter(digests)
            while part := set(itertools.islice(every, _ASKED)):
                for column in columns:
                    named = session.exec(select(column).where(column.in_(part))).all()
                    part -= set(named)
                found |= part
        return frozenset(found)
    finally:
        database.close()


def _roots(session: Session, sizes: frozenset[int]) -> Roots:
    frontier, found = Frontier(), {}
    while True:
        query = select(EntryRow.index, EntryRow.content)
        query = query.where(col(EntryRow.index) >= frontier.size).order_by(col(EntryRow.index))
        rows = session.exec(query.limit(_BATCH)).all()
        for index, content in rows:
            if index != frontier.size:
                raise EvidenceError(f"entry {frontier.size} is missing from its log")
            frontier.push(leaf_hash(content))
            if frontier.size in sizes:
                found[frontier.size] = frontier.root()
        if not rows:
            break
    found[frontier.size] = frontier.root()
    return Roots(frontier.size, found)
