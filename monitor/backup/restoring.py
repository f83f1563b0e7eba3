"""Puts a backup in place of what is there, unless the two are different histories.

A restore is three steps: `staging.stage` unpacks the backup beside the data and verifies it there,
`compare` sets it beside what is known of the log, and `put` puts it in place. Until `put`, nothing
that stands is touched, and `put` moves the old database and key aside rather than over.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from monitor.backup.staging import NO_MAIL, Place, Staged
from monitor.errors import EvidenceError, StaffMentionsError
from monitor.evidence import entries
from monitor.evidence.checkpoint import open_note, read_hand_over
from monitor.evidence.note import SigningKey, VerifierKey, sync_directory
from monitor.evidence.vault import Vault
from monitor.storage import prefix
from monitor.storage.store import Store


@dataclass(frozen=True, slots=True)
class Compared:
    """A backup beside what is known of the log since: `known` is its greatest size heard of."""

    size: int
    known: int | None
    erased: frozenset[int] = frozenset()
    """The entries of mentions that had been erased, which a backup would bring back."""

    @property
    def lost_until(self) -> int | None:
        """The entries from `size` up to this one are lost; None where nobody knows."""
        return None if self.known is None else max(self.known, self.size)


# --- comparing ------------------------------------------------------------------------------------


def compare(staged: Staged, *, old: str | None, known: Sequence[str]) -> Compared:
    """Set the backup beside the database that it replaces, and beside checkpoints kept elsewhere.

    `old` is the address of that database, `known` the signed notes of witnesses. Where one is the
    beginning of the other they are one history; otherwise they are a fork.

    Raises:
        EvidenceError: they are a fork, a note is not signed by a key of this log, or the old
            database cannot be read.
    """
    size = staged.about.entries
    checkpoints = [open_note(note, _keys(staged)) for note in known]
    sizes = [each.size for each in checkpoints]
    greatest = max([*sizes, 0])
    erased: frozenset[int] = frozenset()
    if old is not None:
        there = prefix.roots(old)
        common = min(there.size, size)
        _demand(prefix.roots(old, [common]).at, prefix.roots(staged.url, [common]).at, common)
        greatest = max(greatest, there.size)
        erased = frozenset(each for each in prefix.erased_mentions(old) if each < size)
    mine = prefix.roots(staged.url, sizes).at
    for each in checkpoints:
        if each.size <= size:
            _demand({each.size: each.root}, mine, each.size)
    return Compared(size, greatest if old is not None or known else None, erased)


def _demand(one: dict[int, bytes], other: dict[int, bytes], size: int) -> None:
    if size and one[size] != other[size]:
        raise EvidenceError(
            f"this backup is of another history (a fork): its first {size} entries are not those"
            " of the log that is known. Nothing was changed. Keep both, and ask whoever made the"
            " backup where it comes from"
        )


def _keys(staged: Staged) -> list[VerifierKey]:
    """Every key that signed for this log, the newest first."""
    keys = [SigningKey.load(staged.key_file).verifier]
    with closing(Store(staged.url, mail_domain=NO_MAIL)) as store, store.log.reading() as view:
        for public in reversed(view.hand_overs()):
            old, _new = read_hand_over(public, [VerifierKey.parse(str(public["old_key"]))])
            keys.append(old)
    return keys


# --- putting in place -----------------------------------------------------------------------------


def put(
    staged: Staged, compared: Compared, place: Place, *, by: str, why: str, at: datetime
) -> list[Path]:
    """Put a backup in place; what it replaced, under its new names.

    The service must not be running (the caller holds its lock). The first entry after the restored
    ones says who restored, why, and what range was lost. What is known to have been erased since
    the backup was made is erased again before anything is put in place.

    Raises:
        EvidenceError: the disk refuses.
        InUseError: another program has the old database open.
    """
    _demand_nobody_else(place)
    with closing(Store(staged.url, mail_domain=NO_MAIL)) as store:
        leaf = entries.log_restored(
            at=at,
            made_at=staged.about.made_at,
            size=compared.size,
            lost_until=compared.lost_until,
            compared=compared.known is not None,
            by=by,
            why=why,
        )
        store.log.append([leaf])
        store.outbox.recover(at=at)  # what was being sent then waits, and can be taken back
        store.repeat_erasures(compared.erased, by=by, at=at)
        store.erasing.settle(staged.vault)
    suffix = f".before-restore-{at:%Y%m%dT%H%M%SZ}"
    try:
        vault = Vault(place.vault)
        lost = prefix.unnamed(staged.url, vault.walk())
        aside = _share_originals(vault, place.vault.with_name(place.vault.name + suffix), lost)
        for digest in staged.vault.walk():
            vault.put(staged.vault.get(digest))
        aside += _put_key(staged, place, suffix)
        if place.database_file is not None:
            aside += _put_database(staged, place.database_file, suffix)
        for digest in lost:
            vault.erase(digest)
    except OSError as error:
        raise EvidenceError(f"the backup cannot be put in place ({error})") from error
    shutil.rmtree(staged.folder, ignore_errors=True)
    return aside


def _share_originals(vault: Vault, folder: Path, lost: AbstractSet[str]) -> list[Path]:
    """Give the database that moves aside a vault of its own, where the restored one needs less.

    Originals that no entry names any more would be out of the reach of every erasure.
    """
    if not lost:
        return []
    for digest in vault.walk():
        vault.share(digest, Vault(folder))
    return [folder]


def _put_key(staged: Staged, place: Place, suffix: str) -> list[Path]:
    path = place.key_file
    aside = []
    if path.exists():
        if path.read_bytes() == staged.key_file.read_bytes():
            return []
        aside.append(path.replace(path.with_name(path.name + suffix)))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    SigningKey.load(staged.key_file).save(path)
    return aside


def _demand_nobody_else(place: Place) -> None:
    """Refuse while another program has the old database open, whose writes would be lost.

    Closing the last connection to an SQLite database takes its journal away; one that stays after
    that belongs to somebody. A database that cannot be read has no such rights.
    """
    path = place.database_file
    if path is None or not path.exists():
        return
    with suppress(EvidenceError):
        prefix.roots(place.url)
        if path.with_name(f"{path.name}-wal").exists():
            raise InUseError(f"{path}: another program has it open; end that first")


class InUseError(StaffMentionsError):
    """Another program works on the database that is to be replaced."""


def _put_database(staged: Staged, path: Path, suffix: str) -> list[Path]:
    found = make_url(staged.url).database
    assert found is not None
    aside = []
    # A journal goes with its database: the new one would take it for its own.
    for tail in ("", "-wal", "-shm"):
        there = path.with_name(path.name + tail)
        if there.exists():
            aside.append(there.replace(path.with_name(path.name + suffix + tail)))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(found, path)  # noqa: PTH105 - a string, as the address gives it
    sync_directory(path.parent)
    return aside
