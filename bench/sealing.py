"""How fast entries are sealed into a database, and what a mention takes of the disk.

Run `python bench/sealing.py [ENTRIES]`. Every commit reaches the disk before the next begins
(SQLite: WAL with `synchronous=full`; PostgreSQL as it is set up). Beside it the least that could be
done: the bytes of the same entries put into a table of one column, by as many commits. Then a log
of ENTRIES (a hundred thousand if not said) with rows and originals as a school has them
(`bench/logs.py`).
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, MetaData, Table, insert, text
from sqlmodel import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import logs
from bench.evidence import ORIGIN, leaves
from bench.measure import table
from bench.pipeline import postgres, sqlite
from monitor.evidence.checkpoint import SigningKey
from monitor.evidence.leaf import seal
from monitor.storage import ledger, schema
from monitor.storage.engine import Database

PASSES = 5
WAYS = {1: 200, 100: 5_000}
"""Entries a commit, and entries a pass."""
BARE = Table("bench_bare", MetaData(), Column("content", LargeBinary))


def in_commits(
    database: Database, some: Sequence[Any], batch: int, work: Callable[[Session, Any], object]
) -> float:
    """Entries a second of one pass, so many a commit."""
    began = time.perf_counter()
    for start in range(0, len(some), batch):
        with database.write() as session:
            work(session, some[start : start + batch])
    return len(some) / (time.perf_counter() - began)


def put(session: Session, contents: Sequence[bytes]) -> None:
    """The least: the bytes of the entries, without hash, tree or disclosures."""
    session.connection().execute(insert(BARE), [{"content": each} for each in contents])


def rates(url: str) -> list[list[str]]:
    """Entries sealed a second, one and many a commit, beside bare inserts in turns."""
    schema.migrate(url)
    rows = []
    with closing(Database(url)) as database:
        with database.write() as session:
            BARE.create(session.connection())
        for batch, count in WAYS.items():
            some = leaves(count)
            contents = [seal(leaf).content for leaf in some]
            ours, bare = [], []
            for _ in range(PASSES):
                ours.append(in_commits(database, some, batch, ledger.append))
                bare.append(in_commits(database, contents, batch, put))
            mine, least = statistics.median(ours), statistics.median(bare)
            rows.append([f"{batch:,} a commit", f"{mine:,.0f}", f"{mine / least:.2f}"])
    return rows


def occupied(folder: Path) -> int:
    """Bytes that the files of a folder take up on the disk, whole blocks."""
    return sum(each.stat().st_blocks * 512 for each in folder.rglob("*") if each.is_file())


def database_size(database: Database) -> int:
    with database.read() as session:
        if session.get_bind().dialect.name == "sqlite":
            asked = "select page_count * page_size from pragma_page_count, pragma_page_size"
        else:
            asked = "select pg_database_size(current_database())"
        return int(session.connection().execute(text(asked)).scalar_one())


def sizes(url: str, entries: int) -> list[str]:
    """Bytes a mention with its ten entries takes: in the database, and in the vault."""
    schema.migrate(url)
    with tempfile.TemporaryDirectory() as folder, closing(Database(url)) as database:
        empty = database_size(database)
        size = logs.build(database, Path(folder), entries, SigningKey.generate(ORIGIN))
        mentions = size // 10
        grown = database_size(database) - empty
        kept = occupied(Path(folder))
    return [f"{mentions:,}", f"{grown / mentions:,.0f}", f"{kept / mentions:,.0f}"]


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    places = {"SQLite": sqlite}
    if os.environ.get("STAFF_MENTIONS_TEST_POSTGRES"):
        places["PostgreSQL"] = postgres
    print("Entries sealed a second, their disclosures and the nodes of the tree included.\n")
    found: list[list[str]] = []
    for name, place in places.items():
        with place() as url:
            found += [[f"{name}, {row[0]}", *row[1:]] for row in rates(url)]
    table(["", "entries/s", "to bare inserts"], found)
    print(
        "What a mention takes of the disk, its ten entries, rows, indices and originals included.\n"
    )
    found = []
    for name, place in places.items():
        with place() as url:
            found.append([name, *sizes(url, entries)])
    table(["", "mentions", "database, bytes each", "vault, bytes each"], found)


if __name__ == "__main__":
    main()
