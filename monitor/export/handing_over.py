"""Writes an export to a file: its owner's alone, whole or not at all, encrypted where asked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyrage

from monitor.errors import EvidenceError
from monitor.evidence.note import sync_directory


def write_file(path: Path, recipients: Sequence[str], write: Callable[[IO[bytes]], int]) -> int:
    """Call `write` with an empty file and put what it wrote at `path`; what `write` gave back.

    With `recipients` (age X25519 public keys, "age1…") only the encrypted form gets a name; the
    plain one lives in a file without one, which ends with this process. The place is tried before
    `write` is called, so that a full or forbidden folder is found before anything is logged.

    Raises:
        EvidenceError: `path` is there already, the disk refuses, or a recipient is no age key.
    """
    keys = [_recipient(each) for each in recipients]
    if path.exists():
        raise EvidenceError(f"{path}: is there already; an export never overwrites a file")
    try:
        descriptor, name = tempfile.mkstemp(prefix=".export-", dir=path.parent)  # 0600
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be written ({error.strerror})") from error
    arriving = Path(name)
    try:
        with open(descriptor, "w+b") as file:  # noqa: PTH123 - mkstemp gave a descriptor
            result = _fill(file, path.parent, keys, write)
            file.flush()
            os.fsync(file.fileno())
        os.link(arriving, path)  # unlike a rename, never over a file that came in between
        sync_directory(path.parent)
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            arriving.unlink()
    return result


def _fill(
    file: IO[bytes],
    folder: Path,
    keys: Sequence[pyrage.x25519.Recipient],
    write: Callable[[IO[bytes]], int],
) -> int:
    if not keys:
        return write(file)
    with tempfile.TemporaryFile(dir=folder) as plain:
        result = write(plain)
        plain.seek(0)
        pyrage.encrypt_io(plain, file, list(keys))
    return result


def _recipient(written: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(written.strip())
    except pyrage.RecipientError as error:
        raise EvidenceError(f"{written!r} is no age recipient: it begins with age1") from error
