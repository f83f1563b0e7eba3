"""How each source stands, and what one turn of it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select as sql_select
from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.evidence.leaf import Leaf
from monitor.model import Mention, Post
from monitor.storage import ledger
from monitor.storage.convert import mention_row, post_row, source_state
from monitor.storage.engine import Database
from monitor.storage.forgetting import forgotten_key, known_marks, mark
from monitor.storage.records import Capture, SourceState, Turn
from monitor.storage.tables import LeftoverRow, MentionRow, PostRow, SourceRow
from monitor.storage.words import index_posts


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a turn brought that was not known: ids of new mentions, and how many matched at all."""

    fresh: tuple[int, ...]
    matched: int


class Sources:
    """Source rows, and the commit that accepts a turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, name: str, kind: str) -> SourceState:
        """How the source stands; a source that was never polled stands at the beginning."""
        with self._database.read() as session:
            row = session.get(SourceRow, name)
            return source_state(row) if row else SourceState(name, kind)

    def states(self) -> tuple[SourceState, ...]:
        with self._database.read() as session:
            rows = session.exec(select(SourceRow).order_by(col(SourceRow.name)))
            return tuple(source_state(row) for row in rows)

    def accept(self, turn: Turn, captures: Sequence[Capture]) -> Accepted:
        """Keep what matched, the cursor and their log entries in one commit.

        A post version or a mention that is already known is left as it is, so that repeating a
        turn after a crash changes nothing but the log's record that the source was looked at.
        """
        with self._database.write() as session:
            fresh = _keep(session, turn, captures)
            matched = sum(len(capture.mentions) for capture in captures)
            _succeeded(_row(session, turn.source, turn.kind), turn, matched)
            ledger.append(session, [_polled(turn, matched=matched, fresh=len(fresh))])
            return Accepted(fresh, matched)

    def fail(
        self,
        name: str,
        kind: str,
        *,
        error: str,
        at: datetime,
        next_due_at: datetime,
        stopped: bool = False,
    ) -> SourceState:
        """Keep that the source could not be looked at, and when to try again."""
        with self._database.write() as session:
            row = _row(session, name, kind)
            row.failures += 1
            row.failing_since = row.failing_since or at
            row.last_attempt_at = at
            row.last_error = error
            row.stopped = stopped
            row.next_due_at = next_due_at
            leaf = entries.source_failed(
                at=at, source=name, failures=row.failures, error=error, stopped=stopped
            )
            ledger.append(session, [leaf])
            return source_state(row)

    def set_told(self, name: str, *, told: bool) -> None:
        """Remember whether the administrator knows that this source is broken."""
        with self._database.write() as session:
            row = session.get(SourceRow, name)
            if row:
                row.told = told

    def forget_cursors(self) -> None:
        """Let every source be read from its beginning: what is kept already stays as it is."""
        with self._database.write() as session:
            for row in session.exec(select(SourceRow)):
                row.cursor = None


def _row(session: Session, name: str, kind: str) -> SourceRow:
    row = session.get(SourceRow, name)
    if row is None:
        row = SourceRow(name=name, kind=kind)
        session.add(row)
    row.kind = kind
    return row


def _succeeded(row: SourceRow, turn: Turn, matched: int) -> None:
    row.cursor = turn.cursor
    row.note = turn.note
    row.first_success_at = row.first_success_at or turn.captured_at
    row.last_attempt_at = turn.started_at
    row.last_success_at = turn.captured_at
    row.next_due_at = turn.next_due_at
    row.failures = 0
    row.failing_since = None
    row.last_error = ""
    row.stopped = False
    row.polls += 1
    row.fetched += turn.fetched
    row.matched += matched


def _polled(turn: Turn, *, matched: int, fresh: int) -> Leaf:
    facts: dict[str, Any] = {
        "fetched": turn.fetched,
        "malformed": turn.malformed,
        "not_modified": turn.not_modified,
        "complete": turn.complete,
    }
    return entries.source_polled(
        at=turn.captured_at,
        source=turn.source,
        facts=facts,
        fresh=fresh,
        matched=matched,
        note=turn.note,
    )


def _keep(session: Session, turn: Turn, captures: Sequence[Capture]) -> tuple[int, ...]:
    """Store what is not known yet; the ids of its mentions, in the order in which they came."""
    captures = _without_forgotten(session, captures)
    posts, known = _known_posts(session, captures), _known_mentions(session, captures)
    fresh: list[tuple[Mention, PostRow, int, bool]] = []
    new: list[PostRow] = []
    for capture in captures:
        post = posts.get(_name(capture.post))
        if post is None:
            post = posts[_name(capture.post)] = _new_post(session, turn, capture)
            new.append(post)
        for mention in capture.mentions:
            if mention.key in known:
                continue
            known.add(mention.key)
            leaf = entries.mention_matched(
                at=turn.captured_at,
                post_entry=post.entry_index,
                mention=mention,
                first_look=capture.first_look,
            )
            (index,) = ledger.append(session, [leaf])
            fresh.append((mention, post, index, capture.first_look))
    session.flush()  # gives the posts their ids
    index_posts(session, new)
    rows = []
    for mention, post, index, first_look in fresh:
        assert post.id is not None
        rows.append(mention_row(mention, post.id, index, first_look=first_look))
    session.add_all(rows)
    session.flush()
    return tuple(row.id for row in rows if row.id is not None)


def _without_forgotten(session: Session, captures: Sequence[Capture]) -> Sequence[Capture]:
    """The captures without posts and mentions that were erased: those stay forgotten."""
    for capture in captures:
        for digest in capture.blobs:
            waiting = session.get(LeftoverRow, digest)
            if waiting is not None:
                session.delete(waiting)  # its bytes are wanted again
    key = forgotten_key(session)
    if key is None:
        return captures
    posts = known_marks(session, PostRow, (mark(key, *_name(each.post)) for each in captures))
    left = [each for each in captures if mark(key, *_name(each.post)) not in posts]
    names = (mark(key, *mention.key) for each in left for mention in each.mentions)
    mentions = known_marks(session, MentionRow, names)
    fresh = (
        replace(
            each,
            mentions=tuple(one for one in each.mentions if mark(key, *one.key) not in mentions),
        )
        for each in left
    )
    return [each for each in fresh if each.mentions]


_Name = tuple[str, str, str]
_AT_A_TIME = 500
"""Names asked for in one question: SQLite and PostgreSQL both bound the parameters of one."""


def _name(post: Post) -> _Name:
    return post.ref.platform, post.ref.native_id, post.version


def _names(captures: Sequence[Capture]) -> Iterator[list[_Name]]:
    names = list(dict.fromkeys(_name(capture.post) for capture in captures))
    for start in range(0, len(names), _AT_A_TIME):
        yield names[start : start + _AT_A_TIME]


def _known_posts(session: Session, captures: Sequence[Capture]) -> dict[_Name, PostRow]:
    place = tuple_(col(PostRow.platform), col(PostRow.native_id), col(PostRow.version))
    return {
        (row.platform, row.native_id, row.version): row
        for names in _names(captures)
        for row in session.exec(select(PostRow).where(place.in_(names)))
    }


def _known_mentions(
    session: Session, captures: Sequence[Capture]
) -> set[tuple[str, str, str, str]]:
    """The keys of the mentions of these posts that are stored (`Mention.key`)."""
    post = col(MentionRow.platform), col(MentionRow.native_id), col(MentionRow.version)
    target = col(MentionRow.target_kind), col(MentionRow.target_id)
    return {
        (row[0], row[1], row[2], f"{row[3]}:{row[4]}")
        for names in _names(captures)
        for row in session.connection().execute(
            sql_select(*post, *target).where(tuple_(*post).in_(names))
        )
    }


def _new_post(session: Session, turn: Turn, capture: Capture) -> PostRow:
    leaf = entries.post_captured(
        at=turn.captured_at,
        post=capture.post,
        source=turn.source,
        scope=capture.scope.value,
        raw_sha256=capture.raw_sha256,
        warc_sha256=capture.warc_sha256,
        first_seen_at=turn.started_at,
        clock=turn.clock,
        first_look=capture.first_look,
    )
    (index,) = ledger.append(session, [leaf])
    row = post_row(capture, turn, index)
    session.add(row)
    return row
