"""What tests of several rooms share: databases migrated to head, invented people, built posts.

`STAFF_MENTIONS_TEST_POSTGRES` is the address of a PostgreSQL server on which databases may be made
and dropped; without it the tests marked `postgres` are skipped, or fail where
`STAFF_MENTIONS_REQUIRE_REAL=1`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from monitor.config.schema import Config
from monitor.errors import EvidenceError
from monitor.evidence import warc
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Verified, verify_log
from monitor.model import (
    AlertKind,
    Answer,
    Author,
    Certainty,
    Cursor,
    DateSource,
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

POSTGRES = "STAFF_MENTIONS_TEST_POSTGRES"
REQUIRE_REAL = "STAFF_MENTIONS_REQUIRE_REAL"
NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)
"""A Friday morning in term, in the middle of the school's day."""
ORIGIN = "school.example/staff-mentions"


# --- databases ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "head.sqlite3"
    schema.migrate(f"sqlite:///{path}")
    return path


def run_on_server(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> str:
    server = os.environ.get(POSTGRES, "")
    if not server:
        message = f"{POSTGRES} names no server"
        if os.environ.get(REQUIRE_REAL) == "1":
            pytest.fail(message)
        pytest.skip(message)
    return server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    name = f"sm_head_{uuid4().hex[:12]}"
    run_on_server(postgres_server, f"create database {name}")
    try:
        url = make_url(postgres_server).set(database=name)
        schema.migrate(url.render_as_string(hide_password=False))
        yield name
    finally:
        run_on_server(postgres_server, f"drop database if exists {name} with (force)")


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """The address of a database with nothing in it."""
    yield from _database(postgres_server, "template0")


def _database(server: str, template: str) -> Iterator[str]:
    name = f"sm_test_{uuid4().hex[:12]}"
    run_on_server(server, f"create database {name} template {template}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        run_on_server(server, f"drop database if exists {name} with (force)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "test.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    yield from _database(postgres_server, postgres_template)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database at head, once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str, signing_key: SigningKey) -> Iterator[Store]:
    """An opened store on both databases, its log begun."""
    with closing(Store(database_url, mail_domain="school.example")) as opened:
        opened.log.open(ORIGIN, verifier=str(signing_key.verifier), at=NOW)
        yield opened


@pytest.fixture
def sqlite_store(sqlite_url: str, signing_key: SigningKey) -> Iterator[Store]:
    """An opened store on SQLite, for tests that ask nothing of the database itself."""
    with closing(Store(sqlite_url, mail_domain="school.example")) as opened:
        opened.log.open(ORIGIN, verifier=str(signing_key.verifier), at=NOW)
        yield opened


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate(ORIGIN)


# --- invented people ----------------------------------------------------------------------------

SCHOOLS: list[dict[str, Any]] = [
    {
        "id": "thornleigh",
        "name": "Thornleigh Academy",
        "headteacher": "marian-holt",
        "staff": [
            {"id": "marian-holt", "name": "Marian Holt", "roles": ["headteacher"]},
            {"id": "desmond-lowe", "name": "Desmond Lowe", "title": "Mr"},
            {"id": "chloe-barr", "name": "Chloe Barr", "title": "Miss"},
        ],
    }
]
PEOPLE = [
    {"id": "holt", "name": "Marian Holt", "email": "head@school.example", "staff": "marian-holt"},
    {"id": "osei", "name": "Abena Osei", "email": "chair@school.example"},
    {"id": "ferris", "name": "Tom Ferris", "email": "deputy@school.example"},
    {"id": "quill", "name": "Rosa Quill", "email": "dsl@school.example"},
    {"id": "pryce", "name": "Sam Pryce", "email": "server@school.example"},
]
TELL = {
    "headteacher": "holt",
    "second_person": "osei",
    "deputy": "ferris",
    "safeguarding_lead": "quill",
    "administrator": "pryce",
}


def make_config(**changes: Any) -> Config:
    """A valid configuration of one invented school, with some tables replaced."""
    tables: dict[str, Any] = {
        "schools": SCHOOLS,
        "people": PEOPLE,
        "tell": TELL,
        "channels": {"mail": {"kind": "email"}},
    }
    return Config.model_validate(tables | changes)


@pytest.fixture
def config() -> Config:
    return make_config()


# --- built posts --------------------------------------------------------------------------------


def person(name: str = "desmond-lowe") -> Target:
    return Target(TargetKind.PERSON, name)


def a_post(number: int | str = 1, words: str = "Mr Lowe was late again", **fields: Any) -> Post:
    """An invented post with everything that a source can give; `number` makes its name."""
    at = NOW - timedelta(minutes=5)
    body = fields.pop("raw_body", words.encode("utf-8", "replace"))
    usual: dict[str, Any] = {
        "url": f"https://forum.school.example/posts/{number}",
        "title": "School gates",
        "author": Author("@gate_mum", "A parent", "u-77", "https://forum.school.example/u/77"),
        "thread": "Who was on the gate?",
        "published": at,
        "published_raw": "Fri, 20 Nov 2026 08:55:00 GMT",
        "dated_by": DateSource.PUBLISHED,
        "media_urls": ("https://forum.school.example/p.png",),
        "raw": RawItem(body, "application/rss+xml", 120),
        "answer": Answer(
            url="https://forum.school.example/feed",
            status=200,
            headers=(("content-type", "application/rss+xml"), ("etag", '"7"')),
            sha256="ab" * 32,
            size=4321,
            received_at=NOW,
        ),
    }
    return Post(ref=PostRef("feed", f"post-{number}"), text=words, **(usual | fields))


def a_mention(
    post: Post, target: Target | None = None, certainty: Certainty = Certainty.CERTAIN
) -> Mention:
    chosen = target or person()
    match = Match(
        chosen, PostField.TEXT, "title-surname", 0, 7, post.text[:7], 0.9, ("scope:open",)
    )
    return Mention(post, chosen, certainty, (match,))


def a_capture(
    post: Post,
    *targets: Target,
    vault: Vault | None = None,
    first_look: bool = False,
    certainty: Certainty = Certainty.CERTAIN,
) -> Capture:
    assert post.raw is not None
    digest = vault.put(post.raw.content) if vault else ""
    whole = vault.put(warc.captured(post, at=NOW)) if vault else ""
    mentions = tuple(a_mention(post, target, certainty) for target in targets or (person(),))
    return Capture(post, digest, mentions, Scope.OPEN, first_look, whole)


def a_turn(source: str = "gazette", at: datetime = NOW, **fields: Any) -> Turn:
    usual: dict[str, Any] = {
        "kind": "feed",
        "cursor": Cursor("next"),
        "started_at": at - timedelta(seconds=2),
        "captured_at": at,
        "fetched": 3,
        "malformed": 0,
        "not_modified": False,
        "complete": True,
        "next_due_at": at + timedelta(minutes=15),
        "clock": {"synchronised": True, "error_ms": 4, "how": "kernel"},
    }
    return Turn(source=source, **(usual | fields))


HEAD = Addressee("holt", "Marian Holt", "head@school.example", ("mail",))
SECOND = Addressee("osei", "Abena Osei", "chair@school.example", ("mail",))
DEPUTY = Addressee("ferris", "Tom Ferris", "deputy@school.example", ("mail",))
EVERYBODY = {each.person: each for each in (HEAD, SECOND, DEPUTY)}


def a_hearing(
    kind: AlertKind = AlertKind.CONCERN,
    who: str = "holt",
    role: Role = Role.HEADTEACHER,
    urgency: Urgency = Urgency.NOW,
    due_at: datetime = NOW,
    *,
    about_headteacher: bool = False,
) -> Hearing:
    return Hearing(kind, who, role, urgency, due_at, about_headteacher)


def a_judgement(
    mention_id: int, *hearings: Hearing, grade: Grade | None = None, restricted: bool = False
) -> Judgement:
    return Judgement(
        mention_id,
        grade or Grade(Severity.THREATENING, model="constant"),
        hearings or (a_hearing(),),
        EVERYBODY,
        {"model": "constant"},
        restricted,
    )


def verified(store: Store, vault: Vault) -> Verified:
    """Read the whole log against rows and vault; raises EvidenceError where anything differs.

    Entry by entry, and again in stretches of four: both have to find the same and say it alike.
    """
    found, error = _outcome(_one_by_one, store, vault)
    assert _outcome(_in_stretches, store, vault) == (found, error)
    if found is None:
        raise EvidenceError(error)
    return found


def _outcome(
    way: Callable[[Store, Vault], Verified], store: Store, vault: Vault
) -> tuple[Verified | None, str]:
    try:
        return way(store, vault), ""
    except EvidenceError as error:
        return None, str(error)


def _one_by_one(store: Store, vault: Vault) -> Verified:
    with store.log.reading() as view:
        return verify_log(
            view.entries(),
            view.checkpoints(),
            (),
            vault.get,
            head=view.head(),
            check_row=view.row_check(),
        )


def _in_stretches(store: Store, vault: Vault) -> Verified:
    with store.log.verifying(vault.directory, processes=1, length=4) as (_view, whole):
        return whole.verify((), nodes=False)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders above, for tests, which cannot import a conftest."""
    return SimpleNamespace(
        now=NOW,
        origin=ORIGIN,
        head=HEAD,
        second=SECOND,
        deputy=DEPUTY,
        everybody=EVERYBODY,
        people=PEOPLE,
        schools=SCHOOLS,
        tell=TELL,
        config=make_config,
        person=person,
        post=a_post,
        mention=a_mention,
        capture=a_capture,
        turn=a_turn,
        hearing=a_hearing,
        judgement=a_judgement,
        verified=verified,
    )
