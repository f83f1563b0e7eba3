"""A backup of a running installation, and what may be put in place of what."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.backup import archive, making, restoring, staging
from monitor.backup.staging import Place, Staged
from monitor.errors import EvidenceError, SchemaError
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.leaf import OpenedLeaf
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Verified, verify_log
from monitor.model import AlertState, DeliveryState, Grade, Severity
from monitor.rotation import rotate
from monitor.storage import dumping
from monitor.storage.store import Store


@dataclass
class House:
    """An installation in a folder, with a key to open its backups."""

    place: Place
    key: SigningKey
    make: SimpleNamespace
    recipient: str
    identity: bytes

    @property
    def vault(self) -> Vault:
        return Vault(self.place.vault)

    def store(self) -> Store:
        return Store(self.place.url, mail_domain="school.example")

    def hear(self, *numbers: int) -> None:
        with closing(self.store()) as store:
            for number in numbers:
                post = self.make.post(number, f"Mr Lowe should be hurt {number}")
                store.sources.accept(self.make.turn(), [self.make.capture(post, vault=self.vault)])
            for waiting in store.judging.waiting():
                grade = Grade(Severity.THREATENING, model="constant")
                store.judging.judge(self.make.judgement(waiting.id, grade=grade), at=self.make.now)

    def picture(self, png: bytes) -> str:
        """Keep a picture of the page of a post that was heard; its digest."""
        with closing(self.store()) as store:
            since = self.make.now - timedelta(days=1)
            store.pictures.enqueue(frozenset({"forum.school.example"}), since=since)
            wanted = store.pictures.next(now=self.make.now)
            assert wanted is not None
            digest = self.vault.put(png)
            assert store.pictures.keep(wanted, digest, {"url": wanted.url}, at=self.make.now)
            return digest

    def sign(self) -> str:
        with closing(self.store()) as store:
            store.log.checkpoint(
                lambda size, root: sign(Checkpoint(self.key.name, size, root), self.key),
                at=self.make.now,
            )
            return store.log.checkpoints()[-1][1]

    def head(self) -> tuple[int, bytes]:
        with closing(self.store()) as store:
            return store.log.head()

    def back_up(self, path: Path) -> Path:
        with closing(self.store()) as store:
            copier = making.Making(store, self.vault, self.place.key_file)
            made = copier.make(path, [self.recipient], by="pryce", at=self.make.now)
        assert not made.missing
        return made.path

    def stage(self, path: Path, place: Place | None = None) -> Staged:
        keys = archive.identities_of(self.identity, str)
        return staging.stage(path, keys, place or self.place)

    def restore(self, path: Path, place: Place, *known: str, old: str | None = None) -> list[Path]:
        staged = self.stage(path, place)
        try:
            compared = restoring.compare(staged, old=old, known=known)
        except EvidenceError:
            staging.discard(staged, place)
            raise
        return restoring.put(
            staged, compared, place, by="pryce", why="the disk broke", at=self.make.now
        )

    def verify(self, place: Place) -> Verified:
        opened = closing(Store(place.url, mail_domain="school.example"))
        with opened as store, store.log.reading() as view:
            return verify_log(
                view.entries(),
                view.checkpoints(),
                [self.key.verifier],
                Vault(place.vault).get,
                head=view.head(),
                check_row=view.row_check(),
            )


def placed(folder: Path, url: str | None = None) -> Place:
    folder.mkdir(exist_ok=True)
    url = url or f"sqlite:///{folder}/staff-mentions.sqlite3"
    return Place(url, folder, folder / "vault", folder / "signing-key")


@pytest.fixture
def house(
    database_url: str, tmp_path: Path, signing_key: SigningKey, make: SimpleNamespace
) -> House:
    place = placed(tmp_path / "house", database_url)
    signing_key.save(place.key_file)
    recipient, identity = archive.new_identity("")
    built = House(place, signing_key, make, recipient, identity)
    with closing(built.store()) as store:
        store.log.open(make.origin, verifier=str(signing_key.verifier), at=make.now)
    built.hear(1, 2)
    built.sign()
    return built


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A new machine, with nothing on it."""
    url = request.getfixturevalue("empty_postgres") if request.param == "postgres" else None
    return placed(tmp_path / "elsewhere", url)


def restored_entry(place: Place, index: int) -> OpenedLeaf:
    with closing(Store(place.url, mail_domain="school.example")) as store:
        return store.log.entry(index)


