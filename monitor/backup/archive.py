"""The file of a backup: a tar in age encryption, written and read as one stream.

`age -d -i KEY FILE | tar -t` shows what is in it; no program of ours is needed. The plain form
never reaches a disk while it is written: it passes through a pipe into the encryption.
"""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pyrage

from monitor.errors import EvidenceError

MAX_MEMBER: Final = 1 << 30
"""Bytes of one member; a vault holds no larger blob, and a forged one must not fill the memory."""
_MODE: Final = 0o600
_AGE: Final = b"age-encryption.org/"
_ARMOURED: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"


def recipients_of(written: Sequence[str]) -> list[Any]:
    """Recipients as the library knows them.

    Raises:
        EvidenceError: there is none, or one is no X25519 public key ("age1…").
    """
    if not written:
        raise EvidenceError("a backup is always encrypted: say to which age key (age1…)")
    found = []
    for each in written:
        try:
            found.append(pyrage.x25519.Recipient.from_str(each.strip()))
        except pyrage.RecipientError as error:
            raise EvidenceError(f"{each!r} is no age recipient: it begins with age1") from error
    return found


def new_identity(passphrase: str) -> tuple[str, bytes]:
    """A new key pair: the recipient, and the identity file, locked where a passphrase is given.

    The file is what `age-keygen`, and `age -p` over it, would write.
    """
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    written = f"# public key: {recipient}\n{identity}\n".encode()
    return recipient, pyrage.passphrase.encrypt(written, passphrase) if passphrase else written


def identities_of(written: bytes, ask: Callable[[], str]) -> list[Any]:
    """The identities in a file of `age-keygen`; `ask` gives the passphrase of a locked one.

    Raises:
        EvidenceError: the passphrase is wrong, or there is no identity in it.
    """
    if written.startswith((_AGE, _ARMOURED)):
        try:
            written = pyrage.passphrase.decrypt(written, ask())
        except (pyrage.DecryptError, ValueError) as error:
            raise EvidenceError("the key file does not open with this passphrase") from error
    lines = [line.strip() for line in written.decode("utf-8", "replace").splitlines()]
    try:
        found = [
            pyrage.x25519.Identity.from_str(line)
            for line in lines
            if line and not line.startswith("#")
        ]
    except pyrage.IdentityError as error:
        raise EvidenceError("not an age key file: its lines begin with AGE-SECRET-KEY-1") from error
    if not found:
        raise EvidenceError("there is no key in the key file")
    return found


@dataclass(slots=True)
class _Side:
    """Work beside the caller's, at the other end of a pipe; its error is the caller's."""

    work: Callable[[], None]
    error: BaseException | None = None
    finished: bool = False
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.work()
            self.finished = True
        except (pyrage.EncryptError, pyrage.DecryptError, OSError, ValueError) as error:
            self.error = error

    def join(self) -> None:
        """Wait for its end. Only `finished` says that all went well."""
        self._thread.join()


@contextmanager
def writing(file: IO[bytes], recipients: Sequence[Any]) -> Iterator[Writer]:
    """Give members to the tar; they are encrypted into `file` on the way.

    Where this raises, what is in `file` is no backup and has to be thrown away.

    Raises:
        EvidenceError: the encryption or the disk refuses.
    """
    reading, filling = os.pipe()
    source = open(reading, "rb")  # noqa: PTH123, SIM115 - a pipe's end, closed by the side
    sink = open(filling, "wb")  # noqa: PTH123, SIM115 - closed below, before the side is awaited

    def encrypt() -> None:
        with source:
            pyrage.encrypt_io(source, file, list(recipients))

    side = _Side(encrypt)
    try:
        with sink, tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            yield Writer(tar)
    except BrokenPipeError as error:
        side.join()
        raise EvidenceError(f"the backup cannot be written: {side.error or error}") from error
    finally:
        with suppress(OSError):
            sink.close()
        side.join()
    if not side.finished:
        raise EvidenceError(f"the backup cannot be written: {side.error}") from side.error


@dataclass(frozen=True, slots=True)
class Writer:
    """Members of a backup, in the order in which they are added."""

    _tar: tarfile.TarFile

    def add(self, name: str, content: bytes) -> None:
        about = tarfile.TarInfo(name)
        about.size, about.mode = len(content), _MODE
        self._tar.addfile(about, io.BytesIO(content))


@contextmanager
def reading(path: Path, identities: Sequence[Any]) -> Iterator[Iterator[tuple[str, bytes]]]:
    """The members of a backup in their order, as (name, content).

    Nothing of it may be believed before the iterator has ended: only then is the end of the file
    authentic too.

    Raises:
        EvidenceError: the file is not encrypted to this key, was altered or cut, or is no backup.
    """
    reading_end, filling = os.pipe()
    source = open(reading_end, "rb")  # noqa: PTH123, SIM115 - closed below
    sink = open(filling, "wb")  # noqa: PTH123, SIM115 - closed by the side

    def decrypt() -> None:
        with sink, path.open("rb") as encrypted:
            pyrage.decrypt_io(encrypted, sink, list(identities))

    side = _Side(decrypt)
    try:
        with source:
            yield _members(source, side, path)
    finally:
        side.join()


def _members(source: IO[bytes], side: _Side, path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for about in tar:
                if not about.isreg() or about.size > MAX_MEMBER:
                    raise EvidenceError(f"{path}: it holds {about.name!r}, which is no plain file")
                content = tar.extractfile(about)
                assert content is not None, "a plain file has content"
                yield about.name, content.read()
        while source.read(1 << 16):
            pass  # the filling after the last member, so that the end is authenticated too
    except (tarfile.TarError, EOFError) as error:
        source.close()
        side.join()
        why = side.error or error
        raise EvidenceError(f"{path}: not a whole backup that this key opens ({why})") from error
    side.join()
    if not side.finished:
        raise EvidenceError(f"{path}: it was altered or cut ({side.error})") from side.error
