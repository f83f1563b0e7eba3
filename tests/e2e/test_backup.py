"""`backup` and `restore` as a person types them, after the demonstration has run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from monitor.backup import archive
from monitor.demo.catcher import Caught, MailCatcher
from monitor.evidence.note import SigningKey
from tests.e2e.house import House, wait_for
from tests.e2e.test_cli import ask, mail, own, seen

__all__ = ["mail", "own", "seen"]


@pytest.fixture
def key(tmp_path: Path) -> tuple[str, Path]:
    recipient, written = archive.new_identity("")
    path = tmp_path / "backup-key.txt"
    path.write_bytes(written)
    return recipient, path


def test_a_house_is_backed_up_loses_what_came_later_and_says_so(
    own: House, tmp_path: Path, key: tuple[str, Path]
) -> None:
    recipient, file = key
    words = ("--to", str(tmp_path), "--recipient", recipient, "--by", "pryce", "--json")
    ran = ask(own, "backup", *words)
    assert ran.code == 0, ran.err
    (made,) = ran.rows
    path = str(made["file"])
    number = ask(own, "case", "list", "--json").rows[0]["number"]
    assert ask(own, "case", "note", number, "Written after the backup.").code == 0

    back = ("restore", path, "--key", str(file), "--by", "pryce")
    assert ask(own, *back, "--why", " ", "--yes").code == 2
    assert ask(own, *back, "--why", "the disk broke").code == 1, "nobody answered the question"
    assert own.logged("case.noted") == 1
    ran = ask(own, *back, "--why", "the disk broke", "--yes")

    assert ran.code == 0, ran.err
    assert "before-restore" in ran.out
    assert own.logged("case.noted") == 0
    assert own.logged("log.restored") == 1
    verified = ask(own, "evidence", "verify", "--json")
    assert verified.code == 0, verified.out
    assert json.loads(verified.out)["entries"] > made["entries"]


def test_a_backup_says_where_to_and_for_whom(own: House, tmp_path: Path) -> None:
    assert ask(own, "backup").code == 2
    assert ask(own, "backup", "--to", str(tmp_path)).code == 2
    assert ask(own, "backup", "--to", str(tmp_path), "--recipient", "age1x").code == 1
    assert not list(tmp_path.glob("*.age"))
    assert own.logged("log.backed-up") == 0


WITNESS = "t.marsh@union.example"
TABLE = f'\n[[evidence.witnesses]]\nname = "T. Marsh"\nemail = "{WITNESS}"\nrole = "union"\n'


def mail_to_witness(house: House, mail: MailCatcher) -> tuple[Caught, str]:
    """The next mail that the running service sends the witness, and its text on one line."""
    before = [each.message_id for each in mail.caught]

    def seen() -> list[Caught]:
        fresh = [each for each in mail.caught if each.message_id not in before]
        return [each for each in fresh if each.recipient == WITNESS]

    with house.service():
        (caught,) = wait_for("a mail to the witness", seen)
    return caught, re.sub(r"(\r?\n!)?\s+", " ", caught.text)


def test_witnesses_hear_of_a_restored_backup_and_of_a_new_key_by_themselves(
    own: House, mail: MailCatcher, tmp_path: Path, key: tuple[str, Path]
) -> None:
    own.more = TABLE
    own.write_config()
    recipient, file = key
    words = ("--to", str(tmp_path), "--recipient", recipient, "--by", "pryce", "--json")
    (made,) = ask(own, "backup", *words).rows
    number = ask(own, "case", "list", "--json").rows[0]["number"]
    assert ask(own, "case", "note", number, "Written after the backup.").code == 0
    lost = own.rows("select count(*) as n from entry")[0]["n"] - made["entries"]
    back = ("restore", str(made["file"]), "--key", str(file), "--by", "pryce", "--yes")
    assert ask(own, *back, "--why", "the disk broke").code == 0

    caught, text = mail_to_witness(own, mail)

    assert caught.subject == "Please read and keep: the log was restored from a backup"
    assert f"Its first {made['entries']} entries are as they were. After them {lost} w" in text
    (tmp_path / "mail.txt").write_text(caught.text, "utf-8")
    assert ask(own, "witness", "verify", str(tmp_path / "mail.txt")).code == 0

    old = SigningKey.load(own.data_dir / "signing-key")
    assert ask(own, "evidence", "rotate-key", "--why", "a copy was lost").code == 0
    new = SigningKey.load(own.data_dir / "signing-key")

    caught, text = mail_to_witness(own, mail)

    assert caught.subject == "Please read and keep: the log has a new key"
    for each in (old, new):
        assert f"+{each.verifier.key_id.hex()}" in text
        assert str(each.verifier) in text
    (tmp_path / "mail.txt").write_text(caught.text, "utf-8")
    assert ask(own, "witness", "verify", str(tmp_path / "mail.txt")).code == 0