def test_a_backup_comes_back_on_another_machine_and_on_the_other_database(
    house: House, elsewhere: Place, tmp_path: Path
) -> None:
    path = house.back_up(tmp_path / "b.age")
    size = house.head()[0]

    house.restore(path, elsewhere)

    found = house.verify(elsewhere)
    assert (found.size, found.blobs, found.checkpoints) == (size + 1, 2, 1)
    assert elsewhere.key_file.read_bytes() == house.place.key_file.read_bytes()
    assert elsewhere.key_file.stat().st_mode & 0o777 == 0o600
    first_new = restored_entry(elsewhere, size)
    assert first_new.kind == "log.restored"
    assert first_new.public["lost_until"] is None
    assert first_new.public["compared"] is False
    assert first_new.secret == {"by": "pryce", "why": "the disk broke"}
    assert restored_entry(elsewhere, size - 1).kind == "log.backed-up"


def test_a_backup_of_a_log_that_was_handed_to_a_new_key_comes_back_with_that_key(
    house: House, elsewhere: Place, tmp_path: Path
) -> None:
    with closing(house.store()) as store:
        new, _aside = rotate(
            store, house.place.key_file, by="pryce", why="yearly", at=house.make.now
        )
    house.restore(house.back_up(tmp_path / "b.age"), elsewhere)
    # Verified from the first key on: the hand-over says which key came after it.
    assert house.verify(elsewhere).size == house.head()[0] + 1
    assert SigningKey.load(elsewhere.key_file).verifier == new.verifier


def test_a_picture_of_a_page_comes_back_with_its_digest_and_is_missed_when_it_is_altered(
    house: House, elsewhere: Place, tmp_path: Path
) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
    digest = house.picture(png)
    house.restore(house.back_up(tmp_path / "b.age"), elsewhere)
    assert Vault(elsewhere.vault).get(digest) == png
    assert house.verify(elsewhere).pictures == 1
    with closing(Store(elsewhere.url, mail_domain="school.example")) as store:
        assert store.pictures.counts() == {"taken": 1, "waiting": 1}
    (kept,) = elsewhere.vault.rglob(digest)
    kept.chmod(0o600)
    kept.write_bytes(png[:-1] + b"\xfe")
    with pytest.raises(EvidenceError, match=r"page\.pictured.*the picture of the page"):
        house.verify(elsewhere)


def test_an_empty_database_that_a_command_left_there_is_no_obstacle(
    sqlite_house: House, tmp_path: Path
) -> None:
    path = sqlite_house.back_up(tmp_path / "b.age")
    place = placed(tmp_path / "new")
    with pytest.raises(SchemaError):
        Store(place.url, mail_domain="school.example")
    assert (tmp_path / "new" / "staff-mentions.sqlite3").exists()
    sqlite_house.restore(path, place)
    assert sqlite_house.verify(place).size == sqlite_house.head()[0] + 1


def test_the_first_new_entry_says_what_range_was_lost(house: House, tmp_path: Path) -> None:
    path = house.back_up(tmp_path / "b.age")
    size = house.head()[0]
    house.hear(3)
    later = house.head()[0]
    place = placed(tmp_path / "elsewhere")

    house.restore(path, place, old=house.place.url)

    entry = restored_entry(place, size)
    assert (entry.public["size"], entry.public["lost_until"]) == (size, later)
    assert entry.public["compared"] is True
    house.verify(place)


def test_in_its_own_place_it_moves_the_old_database_aside(
    sqlite_house: House, tmp_path: Path
) -> None:
    house = sqlite_house
    path = house.back_up(tmp_path / "b.age")
    house.hear(3)
    later = house.head()
    aside = house.restore(path, house.place, old=house.place.url)

    house.verify(house.place)
    old = ["vault", "staff-mentions.sqlite3"]
    assert [kept.name.split(".before")[0] for kept in aside] == old
    moved = replace(house.place, url=f"sqlite:///{aside[1]}", vault=aside[0])
    with closing(Store(moved.url, mail_domain="school.example")) as store:
        assert store.log.head() == later
    house.verify(moved)
    assert not list(house.place.data_dir.glob(f"{staging.STAGE}*"))


def test_originals_of_what_was_lost_leave_the_vault_with_the_database_that_names_them(
    house: House, tmp_path: Path
) -> None:
    path = house.back_up(tmp_path / "b.age")
    before = set(house.vault.walk())
    house.hear(3)
    later = set(house.vault.walk())
    place = replace(placed(tmp_path / "elsewhere"), vault=house.place.vault)
    (aside,) = house.restore(path, place, old=house.place.url)

    assert before < later
    assert set(house.vault.walk()) == before
    assert set(Vault(aside).walk()) == later
    house.verify(place)
    house.verify(replace(house.place, vault=aside))


def test_a_restore_that_loses_nothing_leaves_the_vault_alone(
    sqlite_house: House, tmp_path: Path
) -> None:
    path = sqlite_house.back_up(tmp_path / "b.age")
    sqlite_house.restore(path, sqlite_house.place, old=sqlite_house.place.url)
    assert not list(sqlite_house.place.data_dir.glob("vault.before*"))


