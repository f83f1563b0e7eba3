"""One database, two kinds: SQLite (WAL, synchronous=FULL) by default, PostgreSQL by its address.

Every write is one transaction that holds the database's writer lock from its first statement, so
that the log grows in one order and no half of a commit is ever seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlmodel import Session

from monitor.storage.ledger import WritingSession

SQLITE_WAIT_MS = 30_000
POSTGRES_WAIT_MS = 30_000
# Any constant will do, as long as every process of ours on this database uses the same one.
_POSTGRES_LOCK = 0x7374_6166_666D


class Database:
    """An engine whose `read()` and `write()` give a session for one transaction."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.is_sqlite else _postgres(url)
        # SQLite reads a snapshot by itself; PostgreSQL has to be asked for one.
        self._reader = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One view of one moment, however many questions are asked; nothing in it is kept."""
        with Session(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One commit, or none of it."""
        connected = self.engine.connect().execution_options(writes=True)
        with connected as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(text("select pg_advisory_xact_lock(:key)"), _LOCK_KEY)
            with WritingSession(bind=connection, autoflush=False) as session:
                yield session
                session.flush()

    def destroy_freed(self) -> bool:
        """Let deleted words leave the database's files; False where somebody still reads them.

        SQLite overwrites what is deleted (`secure_delete`), folds the words' index together and
        empties its journal. PostgreSQL is asked to vacuum; its files and its own journal keep
        freed bytes until they are used again, which only its administrator can hasten.
        """
        connected = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connected as connection:
            if not self.is_sqlite:
                connection.execute(text("vacuum disclosure, post, mention, grade, delivery"))
                return True
        with self.write() as session:
            session.connection().execute(
                text("insert into post_words(post_words) values ('optimize')")
            )
        raw = self.engine.raw_connection()
        try:
            busy, _frames, _moved = raw.execute("pragma wal_checkpoint(truncate)").fetchone()
        finally:
            raw.close()
        return not busy

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


_LOCK_KEY = {"key": _POSTGRES_LOCK}


def _make_private(path: Path) -> None:
    """Let a new database be its owner's alone; SQLite gives its journals the same rights."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        _make_private(Path(path))
    engine = create_engine(url, connect_args={"check_same_thread": False})

    def connected(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: we say which kind we want.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"pragma busy_timeout = {SQLITE_WAIT_MS}")
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = full")
        cursor.execute("pragma foreign_keys = on")
        cursor.execute("pragma secure_delete = on")
        cursor.execute("pragma trusted_schema = off")
        cursor.close()

    def begun(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _postgres(url: str) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 10,
            # Compiling a query (jit) takes longer than any of ours runs.
            "options": f"-c timezone=utc -c jit=off -c lock_timeout={POSTGRES_WAIT_MS}",
        },
    )
