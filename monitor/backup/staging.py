"""The first step of a restore: a backup unpacked beside the data and verified there.

Nothing that stands is touched. What was staged is put in place by `restoring`, or taken away again
with `discard`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

from monitor.backup import archive
from monitor.backup.making import ABOUT, END, FORMAT, KEY
from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import first_key
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Verified
from monitor.storage import dumping
from monitor.storage.store import Store

STAGE: Final = ".restoring-"
NO_MAIL: Final = "staff-mentions.invalid"
"""The mail domain of a store from which nothing is sent."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation keeps its things."""

    url: str
    data_dir: Path
    vault: Path
    key_file: Path

    @property
    def database_file(self) -> Path | None:
        """The file of an SQLite database; None for PostgreSQL."""
        url = make_url(self.url)
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself; the log in it has to agree."""

    made_at: str
    schema: str
    entries: int
    root: bytes

    @classmethod
    def read(cls, written: bytes) -> About:
        """Raises EvidenceError where it is no backup of ours."""
        with suppress(ValueError, KeyError, TypeError):
            match json.loads(written):
                case {"format": str(kind)} if kind != FORMAT:
                    raise EvidenceError(f"a backup of another form ({kind!r}): not made by us")
                case {
                    "made_at": str(made_at),
                    "schema": str(schema),
                    "entries": int(count),
                    "root": str(root),
                }:
                    return cls(made_at, schema, count, bytes.fromhex(root))
                case _:
                    pass
        raise EvidenceError(f"its {ABOUT} is damaged: not a backup")


@dataclass(frozen=True, slots=True)
class Staged:
    """A backup unpacked and verified, not yet in place."""

    folder: Path
    url: str
    about: About
    verified: Verified
    unverified: str = ""

    @property
    def key_file(self) -> Path:
        return self.folder / KEY

    @property
    def vault(self) -> Vault:
        return Vault(self.folder / "vault")


def stage(path: Path, identities: Sequence[Any], place: Place) -> Staged:
    """Unpack a backup beside the data and verify all of its log. `discard` takes it away again.

    Raises:
        EvidenceError: the file is not whole or not opened by this key, or its log does not verify,
            or the PostgreSQL database is not empty.
        SchemaError: a newer program made it.
    """
    if place.database_file is None and not dumping.is_bare(place.url):
        raise EvidenceError(
            "the PostgreSQL database is not empty: rename it, make an empty one in its place,"
            " and name the old one with --old, so that the two can be compared"
        )
    folder = _folder(place)
    staged_file = f"sqlite:///{folder / 'database.sqlite3'}"
    url = place.url if place.database_file is None else staged_file
    try:
        with archive.reading(path, identities) as members:
            about = _unpack(members, folder, url)
        return Staged(folder, url, about, _verify(folder, url, about))
    except BaseException:
        _discard(folder, url, place)
        raise


def discard(staged: Staged, place: Place) -> None:
    """Take away what was unpacked."""
    _discard(staged.folder, staged.url, place)


def _discard(folder: Path, url: str, place: Place) -> None:
    if place.database_file is None:
        dumping.clear(url)
    shutil.rmtree(folder, ignore_errors=True)


def _folder(place: Place) -> Path:
    """A new folder on the disk of the data; what a crash left of earlier ones goes."""
    for left in place.data_dir.glob(f"{STAGE}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=STAGE, dir=place.data_dir))  # 0700


class _Members:
    """The members of a backup with one look ahead."""

    def __init__(self, members: Iterator[tuple[str, bytes]]) -> None:
        self._members = members
        self.next = next(members, None)

    def take(self) -> tuple[str, bytes]:
        if self.next is None:
            raise EvidenceError("the backup ends before its end")
        taken, self.next = self.next, next(self._members, None)
        return taken

    def rows(self) -> Iterator[dumping.Part]:
        """The parts of tables that come next."""
        while self.next is not None and self.next[0].startswith("rows/"):
            name, content = self.take()
            yield name.split("/")[1], content


def _unpack(found: Iterator[tuple[str, bytes]], folder: Path, url: str) -> About:
    members = _Members(found)
    name, content = members.take()
    if name != ABOUT:
        raise EvidenceError(f"it does not begin with {ABOUT}: not a backup")
    about = About.read(content)
    rows = dumping.load(url, about.schema, members.rows())
    blobs, vault = 0, Vault(folder / "vault")
    while True:
        name, content = members.take()
        if name == END:
            break
        if name == KEY:
            _keep_key(folder / KEY, content)
        elif name.startswith("vault/"):
            if vault.put(content) != name.rpartition("/")[2]:
                raise EvidenceError(f"{name} is not what its name says")
            blobs += 1
        else:
            raise EvidenceError(f"the backup holds {name!r}, which this program does not know")
    counts = json.loads(content)
    if (counts.get("rows"), counts.get("blobs")) != (rows, blobs) or members.next is not None:
        raise EvidenceError("the backup does not hold what its end says")
    return about


def _keep_key(path: Path, content: bytes) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)


def _verify(folder: Path, url: str, about: About) -> Verified:
    """Read all of the log in the backup against its rows, its originals and its checkpoints."""
    key = SigningKey.load(folder / KEY)
    with (
        closing(Store(url, mail_domain=NO_MAIL)) as store,
        store.log.verifying(folder / "vault") as (view, whole),
    ):
        if view.head() != (about.entries, about.root):
            raise EvidenceError("the log in the backup is not the one that the backup names")
        return whole.verify([first_key(key.verifier, view.hand_overs())], nodes=False)
