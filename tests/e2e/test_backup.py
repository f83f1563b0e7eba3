"""`backup` and `restore` as a person types them, after the demonstration has run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.backup import archive
from tests.e2e.house import House
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
