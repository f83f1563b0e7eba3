"""Pictures of pages as kept: which posts wait for one, what came of each try, and its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.evidence.leaf import Json, open_leaf
from monitor.model import Severity
from monitor.storage import ledger
from monitor.storage.engine import Database
from monitor.storage.tables import (
    EntryRow,
    GradeRow,
    LeftoverRow,
    MentionRow,
    PictureRow,
    PostRow,
    RememberedRow,
)

_REACHED: Final = "pictures.reached"
_KINDS: Final = ("page.pictured", "page.not-pictured")


class PictureState(StrEnum):
    """waiting -> taken | given up; each -> erased, with its post."""

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given up"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page whose picture is due: its post, its address, and how often it was tried."""

    post_id: int
    url: str
    attempts: int


class Pictures:
    """The waiting list and its outcomes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, hosts: frozenset[str], *, since: datetime) -> int:
        """Put posts on those hosts on the list that were graded since; how many.

        Only posts of which a grade says more than a sure "neutral": a page shows strangers too.
        """
        with self._database.write() as session:
            newest = session.exec(select(func.max(col(GradeRow.id)))).one() or 0
            posts = session.exec(
                select(PostRow)
                .join(MentionRow, col(MentionRow.post_id) == col(PostRow.id))
                .join(GradeRow, col(GradeRow.mention_id) == col(MentionRow.id))
                .where(col(GradeRow.id) > _reached(session))
                .where(col(GradeRow.at) >= since)
                .where(
                    or_(
                        col(GradeRow.severity) != Severity.NEUTRAL.value,
                        col(GradeRow.unsure).is_(True),
                    )
                )
                .where(col(PostRow.erased_by).is_(None))
                .order_by(col(PostRow.id))
                .distinct()
            ).all()
            fresh = [
                each
                for each in posts
                if host_of(each.url) in hosts and session.get(PictureRow, each.id) is None
            ]
            for post in fresh:
                assert post.id is not None
                waiting = PictureState.WAITING.value
                session.add(PictureRow(post_id=post.id, state=waiting, due_at=since))
            session.merge(RememberedRow(name=_REACHED, value=str(newest)))
            return len(fresh)

    def next(self, *, now: datetime) -> Wanted | None:
        """The picture that is due longest."""
        with self._database.read() as session:
            found = session.exec(
                select(PictureRow, PostRow)
                .join(PostRow, col(PostRow.id) == col(PictureRow.post_id))
                .where(col(PictureRow.state) == PictureState.WAITING.value)
                .where(col(PictureRow.due_at) <= now)
                .order_by(col(PictureRow.due_at), col(PictureRow.post_id))
                .limit(1)
            ).one_or_none()
            return Wanted(found[0].post_id, found[1].url, found[0].attempts) if found else None

    def keep(
        self, wanted: Wanted, digest: str, facts: Mapping[str, Json], *, at: datetime
    ) -> int | None:
        """Seal a picture whose blob is in the vault; its entry, or None where the post is erased.

        The blob then goes with the next `settle`.
        """
        with self._database.write() as session:
            row = session.get_one(PictureRow, wanted.post_id)
            post = session.get_one(PostRow, wanted.post_id)
            if post.erased_by is not None:
                session.merge(LeftoverRow(digest=digest))
                return None
            row.attempts += 1
            leaf = entries.page_pictured(
                at=at,
                post_entry=post.entry_index,
                attempt=row.attempts,
                secret={**facts, "picture_sha256": digest},
            )
            (row.entry_index,) = ledger.append(session, [leaf])
            row.state, row.sha256 = PictureState.TAKEN.value, digest
            return row.entry_index

    def failed(self, wanted: Wanted, why: str, *, again_at: datetime | None, at: datetime) -> None:
        """Seal that a try failed; `again_at` None: nobody tries again."""
        with self._database.write() as session:
            row = session.get_one(PictureRow, wanted.post_id)
            post = session.get_one(PostRow, wanted.post_id)
            if post.erased_by is not None:
                return
            row.attempts += 1
            leaf = entries.page_not_pictured(
                at=at,
                post_entry=post.entry_index,
                attempt=row.attempts,
                given_up=again_at is None,
                why=why,
            )
            ledger.append(session, [leaf])
            if again_at is None:
                row.state = PictureState.GIVEN_UP.value
            else:
                row.due_at = again_at

    def counts(self) -> dict[str, int]:
        """How many pictures are in each state."""
        query = select(PictureRow.state, func.count()).group_by(col(PictureRow.state))
        with self._database.read() as session:
            return dict(session.exec(query).all())


def host_of(url: str) -> str:
    """The host of an address, in small letters; empty where it has none that a page stands on."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme in {"http", "https"} else ""


def picture_entries(session: Session, posts: Sequence[PostRow]) -> Iterator[int]:
    """The entries about pictures of posts that go."""
    ids = [post.id for post in posts]
    if session.exec(select(PictureRow).where(col(PictureRow.post_id).in_(ids)).limit(1)).first():
        wanted = {post.entry_index for post in posts}
        query = select(EntryRow.index, EntryRow.content).where(col(EntryRow.kind).in_(_KINDS))
        for index, content in session.exec(query.where(col(EntryRow.index) > min(wanted))):
            if open_leaf(content, ()).public.get("post_entry") in wanted:
                yield index


def forget_picture(session: Session, post_id: int) -> None:
    """Take the picture of a post off the list, and leave its blob to be destroyed."""
    row = session.get(PictureRow, post_id)
    if row is None:
        return
    if row.sha256:
        session.merge(LeftoverRow(digest=row.sha256))
    row.state, row.sha256 = PictureState.ERASED.value, ""


def _reached(session: Session) -> int:
    row = session.get(RememberedRow, _REACHED)
    return int(row.value) if row else 0
