"""The vault keeps what it took, finds what was altered, and leaves nothing of what failed."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import NaiveTimeError

CONTENT = b"<p>Something unkind about Mrs Orrell</p>"
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def place(tmp_path: Path, digest: str = DIGEST) -> Path:
    return tmp_path / "vault" / digest[:2] / digest


def everything(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full after `size` bytes of a file: the kernel itself refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_put_can_be_got_by_its_digest(vault: Vault) -> None:
    assert vault.put(CONTENT) == DIGEST
    assert vault.has(DIGEST)
    assert vault.get(DIGEST) == CONTENT


def test_a_blob_is_a_plain_file_that_sha256sum_can_check(vault: Vault, tmp_path: Path) -> None:
    vault.put(CONTENT)
    assert place(tmp_path).read_bytes() == CONTENT
    assert place(tmp_path).stat().st_mode & 0o777 == 0o600
    assert place(tmp_path).parent.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700


def test_putting_twice_keeps_one_file_and_does_not_touch_it(vault: Vault, tmp_path: Path) -> None:
    vault.put(CONTENT)
    before = place(tmp_path).stat()
    assert vault.put(CONTENT) == DIGEST
    after = place(tmp_path).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert everything(tmp_path) == [place(tmp_path)]


def test_the_empty_blob_is_a_blob(vault: Vault) -> None:
    assert vault.get(vault.put(b"")) == b""


@given(octet=st.integers(0, len(CONTENT) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_in_a_blob_is_found(
    tmp_path_factory: pytest.TempPathFactory, octet: int, bit: int
) -> None:
    root = tmp_path_factory.mktemp("flip")
    vault = Vault(root / "vault")
    vault.put(CONTENT)
    altered = bytearray(CONTENT)
    altered[octet] ^= 1 << bit
    place(root).write_bytes(altered)
    with pytest.raises(EvidenceError, match=rf"{DIGEST} was altered: its SHA-256 is now"):
        vault.get(DIGEST)


def test_putting_the_right_bytes_mends_a_damaged_blob(vault: Vault, tmp_path: Path) -> None:
    vault.put(CONTENT)
    place(tmp_path).write_bytes(CONTENT[:5])
    vault.put(CONTENT)
    assert vault.get(DIGEST) == CONTENT


def test_a_missing_blob_is_named(vault: Vault) -> None:
    assert not vault.has(DIGEST)
    with pytest.raises(EvidenceError, match=f"does not have {DIGEST}"):
        vault.get(DIGEST)


def test_a_link_in_the_place_of_a_blob_is_not_followed(vault: Vault, tmp_path: Path) -> None:
    vault.put(CONTENT)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)
    place(tmp_path).unlink()
    place(tmp_path).symlink_to(elsewhere)
    with pytest.raises(EvidenceError, match="cannot be read"):
        vault.get(DIGEST)
    vault.put(CONTENT)
    assert not place(tmp_path).is_symlink()
    assert vault.get(DIGEST) == CONTENT


@pytest.mark.parametrize(
    "digest", ["", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "0", DIGEST + "\n"]
)
def test_only_a_digest_names_a_blob(vault: Vault, digest: str) -> None:
    for ask in (vault.get, vault.has, vault.erase):
        with pytest.raises(EvidenceError, match="not a SHA-256 digest"):
            ask(digest)


def test_a_full_disk_in_the_middle_of_a_blob_leaves_nothing_behind(
    vault: Vault, tmp_path: Path
) -> None:
    vault.put(CONTENT)
    large = bytes(100_000)
    with (
        files_no_larger_than(50_000),
        pytest.raises(EvidenceError, match=f"cannot keep {sha256(large).hexdigest()}"),
    ):
        vault.put(large)
    assert everything(tmp_path) == [place(tmp_path)]
    assert vault.get(DIGEST) == CONTENT
    assert vault.get(vault.put(large)) == large


def test_a_full_disk_while_mending_leaves_what_was_there(vault: Vault, tmp_path: Path) -> None:
    large = bytes(100_000)
    digest = vault.put(large)
    damaged = b"damaged, but all that there is"
    place(tmp_path, digest).write_bytes(damaged)
    with files_no_larger_than(50_000), pytest.raises(EvidenceError):
        vault.put(large)
    assert place(tmp_path, digest).read_bytes() == damaged
    assert everything(tmp_path) == [place(tmp_path, digest)]


def test_a_vault_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(EvidenceError, match="cannot keep"):
        Vault(tmp_path / "file" / "vault").put(CONTENT)


def test_erasing_takes_the_blob_out_and_may_be_repeated(vault: Vault, tmp_path: Path) -> None:
    vault.put(CONTENT)
    assert vault.erase(DIGEST)
    assert not vault.has(DIGEST)
    assert everything(tmp_path) == []
    assert not vault.erase(DIGEST)
    assert not Vault(tmp_path / "absent").erase(DIGEST)


def test_walking_gives_every_digest_in_order_and_nothing_else(vault: Vault, tmp_path: Path) -> None:
    digests = sorted(vault.put(bytes([n])) for n in range(40))
    (place(tmp_path, digests[0]).parent / ".arriving-x").write_bytes(b"half")
    (place(tmp_path, digests[0]).parent / "notes.txt").write_bytes(b"not a blob")
    (tmp_path / "vault" / "lost+found").mkdir()
    assert list(vault.walk()) == digests
    assert list(Vault(tmp_path / "absent").walk()) == []


def test_sweeping_removes_only_what_was_left_half_written_long_ago(
    vault: Vault, tmp_path: Path
) -> None:
    vault.put(CONTENT)
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for name, age in (("old", timedelta(hours=2)), ("young", timedelta(minutes=1))):
        path = place(tmp_path).parent / f".arriving-{name}"
        path.write_bytes(b"half")
        os.utime(path, ((now - age).timestamp(),) * 2)
    os.utime(place(tmp_path), (0, 0))
    assert vault.sweep(now - timedelta(hours=1)) == 1
    assert {path.name for path in everything(tmp_path)} == {DIGEST, ".arriving-young"}
    assert Vault(tmp_path / "absent").sweep(now) == 0
    with pytest.raises(NaiveTimeError):
        vault.sweep(now.replace(tzinfo=None))


def test_many_threads_may_put_the_same_bytes_at_once(vault: Vault, tmp_path: Path) -> None:
    threads = [threading.Thread(target=vault.put, args=(CONTENT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert everything(tmp_path) == [place(tmp_path)]
    assert vault.get(DIGEST) == CONTENT
