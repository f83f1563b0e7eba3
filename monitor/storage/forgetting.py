"""Known again without being kept: keyed marks of posts and mentions that were erased.

A source may go on showing a post that was erased here. Its row keeps, in place of its name, an
HMAC-SHA256 of platform, name and version, so that the same words are not captured a second time;
an edited post is another version and is captured.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from monitor.storage.tables import MentionRow, PostRow, RememberedRow

_KEY = "forgotten-key"
_AT_A_TIME = 500


def forgotten_key(session: Session) -> bytes | None:
    """The key of the marks; None where nothing was ever erased."""
    row = session.get(RememberedRow, _KEY)
    return bytes.fromhex(row.value) if row else None


def make_key(session: Session) -> bytes:
    """The key of the marks, made at the first erasure; call only inside `Database.write()`."""
    key = forgotten_key(session)
    if key is None:
        key = secrets.token_bytes(32)
        session.add(RememberedRow(name=_KEY, value=key.hex()))
    return key


def mark(key: bytes, *name: str) -> str:
    """What stands in place of a name: 64 hex digits that say nothing without the key."""
    return hmac.new(key, json.dumps(name).encode(), hashlib.sha256).hexdigest()


def known_marks(
    session: Session, table: type[PostRow | MentionRow], marks: Iterable[str]
) -> frozenset[str]:
    """Which of these marks stand in the rows of erased posts or mentions."""
    wanted: Sequence[str] = sorted(set(marks))
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_A_TIME):
        part = wanted[start : start + _AT_A_TIME]
        found.update(
            session.exec(
                select(table.native_id)
                .where(col(table.native_id).in_(part))
                .where(col(table.erased_by).is_not(None))
            )
        )
    return frozenset(found)