def test_a_fork_is_refused_and_nothing_is_touched(sqlite_house: House, tmp_path: Path) -> None:
    house = sqlite_house
    path = house.back_up(tmp_path / "b.age")
    house.restore(path, house.place, old=house.place.url)  # from here on another history
    house.hear(8)
    second = house.back_up(tmp_path / "c.age")
    house.restore(path, house.place, old=house.place.url)
    house.hear(9, 10)
    before = house.head()

    with pytest.raises(EvidenceError, match="fork"):
        house.restore(second, house.place, old=house.place.url)

    assert house.head() == before
    house.verify(house.place)
    assert not list(house.place.data_dir.glob(f"{staging.STAGE}*"))


def test_a_witness_finds_a_fork_where_the_old_database_is_gone(
    sqlite_house: House, tmp_path: Path
) -> None:
    house = sqlite_house
    path = house.back_up(tmp_path / "b.age")
    size = house.head()[0]
    house.hear(3)
    witnessed = house.sign()
    ahead = house.head()[0]
    place = placed(tmp_path / "elsewhere")
    house.restore(path, place, witnessed)
    assert restored_entry(place, size).public["lost_until"] == ahead

    # Whoever holds the key may write another log of that length; the witness's note does not fit.
    other = replace(house, place=place)
    other.hear(*range(20, 24))
    forged = other.back_up(tmp_path / "d.age")
    with pytest.raises(EvidenceError, match="fork"):
        house.restore(forged, placed(tmp_path / "third"), witnessed)


def test_a_note_that_this_log_never_signed_says_nothing(
    sqlite_house: House, tmp_path: Path
) -> None:
    path = sqlite_house.back_up(tmp_path / "b.age")
    stranger = SigningKey.generate(sqlite_house.key.name)
    note = sign(Checkpoint(stranger.name, 3, b"\1" * 32), stranger)
    with pytest.raises(EvidenceError, match="no known key"):
        sqlite_house.restore(path, placed(tmp_path / "elsewhere"), note)


def test_while_the_service_writes_a_backup_is_of_one_moment(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = dumping.dump

    def slowly(session: object) -> Iterator[dumping.Part]:
        for number, part in enumerate(rows(session)):  # type: ignore[arg-type]
            if number == 1:
                house.hear(30, 31)
            yield part

    monkeypatch.setattr(dumping, "dump", slowly)
    path = house.back_up(tmp_path / "b.age")
    place = placed(tmp_path / "elsewhere")
    house.restore(path, place)
    assert house.verify(place).size < house.head()[0]


@pytest.mark.parametrize("missing", ["backup.json", "signing-key", "end.json", "rows/", "vault/"])
def test_a_backup_without_one_of_its_parts_is_refused(
    sqlite_house: House, tmp_path: Path, missing: str
) -> None:
    house = sqlite_house
    keys = archive.identities_of(house.identity, str)
    path = house.back_up(tmp_path / "b.age")
    with archive.reading(path, keys) as members:
        kept = [each for each in members if not each[0].startswith(missing)]
    rewrite(tmp_path / "c.age", house.recipient, kept)
    with pytest.raises(EvidenceError):
        house.stage(tmp_path / "c.age", placed(tmp_path / "elsewhere"))
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("name", ["../../escape", "vault/../../escape", "/etc/passwd", "rows"])
def test_a_forged_member_writes_nowhere(sqlite_house: House, tmp_path: Path, name: str) -> None:
    house = sqlite_house
    keys = archive.identities_of(house.identity, str)
    with archive.reading(house.back_up(tmp_path / "b.age"), keys) as members:
        kept = list(members)
    rewrite(tmp_path / "c.age", house.recipient, [kept[0], (name, b"escaped"), *kept[1:]])
    with pytest.raises(EvidenceError):
        house.stage(tmp_path / "c.age", placed(tmp_path / "elsewhere"))
    assert not list(tmp_path.rglob("escape*"))


def test_an_altered_row_in_a_backup_is_found_before_it_is_put_in_place(
    sqlite_house: House, tmp_path: Path
) -> None:
    house = sqlite_house
    keys = archive.identities_of(house.identity, str)
    with archive.reading(house.back_up(tmp_path / "b.age"), keys) as members:
        altered = [
            (name, content.replace(b"should be hurt 1", b"should be paid 1"))
            if name.startswith("rows/post/")
            else (name, content)
            for name, content in members
        ]
    rewrite(tmp_path / "c.age", house.recipient, altered)
    with pytest.raises(EvidenceError, match="entry"):
        house.stage(tmp_path / "c.age", placed(tmp_path / "elsewhere"))


def rewrite(path: Path, recipient: str, members: list[tuple[str, bytes]]) -> None:
    sink = io.BytesIO()
    with archive.writing(sink, archive.recipients_of([recipient])) as writer:
        for name, content in members:
            writer.add(name, content)
    path.write_bytes(sink.getvalue())


def test_a_damaged_original_does_not_stop_a_backup_but_is_named(
    sqlite_house: House, tmp_path: Path
) -> None:
    house = sqlite_house
    digest = next(house.vault.walk())
    (house.place.vault / digest[:2] / digest).write_bytes(b"altered")
    with closing(house.store()) as store:
        copier = making.Making(store, house.vault, house.place.key_file)
        made = copier.make(tmp_path / "b.age", [house.recipient], by="pryce", at=house.make.now)
    assert made.missing == [digest]


def test_a_full_or_forbidden_folder_leaves_no_file_and_no_entry(
    sqlite_house: House, tmp_path: Path
) -> None:
    before = sqlite_house.head()
    with pytest.raises(EvidenceError, match="cannot be written"):
        sqlite_house.back_up(tmp_path / "nowhere" / "b.age")
    (tmp_path / "there.age").touch()
    with pytest.raises(EvidenceError, match="already"):
        sqlite_house.back_up(tmp_path / "there.age")
    assert sqlite_house.head() == before


def test_old_backups_go_and_the_newest_always_stays(tmp_path: Path, make: SimpleNamespace) -> None:
    def named(days: int) -> Path:
        return tmp_path / making.name_of(make.now - timedelta(days=days))

    other = tmp_path / "staff-mentions-20200101T000000Z.backup.age.copy"
    for path in (named(100), named(36), named(34), other):
        path.touch()
    gone = making.remove_old(tmp_path, keep_days=35, now=make.now)
    assert gone == [named(100), named(36)]
    assert sorted(tmp_path.iterdir()) == sorted([named(34), other])
    assert not making.remove_old(tmp_path, keep_days=1, now=make.now)


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)  # an SQLite database is moved aside instead
def test_a_postgresql_database_in_use_is_not_written_over(house: House, tmp_path: Path) -> None:
    path = house.back_up(tmp_path / "b.age")
    before = house.head()
    with pytest.raises(EvidenceError, match="not empty"):
        house.stage(path)
    assert house.head() == before


