"""The file of a backup: encrypted, whole or refused."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from monitor.backup import archive
from monitor.errors import EvidenceError
from tests.programs import needs

MEMBERS = [("backup.json", b"{}"), ("vault/ab/" + "ab" * 32, os.urandom(300_000)), ("empty", b"")]


def nobody() -> str:
    raise AssertionError("no passphrase was to be asked for")


@pytest.fixture
def key() -> tuple[str, bytes]:
    return archive.new_identity("")


def written(path: Path, recipient: str) -> Path:
    with (
        path.open("wb") as file,
        archive.writing(file, archive.recipients_of([recipient])) as writer,
    ):
        for name, content in MEMBERS:
            writer.add(name, content)
    return path


def read(path: Path, identity: bytes) -> list[tuple[str, bytes]]:
    with archive.reading(path, archive.identities_of(identity, nobody)) as members:
        return list(members)


def test_what_went_in_comes_out(tmp_path: Path, key: tuple[str, bytes]) -> None:
    assert read(written(tmp_path / "a", key[0]), key[1]) == MEMBERS


def test_nothing_of_it_can_be_read_without_the_key(tmp_path: Path, key: tuple[str, bytes]) -> None:
    path = written(tmp_path / "a", key[0])
    assert b"backup.json" not in path.read_bytes()
    with pytest.raises(EvidenceError, match="this key"):
        read(path, archive.new_identity("")[1])


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_a_flipped_bit_or_a_cut_is_found_before_the_end(
    tmp_path: Path, key: tuple[str, bytes], share: float
) -> None:
    whole = written(tmp_path / "a", key[0]).read_bytes()
    place = int(len(whole) * share)
    altered = bytearray(whole)
    altered[place] ^= 1
    for name, content in (("altered", bytes(altered)), ("cut", whole[:place])):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(EvidenceError):
            read(path, key[1])


def test_a_reader_that_stops_early_hangs_nothing(tmp_path: Path, key: tuple[str, bytes]) -> None:
    path = written(tmp_path / "a", key[0])
    with archive.reading(path, archive.identities_of(key[1], nobody)) as members:
        assert next(members) == MEMBERS[0]


def test_a_disk_that_fills_up_is_said(key: tuple[str, bytes]) -> None:
    class Full(io.BytesIO):
        def write(self, _content: Any) -> int:
            raise OSError(28, "No space left on device")

    def fill() -> None:
        with archive.writing(Full(), archive.recipients_of([key[0]])) as writer:
            for _ in range(50):
                writer.add("x", os.urandom(100_000))

    with pytest.raises(EvidenceError, match="cannot be written"):
        fill()


def test_an_error_of_the_caller_passes_through(key: tuple[str, bytes]) -> None:
    def fail() -> None:
        with archive.writing(io.BytesIO(), archive.recipients_of([key[0]])) as writer:
            writer.add("x", b"x")
            raise KeyError("the caller's own")

    with pytest.raises(KeyError):
        fail()


def test_a_key_file_may_be_locked_with_a_passphrase(tmp_path: Path) -> None:
    recipient, locked = archive.new_identity("three invented words")
    assert b"AGE-SECRET-KEY" not in locked
    path = written(tmp_path / "a", recipient)
    with archive.reading(
        path, archive.identities_of(locked, lambda: "three invented words")
    ) as members:
        assert list(members) == MEMBERS
    with pytest.raises(EvidenceError, match="passphrase"):
        archive.identities_of(locked, lambda: "another")


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"not a key\n", b"\xff\xfe"])
def test_a_file_without_a_key_is_refused(content: bytes) -> None:
    with pytest.raises(EvidenceError):
        archive.identities_of(content, nobody)


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], ["AGE-SECRET-KEY-1"]])
def test_a_backup_is_never_written_without_a_recipient(recipients: list[str]) -> None:
    with pytest.raises(EvidenceError):
        archive.recipients_of(recipients)


def test_a_stream_that_is_no_backup_is_refused(tmp_path: Path, key: tuple[str, bytes]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"not encrypted at all")
    with pytest.raises(EvidenceError):
        read(path, key[1])


def test_age_itself_opens_it(tmp_path: Path, key: tuple[str, bytes]) -> None:
    path = written(tmp_path / "a", key[0])
    (tmp_path / "key").write_bytes(key[1])
    plain = subprocess.run(
        [needs("age"), "-d", "-i", str(tmp_path / "key"), str(path)],
        check=True,
        capture_output=True,
    )
    assert b"backup.json" in plain.stdout
