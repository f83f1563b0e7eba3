"""Every row leaves one database and comes back in another, of the same kind or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.errors import EvidenceError, SchemaError
from monitor.evidence.vault import Vault
from monitor.model import Grade, Severity
from monitor.storage import dumping, schema
from monitor.storage.store import Store


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new.sqlite3"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"empty_{request.param}")
    return url


def fill(store: Store, vault: Vault, make: SimpleNamespace) -> None:
    """One row or more of most tables, with letters and bytes that are easily lost."""
    words = 'Mr Lowe \N{CLAPPING HANDS SIGN} "quoted" \\ back\nnew line \N{RIGHT-TO-LEFT OVERRIDE}x'
    for number in range(3):
        post = make.post(number, f"{words} {number}")
        store.sources.accept(make.turn(), [make.capture(post, vault=vault)])
    for waiting in store.judging.waiting():
        grade = Grade(Severity.THREATENING, model="constant")
        store.judging.judge(make.judgement(waiting.id, grade=grade), at=make.now)
    case = store.reading.cases()[0].reference
    store.reading.note(case, by="holt", text="Rang the chair.", at=make.now)
    store.log.checkpoint(lambda size, root: f"{size} {root.hex()}", at=make.now)


def parts(store: Store) -> list[dumping.Part]:
    with store.log.reading() as view:
        return list(view.rows())


def test_every_row_comes_back_as_it_was(
    store: Store, vault: Vault, empty_url: str, make: SimpleNamespace
) -> None:
    fill(store, vault, make)
    before = parts(store)

    dumping.load(empty_url, schema.head(), before)

    with closing(Store(empty_url, mail_domain="school.example")) as loaded:
        assert parts(loaded) == before
        assert loaded.log.head() == store.log.head()
        with loaded.log.reading() as view:
            check = view.row_check()
            for each in list(view.entries()):
                assert check(loaded.log.entry(each.index), each.index) is None


def test_what_comes_after_a_load_gets_numbers_of_its_own(
    store: Store, vault: Vault, empty_url: str, make: SimpleNamespace
) -> None:
    fill(store, vault, make)
    dumping.load(empty_url, schema.head(), parts(store))

    with closing(Store(empty_url, mail_domain="school.example")) as loaded:
        newest = loaded.reading.mentions()[0][0].id
        late = make.capture(make.post("late", "Mr Lowe is late"), vault=vault)
        loaded.sources.accept(make.turn(), [late])
        assert loaded.reading.mentions()[0][0].id == newest + 1


def test_a_dump_of_an_older_schema_is_loaded_and_migrated(
    empty_sqlite: str, sqlite_store: Store
) -> None:
    old = [
        (name, written)
        for name, written in parts(sqlite_store)
        if name in ("entry", "disclosure", "node")
    ]
    dumping.load(empty_sqlite, "0001", old)
    with closing(Store(empty_sqlite, mail_domain="school.example")) as loaded:
        assert loaded.log.head() == sqlite_store.log.head()


def test_a_newer_schema_and_a_database_in_use_are_refused(
    empty_sqlite: str, sqlite_url: str
) -> None:
    with pytest.raises(SchemaError, match="newer program"):
        dumping.load(empty_sqlite, "9999", [])
    with pytest.raises(EvidenceError, match="not empty"):
        dumping.load(sqlite_url, schema.head(), [])


@pytest.mark.parametrize(
    "part",
    [
        ("sqlite_master", b'["name"]\n["x"]\n'),
        ("remembered", b'["nobody"]\n["x"]\n'),
        ("remembered", b'["name", "value"]\n["x"]\n'),
        ("remembered", b'["name", "value"]\n["x", null]\n'),
        ("remembered", b"no json\n"),
        ("node", b'["level", "index", "hash"]\n[1, 2, "%%%"]\n'),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_leave_nothing(
    empty_url: str, part: dumping.Part
) -> None:
    good = ("remembered", b'["name", "value"]\n["kept", "no"]\n')
    with pytest.raises(EvidenceError):
        dumping.load(empty_url, schema.head(), [good, part])
    with closing(Store(empty_url, mail_domain="school.example")) as loaded:
        assert loaded.remembered("kept") is None
    dumping.clear(empty_url)
    assert dumping.is_bare(empty_url)


def test_a_dump_is_of_one_moment(
    store: Store, vault: Vault, make: SimpleNamespace, empty_url: str
) -> None:
    fill(store, vault, make)
    size = store.log.head()[0]
    with store.log.reading() as view:
        taken = _then(view.rows(), lambda: fill_more(store, vault, make))
        dumping.load(empty_url, schema.head(), taken)
    with closing(Store(empty_url, mail_domain="school.example")) as loaded:
        assert loaded.log.head()[0] == size
        assert len(loaded.reading.mentions()) == 3
    assert store.log.head()[0] > size


def fill_more(store: Store, vault: Vault, make: SimpleNamespace) -> None:
    store.sources.accept(
        make.turn(), [make.capture(make.post("more", "Mr Lowe, more"), vault=vault)]
    )


def _then(found: Iterator[dumping.Part], do: object) -> Iterator[dumping.Part]:
    """The first part, then what happens meanwhile, then the rest."""
    yield next(found)
    assert callable(do)
    do()
    yield from found
