"""Hands the log over to a new signing key, so that a crash at any moment can be finished later."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.evidence.note import SigningKey, VerifierKey, sync_directory
from monitor.storage.store import Store

_COMING = ".coming"


def key_in_force(store: Store) -> VerifierKey:
    """The key that signs the log now: the last to which it was handed over.

    Raises:
        EvidenceError: the chain of hand-overs is broken.
    """
    with store.log.reading() as view:
        return view.keys()[-1]


def demand_key(store: Store, key: SigningKey, path: Path) -> None:
    """Raise EvidenceError unless `key`, read from `path`, is the one that the log belongs to."""
    wanted = key_in_force(store)
    if key.verifier == wanted:
        return
    if _coming(path).exists():
        raise EvidenceError(
            f"{path}: a change of the signing key was begun and not finished; finish it with"
            " `staff-mentions evidence rotate-key`"
        )
    raise EvidenceError(
        f"{path}: this is not the key of the log. The log belongs to {wanted}; put that key back"
        " from the backup, since nobody could check what another key signs"
    )


def rotate(store: Store, path: Path, *, by: str, why: str, at: datetime) -> tuple[SigningKey, Path]:
    """Make a new key and hand the log over to it; the new key, and where the old one was put.

    The new key waits beside the old one until the entry that names it is in the log; then both
    files move. Called again after a crash, it goes on where it was.

    Raises:
        EvidenceError: the key is not the log's, or a file cannot be written.
    """
    old, coming = SigningKey.load(path), _coming(path)
    if not coming.exists():
        demand_key(store, old, path)
        SigningKey.generate(old.name).save(coming)
    new, in_force = SigningKey.load(coming), key_in_force(store)
    if in_force not in {old.verifier, new.verifier}:
        raise EvidenceError(f"{path}: this is not the key of the log, which is {in_force}")
    if in_force == old.verifier:
        store.log.append([entries.key_changed(at=at, old=old, new=new, by=by, why=why)])
    aside = path.with_name(f"{path.name}.{old.verifier.key_id.hex()}")
    try:
        if not aside.exists():
            os.link(path, aside)
        coming.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise EvidenceError(f"{path}: the keys cannot be moved ({error.strerror})") from error
    return new, aside


def _coming(path: Path) -> Path:
    return path.with_name(path.name + _COMING)
