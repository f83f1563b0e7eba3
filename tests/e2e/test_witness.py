"""Holders of old checkpoints learn whether today's log contains them; the key may change."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monitor.errors import EvidenceError
from monitor.evidence.cosignature import CosignerKey
from monitor.evidence.entries import access
from monitor.evidence.note import SigningKey, split_note
from monitor.rotation import rotate
from monitor.storage.store import Store
from monitor.testing import FakeClock
from tests.e2e.house import House
from tests.e2e.test_cli import Ran, typed

ENTRIES = 300


class Kept:
    """An installation with a log, and a checkpoint of it that somebody put away."""

    def __init__(self, place: Path) -> None:
        self.house = House(place, smtp=9)
        self.house.data_dir.mkdir()
        self.house.migrate()
        self.file = place / "checkpoint.txt"
        self.key = self.house.data_dir / "signing-key"
        self.file.write_text(self.run("evidence", "checkpoint").out, "utf-8")
        self.grow(ENTRIES)
        self.file.write_text(self.run("evidence", "checkpoint").out, "utf-8")

    def run(self, *words: str) -> Ran:
        return typed(*words, "--config", str(self.house.config))

    def witness(self) -> Ran:
        return self.run("witness", "verify", str(self.file))

    def grow(self, count: int) -> None:
        at = FakeClock().now()
        leaves = [
            access(at=at, what="test", mention_entry=None, by="x", why="y") for _ in range(count)
        ]
        with closing(self.store()) as store:
            store.log.append(leaves)

    def store(self) -> Store:
        return Store(f"sqlite:///{self.house.database}", mail_domain="school.example")

    def alter(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.house.database)) as database, database:
            for each in statements:
                database.execute(each)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_log_that_grew_still_contains_an_old_checkpoint(kept: Kept) -> None:
    kept.grow(77)
    told = kept.witness()
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"CONTAINED: the first {ENTRIES + 1} entries are as they were")
    row = json.loads(kept.run("witness", "verify", str(kept.file), "--json").out)
    assert row["contained"] is True
    assert row["size"] == ENTRIES + 78
    assert len(row["proof"]) > 1


def test_a_checkpoint_that_went_through_a_mail_is_read_all_the_same(kept: Kept) -> None:
    kept.file.write_bytes(
        b"\xef\xbb\xbf" + kept.file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n"
    )
    assert kept.witness().code == 0


def test_the_checkpoint_is_found_in_the_text_of_the_whole_mail(kept: Kept) -> None:
    note = kept.file.read_text("utf-8")
    kept.file.write_text(
        f"THANK YOU\n\nKeep this.\n\nAS IT IS\n\n{note}\n\nIN DOUBT\nAsk.\n", "utf-8"
    )
    told = kept.witness()
    assert (told.code, told.err) == (0, "")


def test_the_last_hundred_entries_rolled_back_are_missed(kept: Kept) -> None:
    end = ENTRIES + 1 - 100
    kept.alter(
        f"delete from disclosure where entry_index >= {end}",
        f'delete from entry where "index" >= {end}',
        f'delete from node where ("index" + 1) << level > {end}',
        "delete from checkpoint",
    )
    # By itself the log looks whole: only what somebody outside kept can tell.
    assert kept.run("evidence", "verify").code == 0
    told = kept.witness()
    assert told.code == 1
    assert f"the log had {ENTRIES + 1} entries, and today it has {end}; the last 100" in told.err


def test_a_database_replaced_by_an_older_copy_of_itself_is_missed(kept: Kept) -> None:
    older = kept.house.database.with_suffix(".older")
    with closing(sqlite3.connect(kept.house.database)) as whole:
        whole.execute("vacuum into ?", (str(older),))
    kept.grow(40)
    kept.file.write_text(kept.run("evidence", "checkpoint").out, "utf-8")
    assert kept.witness().code == 0
    older.replace(kept.house.database)
    # It was whole then, so it is whole now: only what somebody outside kept can tell.
    assert kept.run("evidence", "verify").code == 0
    told = kept.witness()
    assert told.code == 1
    assert f"the log had {ENTRIES + 41} entries, and today it has {ENTRIES + 1}" in told.err
    assert "the last 40" in told.err
    # A log that goes on from there is another one, and stays so.
    kept.grow(90)
    kept.run("evidence", "checkpoint")
    assert "is not as it was" in kept.witness().err


def test_entries_written_anew_by_the_holder_of_the_key_are_found(kept: Kept) -> None:
    kept.alter(
        "delete from disclosure where entry_index >= 200",
        'delete from entry where "index" >= 200',
        'delete from node where ("index" + 1) << level > 200',
        "delete from checkpoint",
    )
    kept.grow(200)
    kept.run("evidence", "checkpoint")
    assert kept.run("evidence", "verify").code == 0
    told = kept.witness()
    assert told.code == 1
    assert f"at least one of its first {ENTRIES + 1} entries is not as it was" in told.err


def test_a_changed_entry_is_found_though_the_stored_hashes_are_old(kept: Kept) -> None:
    kept.alter("update entry set content = cast(content || x'20' as blob) where \"index\" = 7")
    assert "is not as it was" in kept.witness().err


def test_bytes_that_became_text_are_named_and_crash_nothing(kept: Kept) -> None:
    kept.alter("update entry set content = 'hello' where \"index\" = 7")
    for told in (kept.witness(), kept.run("evidence", "verify")):
        assert told.code == 1
        assert "entry 7: its content was altered: it is not bytes any more" in told.err


def test_a_node_that_was_changed_is_found(kept: Kept) -> None:
    kept.grow(50)
    kept.alter("update node set hash = zeroblob(32) where level = 4")
    told = kept.witness()
    assert told.code == 1


def test_a_changed_checkpoint_another_log_and_rubbish_are_told_apart(kept: Kept) -> None:
    note = kept.file.read_text("utf-8")
    kept.file.write_text(note.replace(f"\n{ENTRIES + 1}\n", f"\n{ENTRIES}\n"), "utf-8")
    assert "the text or the signature was altered" in kept.witness().err
    kept.file.write_text(note.replace("staff-mentions/", "elsewhere/"), "utf-8")
    assert "belongs to another log, elsewhere/" in kept.witness().err
    kept.file.write_bytes(b"\xff\xfe\x00")
    assert kept.witness().code == 2
    kept.file.write_text("hello\n", "utf-8")
    assert "not a signed note" in kept.witness().err


def test_a_replaced_key_is_refused_by_every_command_that_would_sign(kept: Kept) -> None:
    name = SigningKey.load(kept.key).name
    kept.key.rename(kept.key.with_suffix(".away"))
    SigningKey.generate(name).save(kept.key)
    told = kept.run("evidence", "checkpoint")
    assert told.code == 1
    assert "this is not the key of the log" in told.err
    assert kept.run("evidence", "verify").code == 1
    assert kept.run("evidence", "rotate-key", "--why", "lost").code == 1


def test_after_a_change_of_key_the_log_verifies_and_old_checkpoints_are_contained(
    kept: Kept,
) -> None:
    first = SigningKey.load(kept.key)
    for _ in range(2):
        told = kept.run("evidence", "rotate-key", "--why", "a copy was lost", "--by", "J. Pike")
        assert told.code == 0, told.err
        kept.grow(3)
        kept.run("evidence", "checkpoint")
    assert SigningKey.load(kept.key).verifier != first.verifier
    aside = kept.key.with_name(f"signing-key.{first.verifier.key_id.hex()}")
    assert SigningKey.load(aside) == first
    assert kept.run("evidence", "verify").code == 0
    assert kept.witness().code == 0
    # Who has only the first key cannot sign what a holder would still believe to be today's.
    kept.key.unlink()
    aside.rename(kept.key)
    assert "not the key of the log" in kept.run("evidence", "checkpoint").err


def test_a_change_of_key_that_broke_off_is_finished_when_asked_again(kept: Kept) -> None:
    at = FakeClock().now()
    with closing(kept.store()) as store:
        (kept.house.data_dir / "signing-key.coming").mkdir()  # the disk refuses
        with pytest.raises(EvidenceError):
            rotate(store, kept.key, by="J. Pike", why="test", at=at)
        (kept.house.data_dir / "signing-key.coming").rmdir()
        old = SigningKey.load(kept.key)
        new, _aside = rotate(store, kept.key, by="J. Pike", why="test", at=at)
        # As after a power cut between the entry and the move of the files.
        kept.key.rename(kept.key.with_name("signing-key.coming"))
        old.save(kept.key)
    assert "was begun and not finished" in kept.run("evidence", "checkpoint").err
    assert kept.run("evidence", "rotate-key", "--why", "again").code == 0
    assert SigningKey.load(kept.key) == new
    assert kept.run("evidence", "verify").code == 0


# --- cosignatures -------------------------------------------------------------------------------

SEEN = 1_795_000_000
NAME = "witness.example/union"


def cosigned(note: str, key: Ed25519PrivateKey, name: str, seen: int = SEEN) -> str:
    """The note with a cosignature, made after the words of C2SP tlog-cosignature."""
    public = CosignerKey(name, key.public_key().public_bytes_raw())
    signed = f"cosignature/v1\ntime {seen}\n{split_note(note)[0]}".encode()
    raw = public.key_id + seen.to_bytes(8, "big") + key.sign(signed)
    return f"{note}\u2014 {name} {base64.b64encode(raw).decode()}\n"


@pytest.fixture
def watcher(kept: Kept) -> Ed25519PrivateKey:
    """A witness with a tool, in the config."""
    key = Ed25519PrivateKey.generate()
    written = CosignerKey(NAME, key.public_key().public_bytes_raw())
    kept.house.more = (
        '\n[[evidence.witnesses]]\nname = "T. Marsh"\nemail = "t.marsh@union.example"\n'
        f'role = "union"\nkey = "{written}"\n'
    )
    kept.house.write_config()
    return key


def test_a_cosigned_checkpoint_is_taken_in_once_and_everything_verifies(
    kept: Kept, watcher: Ed25519PrivateKey
) -> None:
    plain = kept.file.read_text("utf-8")
    kept.file.write_text(cosigned(plain, watcher, "witness.example/union"), "utf-8")
    told = kept.run("witness", "add", str(kept.file))
    assert told.code == 0, told.err
    assert "witness.example/union saw the checkpoint of 301 entries at 2026-" in told.out
    assert "nothing new" in kept.run("witness", "add", str(kept.file)).out
    with closing(kept.store()) as store:
        notes = [note for size, note, _at in store.log.checkpoints() if size == 301]
        assert notes == [kept.file.read_text("utf-8")]
    assert kept.run("evidence", "verify").code == 0
    assert kept.witness().code == 0


def test_a_cosignature_that_does_not_fit_is_refused(kept: Kept, watcher: Ed25519PrivateKey) -> None:
    plain = kept.file.read_text("utf-8")
    name = "witness.example/union"
    good = cosigned(plain, watcher, name)
    later = cosigned(plain, watcher, name, SEEN + 1).splitlines()[-1]
    signature = base64.b64decode(later.split(" ")[2])
    forged = signature[:4] + SEEN.to_bytes(8, "big") + signature[12:]
    kept.file.write_text(f"{plain}\u2014 {name} {base64.b64encode(forged).decode()}\n", "utf-8")
    assert "does not fit" in kept.run("witness", "add", str(kept.file)).err
    stranger = cosigned(plain, Ed25519PrivateKey.generate(), name)
    kept.file.write_text(stranger, "utf-8")
    assert "no witness in the config" in kept.run("witness", "add", str(kept.file)).err
    kept.file.write_text(good, "utf-8")
    kept.alter("delete from checkpoint where size = 301")
    assert "no checkpoint of 301 entries" in kept.run("witness", "add", str(kept.file)).err


def taken_in(kept: Kept, watcher: Ed25519PrivateKey) -> str:
    """The line of a cosignature that was taken in."""
    kept.file.write_text(cosigned(kept.file.read_text("utf-8"), watcher, NAME), "utf-8")
    assert kept.run("witness", "add", str(kept.file)).code == 0
    return kept.file.read_text("utf-8").splitlines()[-1] + "\n"


def replace(kept: Kept, old: str, new: str) -> None:
    """Alter the notes that are kept, as somebody with the database could."""
    with closing(sqlite3.connect(kept.house.database)) as database, database:
        changed = database.execute(
            "update checkpoint set note = replace(note, ?1, ?2) where instr(note, ?1)", (old, new)
        )
        assert changed.rowcount == 1


def test_verifying_checks_kept_cosignatures_again(kept: Kept, watcher: Ed25519PrivateKey) -> None:
    taken_in(kept, watcher)
    assert "1 cosignatures of witnesses hold" in kept.run("evidence", "verify").out
    row = json.loads(kept.run("evidence", "verify", "--json").out)
    assert (row["cosignatures"], row["unknown_keys"]) == (1, [])


def test_verifying_says_which_cosignatures_nobody_here_can_check(
    kept: Kept, watcher: Ed25519PrivateKey
) -> None:
    taken_in(kept, watcher)
    key = CosignerKey(NAME, watcher.public_key().public_bytes_raw())
    kept.house.more = ""
    kept.house.write_config()
    told = kept.run("evidence", "verify")
    assert told.code == 0
    assert f"keys that are not in the config: {NAME}+{key.key_id.hex()}" in told.out
    assert "cosignatures of witnesses hold" not in told.out


@pytest.mark.parametrize("place", range(4, 76, 5))
def test_a_flipped_bit_in_a_kept_cosignature_is_named(
    kept: Kept, watcher: Ed25519PrivateKey, place: int
) -> None:
    line = taken_in(kept, watcher)
    signature = bytearray(base64.b64decode(line.split(" ")[2]))
    signature[place] ^= 4
    replace(kept, line, f"\u2014 {NAME} {base64.b64encode(signature).decode()}\n")
    told = kept.run("evidence", "verify")
    assert told.code == 1
    assert "the checkpoint of 301 entries" in told.err
    assert NAME in told.err


def test_a_cosignature_that_was_taken_away_is_missed(
    kept: Kept, watcher: Ed25519PrivateKey
) -> None:
    replace(kept, taken_in(kept, watcher), "")
    told = kept.run("evidence", "verify")
    assert told.code == 1
    assert f"{NAME} cosigned the checkpoint of 301 entries" in told.err
    assert "does not stand there any more" in told.err


@pytest.mark.parametrize("again", ["known", "stranger"])
def test_a_cosignature_that_was_put_in_by_hand_is_named(
    kept: Kept, watcher: Ed25519PrivateKey, again: str
) -> None:
    line = taken_in(kept, watcher)
    key, name = (watcher, NAME) if again == "known" else (Ed25519PrivateKey.generate(), "a/b")
    plain = kept.file.read_text("utf-8").replace(line, "")
    more = cosigned(plain, key, name, SEEN + 60).splitlines()[-1] + "\n"
    replace(kept, line, line + more)
    told = kept.run("evidence", "verify")
    assert told.code == 1
    assert f"carries a signature of {name} that no entry of the log tells of" in told.err


@pytest.mark.parametrize("written", ["", "a+b", "n+00000000+BAAA", "n+00000000+AQOhB7/zzhC+"])
def test_what_is_no_cosigners_key_is_refused(written: str) -> None:
    with pytest.raises(EvidenceError):
        CosignerKey.parse(written)
