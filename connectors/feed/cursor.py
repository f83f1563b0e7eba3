"""What a feed's cursor remembers between two polls."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from monitor.model import Cursor, Post

_MARK_BYTES = 12
"""96 bits: nobody can write a post that passes for one already seen."""

_PREFIX_BYTES = 6
_PREFIX = 8
"""Characters of base64 for six bytes; enough to ask whether a page overlaps with the last."""


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """The validators of the last answer, and the marks of the posts that stood in it.

    `address` is a mark of the feed's address: validators of another address mean nothing.
    """

    address: str = ""
    etag: str = ""
    modified: str = ""
    sha256: str = ""
    seen: frozenset[str] = frozenset()

    @property
    def fresh(self) -> bool:
        """Whether this feed was never read before."""
        return not self.sha256

    def knows(self, post: Post) -> bool:
        """Whether any version of the post stood in the last answer."""
        prefix = mark_of(post)[:_PREFIX]
        return any(one.startswith(prefix) for one in self.seen)

    def dump(self) -> Cursor:
        """As the core keeps it."""
        return Cursor(
            json.dumps(
                {
                    "v": 1,
                    "address": self.address,
                    "etag": self.etag,
                    "modified": self.modified,
                    "sha256": self.sha256,
                    "seen": sorted(self.seen),
                },
                separators=(",", ":"),
            )
        )


def load(cursor: Cursor | None, address: str) -> FeedCursor:
    """The cursor that was kept, or an empty one where it is absent, foreign or damaged."""
    empty = FeedCursor(address=address)
    if cursor is None:
        return empty
    try:
        kept = json.loads(cursor)
        found = FeedCursor(
            address=str(kept["address"]),
            etag=str(kept["etag"]),
            modified=str(kept["modified"]),
            sha256=str(kept["sha256"]),
            seen=frozenset(str(mark) for mark in kept["seen"]),
        )
    except (ValueError, KeyError, TypeError):
        return empty
    return found if found.address == address else empty


def mark(*words: str, size: int = _MARK_BYTES) -> str:
    """A short name for some words, the same on every machine."""
    digest = hashlib.sha256("\n".join(words).encode()).digest()[:size]
    return base64.urlsafe_b64encode(digest).decode()


def mark_of(post: Post) -> str:
    """A short name for one version of a post: it begins as that of every other version does."""
    return mark(post.ref.native_id, size=_PREFIX_BYTES) + mark(post.ref.native_id, post.version)
