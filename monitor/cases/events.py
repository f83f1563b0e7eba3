"""What befell the log that its witnesses must hear of: a restored backup, a new signing key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.model import aware


@dataclass(frozen=True, slots=True)
class Restored:
    """That the log went on from a backup: its first `size` entries stand, those behind are lost.

    They are lost up to, not including, `lost_until`; None where nobody knows how many there were.
    """

    at: datetime
    made_at: datetime | None
    size: int
    lost_until: int | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """That another key signs the log from its entry `entry` on; both as verifiers are written."""

    at: datetime
    entry: int
    old: str
    new: str


Event = Restored | NewKey


def event_of(facts: Mapping[str, Any]) -> Event:
    """One event as an alert keeps it: its entry's kind, number, time and public fields.

    Raises:
        ValueError: it is of no kind that is known here.
    """
    match facts:
        case {"kind": "log.restored", "at": str(at), "size": int(size)}:
            lost = facts.get("lost_until")
            return Restored(
                datetime.fromisoformat(at),
                _time(facts.get("backup_made_at")),
                size,
                lost if isinstance(lost, int) else None,
            )
        case {
            "kind": "key.changed",
            "at": str(at),
            "entry": int(entry),
            "old_key": str(old),
            "new_key": str(new),
        }:
            return NewKey(datetime.fromisoformat(at), entry, old, new)
        case _:
            raise ValueError("the alert holds an event that this program does not know")


def _time(written: object) -> datetime | None:
    """A backup says itself when it was made; what is no time is left out."""
    with suppress(ValueError):
        if isinstance(written, str):
            return aware(datetime.fromisoformat(written))
    return None
