"""The schema has two witnesses, and the program refuses any other."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlmodel import SQLModel

from monitor.errors import SchemaError
from monitor.evidence.leaf import open_leaf
from monitor.evidence.note import VerifierKey
from monitor.evidence.verify import verify_log
from monitor.model import Severity
from monitor.storage import schema
from monitor.storage.store import Store

SAVED = sorted((Path(__file__).parents[1] / "fixtures" / "schema").glob("*.sql"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    url: str = request.getfixturevalue("empty_postgres")
    return url


def differences(url: str) -> list[object]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    # Indexes of words differ between the two: their own tests witness them.
                    "include_object": lambda _object, name, *_: "post_word" not in (name or ""),
                },
            )
            return list(compare_metadata(context, SQLModel.metadata))
    finally:
        engine.dispose()


def test_an_empty_database_migrated_to_head_is_what_the_tables_say(empty_url: str) -> None:
    before, after = schema.migrate(empty_url)
    assert (before, after) == (None, schema.head())
    assert differences(empty_url) == []


def test_migrating_again_does_nothing(empty_url: str) -> None:
    schema.migrate(empty_url)
    assert schema.migrate(empty_url) == (schema.head(), schema.head())


def signer(store: Store) -> str:
    """The key that the first entry of a log names."""
    with store.log.reading() as view:
        first = next(view.entries())
    named = open_leaf(first.content, ()).public["verifier"]
    assert isinstance(named, str)
    return named


def saved(path: Path, tmp_path: Path) -> str:
    database = tmp_path / "saved.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(path.read_text("utf-8"))
    return f"sqlite:///{database}"


@pytest.mark.parametrize("path", SAVED, ids=[path.stem for path in SAVED])
def test_a_database_saved_from_each_revision_is_brought_to_head_with_its_rows(
    path: Path, tmp_path: Path
) -> None:
    url = saved(path, tmp_path)
    before, after = schema.migrate(url)
    assert before == path.stem
    assert after == schema.head()
    assert differences(url) == []
    with closing(Store(url, mail_domain="school.example")) as store:
        assert store.reading.counts().mentions == 2
        (threat, grade), (other, _grade) = store.reading.mentions()
        assert grade is not None
        assert grade.grade.severity is Severity.THREATENING
        assert threat.mention.post.text.startswith("Mr Lowe 🔪")
        assert other.first_look is False
        (case,) = store.reading.cases()
        assert case.notes[0][1:] == ("holt", "rang Mr Lowe")
        (delivery,) = store.outbox.deliveries(1)
        assert delivery.message is not None
        with store.log.reading() as view:
            # Its vault was not saved with it: what the log itself holds must verify.
            blobs = {
                stored.kept.raw_sha256: stored.mention.post.text.encode()
                for stored, _ in store.reading.mentions()
            }
            found = verify_log(
                view.entries(),
                view.checkpoints(),
                (VerifierKey.parse(signer(store)),),
                blobs.__getitem__,
                head=view.head(),
                check_row=view.row_check(),
            )
    assert found.size > 5


def test_there_is_a_saved_database_of_every_revision() -> None:
    script = ScriptDirectory(str(schema._migrations()))
    known = {revision.revision for revision in script.walk_revisions()}
    assert {path.stem for path in SAVED} == known


def test_a_saved_database_names_nobody_real() -> None:
    for path in SAVED:
        for address in re.findall(r"[\w.]+@[\w.-]+", path.read_text("utf-8")):
            assert address.endswith(".example")


def test_the_store_refuses_an_empty_database_and_says_what_to_do(empty_url: str) -> None:
    with pytest.raises(SchemaError, match="staff-mentions migrate"):
        Store(empty_url, mail_domain="school.example")
    assert schema.is_empty(empty_url)


def stamp(url: str, revision: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(
                text("update alembic_version set version_num = :revision"), {"revision": revision}
            )
    finally:
        engine.dispose()


def test_the_store_refuses_an_older_schema_and_says_what_to_do(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "head", lambda: "9999")
    with pytest.raises(SchemaError, match="staff-mentions migrate"):
        Store(database_url, mail_domain="school.example")


def test_the_store_refuses_a_newer_schema_and_does_not_say_migrate(database_url: str) -> None:
    stamp(database_url, "9998")
    with pytest.raises(SchemaError, match="newer") as caught:
        Store(database_url, mail_domain="school.example")
    assert "staff-mentions migrate" not in str(caught.value)


def test_sqlite_is_opened_as_the_design_says(sqlite_store: Store) -> None:
    with sqlite_store._database.read() as session:
        found = {
            name: session.connection().exec_driver_sql(f"pragma {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    full = 2
    assert found == {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1}


def test_every_table_that_an_entry_describes_is_looked_up_by_it_with_an_index(store: Store) -> None:
    inspector = inspect(store._database.engine)
    for table in inspector.get_table_names():
        if any(column["name"] == "entry_index" for column in inspector.get_columns(table)):
            first = [index["column_names"][0] for index in inspector.get_indexes(table)]
            first += inspector.get_pk_constraint(table)["constrained_columns"][:1]
            assert "entry_index" in first, table


def test_a_new_sqlite_database_and_its_journals_are_their_owners_alone(tmp_path: Path) -> None:
    place = tmp_path / "kept"
    before = os.umask(0o022)
    try:
        url = f"sqlite:///{place / 'new.sqlite3'}"
        schema.migrate(url)
        store = Store(url, mail_domain="larkfield.example")
        store.ping()
        rights = {file.name: file.stat().st_mode & 0o777 for file in place.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert len(rights) == 3
    assert set(rights.values()) == {0o600}
    assert place.stat().st_mode & 0o777 == 0o700
