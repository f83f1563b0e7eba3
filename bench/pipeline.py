"""Posts a second through accept and judge, on SQLite and PostgreSQL, beside bare inserts.

`python bench/pipeline.py`. The matcher and the grader are constants, so that what is measured is
what we keep: rows, log, outbox. "Bare" puts the very same rows into the very same tables, in the
same number of commits, and knows nothing. PostgreSQL is measured where
STAFF_MENTIONS_TEST_POSTGRES names a server.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, create_engine, make_url, text
from sqlmodel import SQLModel

try:
    from bench.measure import table
except ModuleNotFoundError:  # run as a file, its own folder is where Python looks
    from measure import table  # type: ignore[import-not-found, no-redef]

from monitor.model import (
    AlertKind,
    Author,
    Certainty,
    Cursor,
    Grade,
    Match,
    Mention,
    Post,
    PostField,
    PostRef,
    RawItem,
    Role,
    Scope,
    Severity,
    Target,
    TargetKind,
    Urgency,
)
from monitor.storage import schema
from monitor.storage.records import Addressee, Capture, Hearing, Judgement, Turn
from monitor.storage.store import Store

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
POSTS = 200
PASSES = 5
PERSON = Target(TargetKind.PERSON, "desmond-lowe")
HEAD = Addressee("holt", "Marian Holt", "head@school.example", ("mail",))
DIGEST = Hearing(AlertKind.DIGEST, "holt", Role.HEADTEACHER, Urgency.DIGEST, NOW, False)
ALERT = Hearing(AlertKind.CONCERN, "holt", Role.HEADTEACHER, Urgency.NOW, NOW, False)
WORDS = "Mr Lowe kept the whole of year nine in again, what is this school coming to? " * 3
JUDGED = ("grade", "digest_line")
"""Tables whose rows belong to the second commit."""


def captures(count: int) -> list[Capture]:
    """Posts of some 230 characters by different people, each about one person."""
    found = []
    for number in range(count):
        post = Post(
            ref=PostRef("feed", f"https://forum.example/posts/{number}"),
            text=WORDS + str(number),
            url=f"https://forum.example/posts/{number}",
            title="School gates",
            author=Author(f"@parent_{number % 40}"),
            published=NOW,
            raw=RawItem(b"", "application/rss+xml", 100),
        )
        match = Match(PERSON, PostField.TEXT, "title-surname", 0, 7, "Mr Lowe", 0.9)
        mention = Mention(post, PERSON, Certainty.CERTAIN, (match,))
        found.append(Capture(post, "ab" * 32, (mention,), Scope.OPEN, first_look=False))
    return found


def turn(fetched: int) -> Turn:
    return Turn(
        "forum", "feed", Cursor("next"), NOW, NOW, fetched, 0, False, True,
        NOW + timedelta(minutes=15), {"synchronised": True, "error_ms": 3, "how": "kernel"},
    )  # fmt: skip


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"


@contextmanager
def postgres() -> Iterator[str]:
    server = os.environ["STAFF_MENTIONS_TEST_POSTGRES"]
    name = f"sm_bench_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"create database {name}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"drop database if exists {name} with (force)"))
        admin.dispose()


def ours(url: str, batch: int, grade: Grade, hearing: Hearing) -> tuple[float, float]:
    """Seconds for accept and for judge, of all posts."""
    found = captures(POSTS)
    with closing(Store(url, mail_domain="school.example")) as store:
        store.log.open("bench", verifier="bench", at=NOW)
        began = time.perf_counter()
        fresh: list[int] = []
        for start in range(0, POSTS, batch):
            part = found[start : start + batch]
            fresh += store.sources.accept(turn(len(part)), part).fresh
        accepted = time.perf_counter()
        for number in fresh:
            judgement = Judgement(number, grade, (hearing,), {"holt": HEAD}, {"model": "constant"})
            assert store.judging.judge(judgement, at=NOW)
        return accepted - began, time.perf_counter() - accepted


Rows = dict[str, list[dict[str, object]]]


def rows_of(url: str) -> Rows:
    """Everything that a run left behind, table by table, parents first."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {
                found.name: [dict(row) for row in connection.execute(found.select()).mappings()]
                for found in SQLModel.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def bare(url: str, rows: Rows, batch: int) -> tuple[float, float]:
    """Seconds for the same rows in the same number of commits, with nothing looked up."""
    graded = {row["index"] for row in rows["entry"] if row["kind"] == "mention.graded"}
    first: Rows = {name: list(found) for name, found in rows.items() if name not in JUDGED}
    second: Rows = {name: rows[name] for name in JUDGED}
    for name, key in (("entry", "index"), ("disclosure", "entry_index")):
        second[name] = [row for row in rows[name] if row[key] in graded]
        first[name] = [row for row in rows[name] if row[key] not in graded]
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("pragma journal_mode = wal")
                connection.exec_driver_sql("pragma synchronous = full")
                connection.rollback()
            else:
                # Shares of tables do not fall due together: bare inserts check no references.
                connection.exec_driver_sql("set session_replication_role = replica")
                connection.commit()
            began = time.perf_counter()
            _commits(connection, first, POSTS // batch)
            accepted = time.perf_counter()
            _commits(connection, second, POSTS)
            return accepted - began, time.perf_counter() - accepted
    finally:
        engine.dispose()


def _commits(connection: Connection, rows: Rows, count: int) -> None:
    tables = [found for found in SQLModel.metadata.sorted_tables if rows.get(found.name)]
    for turn_number in range(count):
        for found in tables:
            mine = rows[found.name]
            share = slice(len(mine) * turn_number // count, len(mine) * (turn_number + 1) // count)
            if mine[share]:
                connection.execute(found.insert(), mine[share])
        connection.commit()


def main() -> None:
    kinds = {"SQLite": sqlite}
    if os.environ.get("STAFF_MENTIONS_TEST_POSTGRES"):
        kinds["PostgreSQL"] = postgres
    cases = {
        "neutral": (Grade(Severity.NEUTRAL, model="constant"), DIGEST),
        "threatening": (Grade(Severity.THREATENING, model="constant"), ALERT),
    }
    lines = []
    for database, place in kinds.items():
        for batch in (1, 50):
            for name, (grade, hearing) in cases.items():
                taken, least = [], []
                for _ in range(PASSES):
                    with place() as url, place() as other:
                        schema.migrate(url)
                        schema.migrate(other)
                        taken.append(ours(url, batch, grade, hearing))
                        if name == "neutral":
                            least.append(bare(other, rows_of(url), batch))
                lines.append(_line(database, batch, name, taken, least))
    heads = ("database, posts a turn, grade", "accept/s", "judge/s", "both/s", "bare/s", "ratio")
    table(heads, lines)


def _line(
    database: str,
    batch: int,
    name: str,
    taken: list[tuple[float, float]],
    least: list[tuple[float, float]],
) -> tuple[str, ...]:
    accept = statistics.median(one for one, _ in taken)
    judge = statistics.median(two for _, two in taken)
    both = statistics.median(one + two for one, two in taken)
    floor = statistics.median(one + two for one, two in least) if least else None
    return (
        f"{database}, {batch}, {name}",
        f"{POSTS / accept:.0f}",
        f"{POSTS / judge:.0f}",
        f"{POSTS / both:.0f}",
        f"{POSTS / floor:.0f}" if floor else "",
        f"{floor / both:.2f}" if floor else "",
    )


if __name__ == "__main__":
    main()
