"""The file that leaves: whole or absent, its owner's alone, unreadable to others where asked."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pyrage
import pytest

from monitor.errors import EvidenceError
from monitor.export.bag import Member, member, write_zip
from monitor.export.handing_over import write_file


def saying(words: bytes, calls: list[int]) -> Callable[[IO[bytes]], int]:
    def write(file: IO[bytes]) -> int:
        calls.append(1)
        file.write(words)
        return 7

    return write


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    assert write_file(path, (), saying(b"whole", [])) == 7
    assert path.read_bytes() == b"whole"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_recipient_alone_can_read_it(tmp_path: Path) -> None:
    path, recipient = tmp_path / "case.zip.age", pyrage.x25519.Identity.generate()
    write_file(path, [str(recipient.to_public())], saying(b"secret words" * 9_000, []))
    assert b"secret words" not in path.read_bytes()
    assert pyrage.decrypt(path.read_bytes(), [recipient]) == b"secret words" * 9_000
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.generate()])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("key", ["age1nonsense", "", "AGE-SECRET-KEY-1QQ", "ssh-rsa AAAA"])
def test_what_is_no_recipient_is_refused_before_anything_is_sealed(
    key: str, tmp_path: Path
) -> None:
    calls: list[int] = []
    with pytest.raises(EvidenceError, match="no age recipient"):
        write_file(tmp_path / "case.zip", [key], saying(b"", calls))
    assert (calls, list(tmp_path.iterdir())) == ([], [])


def test_a_file_is_never_overwritten_and_nothing_is_sealed_for_it(tmp_path: Path) -> None:
    path, calls = tmp_path / "case.zip", list[int]()
    path.write_bytes(b"older")
    with pytest.raises(EvidenceError, match="never overwrites"):
        write_file(path, (), saying(b"newer", calls))
    with pytest.raises(EvidenceError, match="cannot be written"):
        write_file(tmp_path / "nowhere" / "case.zip", (), saying(b"newer", calls))
    assert (calls, path.read_bytes()) == ([], b"older")


def test_a_fault_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(_file: IO[bytes]) -> int:
        raise OSError(28, "No space left on device")

    with pytest.raises(EvidenceError, match="No space left"):
        write_file(tmp_path / "case.zip", (), full)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_while_it_is_packed_is_found() -> None:
    changed = Member("data/raw/x.txt", member("a.txt", b"was").digest, 3, lambda: b"is")
    with pytest.raises(EvidenceError, match="changed while"):
        write_zip(io.BytesIO(), "case", [changed], datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize("name", ["../x.txt", "/x.txt", "data/../x.txt", "a b.txt", "x", "é.txt"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(EvidenceError, match="no name"):
        member(name, b"")
