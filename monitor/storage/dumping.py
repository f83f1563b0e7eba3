"""All rows as text and back, the same for both databases: what a backup holds of the database.

The rows of one read transaction leave table by table, so that a copy made while the service runs is
of one moment. They come back into an empty schema of the revision that they were written under,
which is then migrated; so a backup outlives later releases, and moves between the databases.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, MetaData, Table, func, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import Date, DateTime, TypeEngine
from sqlmodel import Session, SQLModel

from monitor.errors import EvidenceError
from monitor.storage import schema
from monitor.storage.engine import Database

ROWS_AT_A_TIME: Final = 1_000

Part = tuple[str, bytes]
"""The name of a table and some of its rows: JSON lines, the first the names of the columns."""


def dump(session: Session) -> Iterator[Part]:
    """Every row that the session sees, parents before their children, some thousand at a time."""
    connection = session.connection()
    for table in SQLModel.metadata.sorted_tables:
        query = select(table).order_by(*table.primary_key.columns)
        found = connection.execute(query, execution_options={"yield_per": ROWS_AT_A_TIME})
        for rows in found.partitions():
            yield table.name, _written([column.name for column in table.columns], rows)


def _written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    lines = [json.dumps(columns)]
    lines += [json.dumps([_plain(value) for value in row]) for row in rows]
    return ("\n".join(lines) + "\n").encode("ascii")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def load(url: str, revision: str, parts: Iterable[Part]) -> int:
    """Lay the schema `revision` in an empty database, put the rows in, migrate; how many rows.

    The rows are one transaction. Where anything fails, the database is as empty as before, except
    for the schema: `clear` takes that away.

    Raises:
        SchemaError: the revision is one that this program does not know.
        EvidenceError: the database is not empty, or the rows do not fit the schema.
    """
    if not is_bare(url):
        raise EvidenceError("the database is not empty: rows are only loaded into a new one")
    schema.migrate(url, revision)
    database = Database(url)
    try:
        with database.write() as session:
            count = _Loading(session.connection()).load(parts)
    except (SQLAlchemyError, ValueError, TypeError, KeyError, binascii.Error) as error:
        # The driver's own words would quote the row.
        why = type(error).__name__
        raise EvidenceError(f"the rows of this backup do not fit its schema ({why})") from error
    finally:
        database.close()
    schema.migrate(url)
    return count


def is_bare(url: str) -> bool:
    """Whether a database holds no table at all."""
    database = Database(url)
    try:
        return not inspect(database.engine).get_table_names()
    finally:
        database.close()


def clear(url: str) -> None:
    """Take every table out of a database that was bare when `load` began."""
    database = Database(url)
    try:
        with database.engine.begin() as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)
    finally:
        database.close()


class _Loading:
    """Rows into the tables as they are in the database, which may be older than this program."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables: dict[str, Table] = {}
        self._known = frozenset(inspect(connection).get_table_names())

    def load(self, parts: Iterable[Part]) -> int:
        count = 0
        for name, written in parts:
            count += self._put(self._table(name), written)
        if self._connection.dialect.name == "postgresql":
            self._move_counters_on()
        else:
            self._index_words()
        return count

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            if name not in self._known:
                raise EvidenceError(f"the backup has a table {name!r} that its schema lacks")
            # Without its foreign keys: they would bring every other table along.
            self._tables[name] = Table(
                name, MetaData(), autoload_with=self._connection, resolve_fks=False
            )
        return self._tables[name]

    def _put(self, table: Table, written: bytes) -> int:
        first, *lines = written.decode("ascii").splitlines()
        columns = [table.columns[name] for name in json.loads(first)]
        zoned = self._connection.dialect.name == "postgresql"
        rows = [
            {
                column.name: _valued(column.type, value, zoned=zoned)
                for column, value in zip(columns, json.loads(line), strict=True)
            }
            for line in lines
        ]
        if rows:
            self._connection.execute(insert(table), rows)
        return len(rows)

    def _move_counters_on(self) -> None:
        """Let the next row of each table get a number that no loaded row has."""
        for table in self._tables.values():
            for column in table.primary_key.columns:
                if column.server_default is None and not column.identity:
                    continue
                named = self._connection.dialect.identifier_preparer.format_table(table)
                counter = func.pg_get_serial_sequence(named, column.name)
                newest = func.coalesce(select(func.max(column)).scalar_subquery(), 0)
                self._connection.execute(select(func.setval(counter, newest + 1, False)))

    def _index_words(self) -> None:
        """Fill again each FTS5 index over a table's rows, which no row of a backup describes."""
        found = self._connection.execute(
            text(
                "select name from sqlite_master where type = 'table'"
                " and sql like 'create virtual table%using fts5%content=%'"
            )
        )
        for (name,) in found.all():
            quoted = self._connection.dialect.identifier_preparer.quote(name)
            self._connection.exec_driver_sql(f"insert into {quoted}({quoted}) values ('rebuild')")  # noqa: S608 - likewise


def _valued(kind: TypeEngine[Any], value: Any, *, zoned: bool) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value, validate=True)
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value).astimezone(UTC)
        # SQLite keeps no offset: what stands there is UTC (see SQLModel's UTCDateTime).
        return moment if zoned else moment.replace(tzinfo=None)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
