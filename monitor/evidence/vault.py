"""The vault: bytes kept under their own SHA-256, so that no altered bytes pass for what they were.

A blob is the file DIRECTORY/ab/abcd…, as it arrived, not compressed: `sha256sum` alone checks it.
It is written under another name, synced and renamed, so that a name never stands for half a blob.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from monitor.errors import EvidenceError
from monitor.evidence.note import sync_directory
from monitor.model import aware

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SHELF: Final = re.compile(r"[0-9a-f]{2}", re.ASCII)
_PIECE: Final = 1 << 16
_ARRIVING: Final = ".arriving-"


class Vault:
    """A directory of blobs, 0700 with files of 0600; digests are 64 lower-case hex digits."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._place = os.fspath(directory)
        self._lasting: set[Path] = set()

    @property
    def directory(self) -> Path:
        """Where the blobs are."""
        return self._directory

    def put(self, content: bytes) -> str:
        """Keep the bytes and return their digest; on return they have reached the disk.

        Putting the same bytes again changes nothing, and mends a blob that was damaged meanwhile:
        its name proves that these are the right ones.

        Raises:
            EvidenceError: the disk is full or refuses; nothing is left behind.
        """
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        try:
            self._make_shelf(path.parent)
            if not _holds(path, digest):
                _write(path, content)
            sync_directory(path.parent)
        except OSError as error:
            raise EvidenceError(f"the vault cannot keep {digest}: {error.strerror}") from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes with this digest.

        Raises:
            EvidenceError: they are missing, altered, or cannot be read.
        """
        _demand_digest(digest)
        path = f"{self._place}/{digest[:2]}/{digest}"
        try:
            content = _read(path)
        except FileNotFoundError as error:
            raise EvidenceError(f"the vault does not have {digest}") from error
        except OSError as error:
            raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error
        found = sha256(content).hexdigest()
        if found != digest:
            raise EvidenceError(f"{path} was altered: its SHA-256 is now {found}")
        return content

    def has(self, digest: str) -> bool:
        """Whether there is a blob with this name; only `get` says whether it is whole."""
        return self._path(digest).is_file()

    def erase(self, digest: str) -> bool:
        """Take a blob out; true if it was there. Erasing again, as a restore does, is no error.

        The name and the content leave this file system; blocks on a solid-state disk, snapshots and
        backups are the business of disk encryption and of retention.

        Raises:
            EvidenceError: the disk refuses.
        """
        path = self._path(digest)
        try:
            path.unlink()
            sync_directory(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise EvidenceError(f"{path} cannot be erased: {error.strerror}") from error
        return True

    def share(self, digest: str, other: Vault) -> None:
        """Let another vault have a blob too, whole or not; by a link where the disk can.

        Raises:
            EvidenceError: the disk refuses.
        """
        path = other._path(digest)
        try:
            other._make_shelf(path.parent)
            try:
                path.hardlink_to(self._path(digest))
            except FileExistsError:
                return
            except OSError:
                shutil.copyfile(self._path(digest), path)
            sync_directory(path.parent)
        except OSError as error:
            raise EvidenceError(f"{path} cannot be written: {error.strerror}") from error

    def walk(self) -> Iterator[str]:
        """Every digest in the vault, in order."""
        for shelf in self._shelves():
            yield from sorted(path.name for path in shelf.iterdir() if _is_blob(path))

    def sweep(self, older_than: datetime) -> int:
        """Remove what a crash left half written before that time; how many files there were.

        Raises:
            EvidenceError: the disk refuses.
        """
        limit = aware(older_than).timestamp()
        swept = 0
        for shelf in self._shelves():
            for path in sorted(shelf.glob(f"{_ARRIVING}*")):
                try:
                    if path.stat().st_mtime < limit:
                        path.unlink()
                        swept += 1
                except FileNotFoundError:
                    continue  # another process finished or swept it
                except OSError as error:
                    raise EvidenceError(f"{path} cannot be removed: {error.strerror}") from error
        return swept

    def _path(self, digest: str) -> Path:
        _demand_digest(digest)
        return self._directory / digest[:2] / digest

    def _make_shelf(self, shelf: Path) -> None:
        """Make the shelf last: one that is merely there may stem from a crash before its sync."""
        if shelf in self._lasting and shelf.is_dir():
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(self._directory.parent)
        shelf.mkdir(mode=0o700, exist_ok=True)
        sync_directory(self._directory)
        self._lasting.add(shelf)

    def _shelves(self) -> list[Path]:
        if not self._directory.is_dir():
            return []
        return sorted(path for path in self._directory.iterdir() if _SHELF.fullmatch(path.name))


def _demand_digest(digest: str) -> None:
    if not _DIGEST.fullmatch(digest):
        raise EvidenceError(f"{digest!r} is not a SHA-256 digest of 64 lower-case hex digits")


def _is_blob(path: Path) -> bool:
    return bool(_DIGEST.fullmatch(path.name)) and path.name.startswith(path.parent.name)


def _read(path: Path | str) -> bytes:
    """The whole file, unless somebody has put a link in its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # Read by hand: a file object around it takes longer than the reading.
        content = os.read(descriptor, _PIECE)
        if len(content) < _PIECE:
            return content
        return b"".join((content, *iter(lambda: os.read(descriptor, _PIECE), b"")))
    finally:
        os.close(descriptor)


def _holds(path: Path, digest: str) -> bool:
    try:
        return sha256(_read(path)).hexdigest() == digest
    except OSError:
        return False  # absent, or so damaged that it has to be written again


def _write(path: Path, content: bytes) -> None:
    """Write beside `path`, sync, rename: `path` holds all of the content or is not touched."""
    descriptor, name = tempfile.mkstemp(prefix=_ARRIVING, dir=path.parent)  # 0600 from the start
    arriving = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - mkstemp gave a descriptor
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        arriving.replace(path)
    except BaseException:  # whatever stops the writing, half a blob must not stay
        with contextlib.suppress(OSError):
            arriving.unlink()
        raise