@pytest.fixture
def sqlite_house(
    tmp_path: Path, sqlite_template: Path, signing_key: SigningKey, make: SimpleNamespace
) -> House:
    place = placed(tmp_path / "house")
    file = place.database_file
    assert file is not None
    file.write_bytes(sqlite_template.read_bytes())
    signing_key.save(place.key_file)
    built = House(place, signing_key, make, *archive.new_identity(""))
    with closing(built.store()) as store:
        store.log.open(make.origin, verifier=str(signing_key.verifier), at=make.now)
    built.hear(1, 2)
    built.sign()
    return built


@pytest.mark.parametrize("answered", [True, False])
def test_what_was_erased_since_is_erased_again(
    house: House, tmp_path: Path, *, answered: bool
) -> None:
    if answered:
        answer_all(house)
    path = house.back_up(tmp_path / "b.age")
    answer_all(house)
    with closing(house.store()) as store:
        gone, kept = sorted(each.id for each, _grade in store.reading.mentions())
        done = store.erasing.erase(
            [gone], reason="asked for it", by="holt", at=house.make.now, basis="person"
        )
        store.erasing.settle(house.vault)
    assert done.entry is not None
    place = placed(tmp_path / "elsewhere")

    house.restore(path, place, old=house.place.url)

    found = house.verify(place)
    assert found.erased > 0
    assert found.blobs == 1
    with closing(Store(place.url, mail_domain="school.example")) as store:
        assert [each.id for each, _grade in store.reading.mentions()] == [kept]
        assert not store.judging.waiting()
        recorded = [
            store.log.entry(each)
            for each in range(found.size)
            if store.log.entry(each).kind == "record.erased"
        ]
    assert [each.public["basis"] for each in recorded] == ["restore"]
    (database,) = place.data_dir.glob("*.sqlite3")
    assert b"should be hurt 1" not in database.read_bytes()
    assert b"should be hurt 2" in database.read_bytes()


def answer_all(house: House) -> None:
    """Every message sent and every alert answered, so that nothing is still to be told."""
    with closing(house.store()) as store:
        for alert in store.outbox.alerts():
            if alert.state is not AlertState.ACKNOWLEDGED:
                store.escalation.acknowledge(alert.id, by="holt", how="code", at=house.make.now)
        for waiting in store.outbox.due(now=house.make.now):
            store.outbox.settle(waiting.id, DeliveryState.GIVEN_UP, said="no", at=house.make.now)
