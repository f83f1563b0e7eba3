"""What arrived, made fit to keep: words that every database holds, targets that a person means."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from monitor.model import Certainty, Mention, Post, TargetKind

LONGEST_FIELD = 2_000_000
"""Characters of one field: what an entry of the log can open again (its bytes are all kept)."""
LONGEST_NAME = 500
"""Characters of a native id: more than PostgreSQL can look up."""


def targets(found: tuple[Mention, ...]) -> tuple[Mention, ...]:
    """A school counts as the target only where no person is named for certain."""
    named = any(
        mention.target.kind is TargetKind.PERSON and mention.certainty is not Certainty.POSSIBLE
        for mention in found
    )
    if not named:
        return found
    return tuple(mention for mention in found if mention.target.kind is TargetKind.PERSON)


def clean(post: Post) -> Post:
    """Make what every database and every page can hold: no NUL and no lone surrogate in words."""
    return replace(
        post,
        ref=replace(post.ref, native_id=_short(_clean(post.ref.native_id))),
        text=_clean(post.text),
        title=_clean(post.title),
        thread=_clean(post.thread),
        url=_clean(post.url),
        published_raw=_clean(post.published_raw),
        author=replace(
            post.author,
            handle=_clean(post.author.handle),
            name=_clean(post.author.name),
            native_id=_clean(post.author.native_id),
            url=_clean(post.author.url),
        ),
        media_urls=tuple(_clean(url) for url in post.media_urls),
    )


def _clean(words: str) -> str:
    whole = words if words.isascii() else words.encode("utf-8", "replace").decode()
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST_FIELD]


def _short(native_id: str) -> str:
    """A name of any length as one that every database can look up, always the same."""
    if len(native_id) <= LONGEST_NAME:
        return native_id
    return f"sha256:{hashlib.sha256(native_id.encode()).hexdigest()}"
