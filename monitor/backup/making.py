"""Makes a backup of a running installation: rows of one moment, the vault, the signing key."""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from monitor import __version__
from monitor.backup import archive
from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.evidence.note import SigningKey, sync_directory
from monitor.evidence.vault import Vault
from monitor.storage import schema
from monitor.storage.store import Store

FORMAT: Final = "staff-mentions/backup/v1"
ABOUT: Final = "backup.json"
KEY: Final = "signing-key"
END: Final = "end.json"
_NAME: Final = re.compile(r"staff-mentions-(\d{8}T\d{6}Z)\.backup\.age", re.ASCII)
_MOMENT: Final = "%Y%m%dT%H%M%SZ"


@dataclass(slots=True)
class Made:
    """A finished backup: its file, and how much is in it. `missing` originals were not whole."""

    path: Path
    entries: int
    rows: int = 0
    blobs: int = 0
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Making:
    """Everything that a backup copies."""

    store: Store
    vault: Vault
    key_file: Path

    def make(self, path: Path, recipients: list[str], *, by: str, at: datetime) -> Made:
        """Write a backup to `path`, whole or not at all; never over another file.

        That it is made is an entry of the log first, and the backup holds that entry.

        Raises:
            EvidenceError: a recipient is no age key, the file is there, or the disk refuses.
        """
        keys = archive.recipients_of(recipients)
        if path.exists():
            raise EvidenceError(f"{path}: is there already; a backup never overwrites a file")
        try:
            descriptor, name = tempfile.mkstemp(prefix=".backup-", dir=path.parent)  # 0600
        except OSError as error:
            raise EvidenceError(f"{path}: cannot be written ({error.strerror})") from error
        arriving = Path(name)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - mkstemp gave a descriptor
                self.store.log.append([entries.log_backed_up(at=at, by=by)])
                made = self._fill(file, path, keys, at)
                file.flush()
                os.fsync(file.fileno())
            os.link(arriving, path)  # unlike a rename, never over a file that came in between
            sync_directory(path.parent)
        except OSError as error:
            raise EvidenceError(f"{path}: cannot be written ({error.strerror})") from error
        finally:
            with suppress(OSError):
                arriving.unlink()
        return made

    def _fill(self, file: IO[bytes], path: Path, keys: list[object], at: datetime) -> Made:
        with self.store.log.reading() as view, archive.writing(file, keys) as writer:
            size, root = view.head()
            made = Made(path, size)
            about = {
                "format": FORMAT,
                "made_at": at.astimezone(UTC).isoformat(),
                "program": __version__,
                "schema": schema.head(),
                "verifier": str(SigningKey.load(self.key_file).verifier),
                "entries": size,
                "root": root.hex(),
            }
            writer.add(ABOUT, _json(about))
            for number, (table, written) in enumerate(view.rows()):
                writer.add(f"rows/{table}/{number:08}.jsonl", written)
                made.rows += written.count(b"\n") - 1
            writer.add(KEY, self.key_file.read_bytes())
            # The snapshot is older than this walk, so whatever its rows name is in it.
            for digest in self.vault.walk():
                try:
                    writer.add(f"vault/{digest[:2]}/{digest}", self.vault.get(digest))
                    made.blobs += 1
                except EvidenceError:
                    made.missing.append(digest)
            end = {"rows": made.rows, "blobs": made.blobs, "missing": made.missing}
            writer.add(END, _json(end))
        return made


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode("ascii") + b"\n"


def name_of(at: datetime) -> str:
    """What a backup made at that time is called."""
    return f"staff-mentions-{at.astimezone(UTC):{_MOMENT}}.backup.age"


def remove_old(folder: Path, *, keep_days: int, now: datetime) -> list[Path]:
    """Remove backups older than that, by the time in their names, but never the newest.

    What was erased since lives on in an old backup: they go, or nothing was forgotten.
    """
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    limit, removed = now - timedelta(days=keep_days), []
    for path in found[:-1]:
        named = _NAME.fullmatch(path.name)
        assert named is not None
        with suppress(ValueError):  # twenty-five o'clock is nobody's backup
            made = datetime.fromisoformat(named[1])
            if made < limit:
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed
