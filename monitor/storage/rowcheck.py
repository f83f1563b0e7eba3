"""Compares the rows that people read with the entries that were sealed about them.

Each row is turned into an entry again, and that must say what the sealed one says; so no column
that was sealed can be forgotten here. The rest (states, due times, which case) moves on with the
procedure, and each of its moves is an entry of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select as sa_select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col, select

from monitor.evidence import entries
from monitor.evidence.leaf import Json, Leaf, OpenedLeaf
from monitor.evidence.stamp import Token
from monitor.model import RawItem
from monitor.storage import ledger
from monitor.storage.casebook import case_reference
from monitor.storage.convert import stored_grade, stored_mention, stored_post
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    CaseRow,
    DeliveryRow,
    EntryRow,
    GradeRow,
    MentionRow,
    PictureRow,
    PostRow,
    StampRow,
)

_DESCRIBED: dict[str, Any] = {
    "post.captured": PostRow,
    "mention.matched": MentionRow,
    "mention.graded": GradeRow,
    "alert.raised": AlertRow,
    "case.opened": CaseRow,
    "case.noted": CaseNoteRow,
    "checkpoint.stamped": StampRow,
    "page.pictured": PictureRow,
}
"""The kinds of entry that are the beginning of a row, which names its entry."""

TABLES: Final = {kind: str(table.__tablename__) for kind, table in _DESCRIBED.items()}
"""The names of those tables."""

_PROGRAM = frozenset({"program"})

BLOCK = 1_000
"""So many entries, or ids, are read at once."""
KNOWN = 4 * BLOCK


class _Rows:
    """The rows about a stretch of the log, read a block at a time: entries come in order."""

    def __init__(self, session: Session, length: int) -> None:
        self._session = session
        self._length = length
        self._block = -1
        self._described: dict[type[SQLModel], dict[int, list[Any]]] = {}
        self._known: dict[type[SQLModel], dict[int, Any]] = {}

    def describing(self, table: Any, index: int) -> list[Any]:
        """The rows of a table that name this entry as their beginning."""
        if index // self._length != self._block:
            self._block = index // self._length
            self._described.clear()
        if table not in self._described:
            try:
                self._described[table] = self._about(table)
            except (
                DBAPIError,
                TypeError,
                ValueError,
            ):  # one row of the block cannot be read: is it this?
                return self._read(table, col(table.entry_index), index, index + 1)
        return self._described[table].get(index, [])

    def _about(self, table: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        start = self._block * self._length
        for row in self._read(table, col(table.entry_index), start, start + self._length):
            found.setdefault(row.entry_index, []).append(row)
        return found

    def get(self, table: Any, number: Any) -> Any:
        """The row with that id, or None; its neighbours, wanted next, are read with it."""
        if type(number) is not int:
            return None
        known = self._known.setdefault(table, {})
        if number not in known:
            if len(known) > KNOWN:
                known.clear()
            start = number - number % BLOCK
            try:
                near = self._read(table, col(table.id), start, start + BLOCK)
            except (DBAPIError, TypeError, ValueError):  # likewise
                near = self._read(table, col(table.id), number, number + 1)
            known |= {row.id: row for row in near}
        return known.get(number)

    def _read(self, table: Any, by: Any, start: int, stop: int) -> list[Any]:
        """Plain rows of a range: an object of the mapper for each would take most of the time."""
        query = sa_select(*table.__table__.columns).where(by >= start).where(by < stop)
        return list(self._session.connection().execute(query))


class RowCheck:
    """A check for `monitor.evidence.verify`: says what differs, or None where all agrees.

    Rows are read for so many entries at once as `length` says.
    """

    def __init__(self, session: Session, length: int = BLOCK) -> None:
        self._session = session
        self._rows = _Rows(session, length)
        self._block = -1
        self._strays: dict[int, str] = {}

    def __call__(self, leaf: OpenedLeaf, index: int) -> str | None:
        if index // BLOCK != self._block:
            self._block = index // BLOCK
            start = self._block * BLOCK
            self._strays = _strays(self._session, start, start + BLOCK)
        return self._strays.get(index) or self.compare(leaf, index)

    def compare(self, leaf: OpenedLeaf, index: int) -> str | None:
        """The rows that this entry describes; not those that name it and speak of another."""
        try:
            return self._compare(leaf, index)
        except DBAPIError as error:
            if not ledger.is_garbled(error):
                raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            pass  # which of them depends on what was written where
        return f"a row about this {leaf.kind} entry was changed: it cannot be read any more"

    def _compare(self, leaf: OpenedLeaf, index: int) -> str | None:
        table = _DESCRIBED.get(leaf.kind)
        found = self._rows.describing(table, index) if table else []
        if leaf.withheld:  # a withheld or erased entry says nothing to compare with
            return None
        if leaf.kind in _LATER:
            return _LATER[leaf.kind](self._rows, leaf)
        if table is None:
            return None
        if len(found) != 1:
            how_many = "is gone" if not found else "stands there twice"
            return f"the {_noun(table)} row that this entry describes {how_many}"
        return _AGAIN[leaf.kind](self._rows, found[0], leaf)


def _strays(session: Session, start: int, stop: int) -> dict[int, str]:
    """Rows that name an entry of this range which speaks of something else: nobody sealed them.

    The first of each kind that there is, by its entry.
    """
    found = {}
    for kind, table in _DESCRIBED.items():
        for index in session.exec(_naming(table, start, stop).where(col(EntryRow.kind) != kind)):
            found[index] = f"a {_noun(table)} row names this entry, which does not describe it"
    for marked in (PostRow, MentionRow):
        differs = col(marked.erased_by).is_distinct_from(col(EntryRow.erased_by))
        for index in session.exec(_naming(marked, start, stop).where(differs)):
            found[index] = f"the {_noun(marked)} row and this entry are not both marked as erased"
    return found


def _naming(table: Any, start: int, stop: int) -> Any:
    place = col(table.entry_index)
    query = select(place).join(EntryRow, col(EntryRow.index) == place)
    return query.where(place >= start).where(place < stop).order_by(place).limit(1)


def _noun(table: type[SQLModel]) -> str:
    return {"casefile": "case", "case_note": "note", "stamp": "time-stamp"}.get(
        str(table.__tablename__), str(table.__tablename__)
    )


def _differs(noun: str, row: Leaf, sealed: OpenedLeaf) -> str | None:
    """What a row would be sealed as now, against what was sealed."""
    # An entry of another release may have fields that this one does not write.
    for mine, theirs in ((row.public, sealed.public), (row.secret, sealed.secret)):
        for name in sorted((mine.keys() & theirs.keys()) - _PROGRAM):
            if mine[name] != theirs[name]:
                return _changed(noun, name.replace("_", " "))
    return None if row.at == sealed.at else _changed(noun, "time")


def _changed(noun: str, name: str) -> str:
    return f"the {noun} row was changed after it was sealed: its {name} differs"


def _post(rows: _Rows, row: PostRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    clock = leaf.public["clock"]
    if not isinstance(clock, dict):
        raise TypeError(clock)
    if row.clock_synchronised != clock.get("synchronised"):
        return _changed("post", "state of the clock")
    kept = stored_post(row)
    raw = RawItem(b"", row.raw_media_type, row.raw_offset)
    again = entries.post_captured(
        at=row.captured_at,
        post=replace(kept.post, raw=raw),
        source=row.source,
        scope=row.scope,
        raw_sha256=row.raw_sha256,
        warc_sha256=row.warc_sha256,
        first_seen_at=row.first_seen_at,
        clock=clock,
        first_look=bool(leaf.public["first_look"]),
    )
    # The version is kept as sealed, and worked out again from the words.
    return (
        _changed("post", "version")
        if row.version != kept.post.version
        else _differs("post", again, leaf)
    )


def _mention(rows: _Rows, row: MentionRow, leaf: OpenedLeaf) -> str | None:
    post = rows.get(PostRow, row.post_id)
    if post is None:
        return "the post row of this mention is gone"
    for name in ("platform", "native_id", "version"):
        if getattr(row, name) != getattr(post, name):
            return _changed("mention", name.replace("_", " "))
    again = entries.mention_matched(
        at=leaf.at,
        post_entry=post.entry_index,
        mention=stored_mention(row, stored_post(post)).mention,
        first_look=row.first_look,
    )
    return _differs("mention", again, leaf)


def _grade(rows: _Rows, row: GradeRow, leaf: OpenedLeaf) -> str | None:
    mention = rows.get(MentionRow, row.mention_id)
    if mention is None:
        return "the mention row of this grade is gone"
    again = entries.mention_graded(
        at=row.at, mention_entry=mention.entry_index, grade=stored_grade(row).grade, card={}
    )
    public = {name: value for name, value in again.public.items() if name != "card"}
    return _differs("grade", replace(again, public=public), leaf)


def _alert(rows: _Rows, row: AlertRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    assert row.id is not None
    again = entries.alert_raised(
        at=row.raised_at,
        alert=row.id,
        urgency=str(leaf.secret["urgency"]),
        kind=row.kind,
        reference=row.reference,
    )
    return _differs("alert", again, leaf)


def _case(rows: _Rows, row: CaseRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    again = entries.case_opened(at=row.opened_at, reference=case_reference(row))
    return _differs("case", again, leaf)


def _note(rows: _Rows, row: CaseNoteRow, leaf: OpenedLeaf) -> str | None:
    case = rows.get(CaseRow, row.case_id)
    if case is None:
        return "the case row of this note is gone"
    again = entries.case_noted(at=row.at, reference=case_reference(case), by=row.by, text=row.text)
    return _differs("note", again, leaf)


def _stamp(rows: _Rows, row: StampRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    token = Token(row.token, row.chain, row.at, row.expires_at)
    again = entries.checkpoint_stamped(
        at=row.received_at,
        size=row.checkpoint_size,
        authority=row.authority,
        stamped_at=token.at,
        expires_at=token.expires_at,
        token_sha256=token.response_sha256,
        chain_sha256=token.chain_sha256,
    )
    return _differs("time-stamp", again, leaf)


def _picture(rows: _Rows, row: PictureRow, leaf: OpenedLeaf) -> str | None:
    post = rows.get(PostRow, row.post_id)
    if post is None:
        return "the post row of this picture is gone"
    return _compare(
        "picture",
        ("post", post.entry_index, leaf.public["post_entry"]),
        ("digest", row.sha256, leaf.secret["picture_sha256"]),
        ("number of attempts", row.attempts, leaf.public["attempt"]),
    )


# --- what became of alerts and messages -------------------------------------------------------


def _acknowledged(rows: _Rows, leaf: OpenedLeaf) -> str | None:
    row = rows.get(AlertRow, leaf.public["alert"])
    if row is None:
        return "the alert row that this entry describes is gone"
    if row.answered_at is not None and row.answered_at > leaf.at:
        return None  # answered again since
    return _compare(
        "alert",
        ("time of the answer", row.answered_at, leaf.at),
        ("answerer", row.answered_by, leaf.secret["by"]),
        ("way of the answer", row.answered_how, leaf.public["how"]),
    )


def _attempted(rows: _Rows, leaf: OpenedLeaf) -> str | None:
    row = rows.get(DeliveryRow, leaf.public["delivery"])
    if row is None:
        return "the delivery row that this entry describes is gone"
    digest = hashlib.sha256((row.message_json or "").encode()).hexdigest()
    return _compare(
        "delivery",
        ("alert", row.alert_id, leaf.public["alert"]),
        ("channel", row.channel, leaf.public["channel"]),
        ("person", row.person, leaf.secret["person"]),
        ("recipient", row.recipient, leaf.secret["recipient"]),
        ("Message-ID", row.message_id, leaf.secret["message_id"]),
        ("message", digest, leaf.secret["message_sha256"]),
    )


def _settled(rows: _Rows, leaf: OpenedLeaf) -> str | None:
    row = rows.get(DeliveryRow, leaf.public["delivery"])
    if row is None:
        return "the delivery row that this entry describes is gone"
    if leaf.public["outcome"] == "later":
        return None  # what it says was overtaken by the next attempt
    said = row.receipt if leaf.kind == "delivery.taken" else row.last_error
    return _compare(
        "delivery",
        ("outcome", row.state, leaf.public["outcome"]),
        ("number of attempts", row.attempts, leaf.public["attempt"]),
        ("time of its end", row.finished_at, leaf.at),
        ("receipt", said, leaf.secret["said"]),
    )


def _compare(noun: str, *pairs: tuple[str, Json | datetime, Json | datetime]) -> str | None:
    for name, row, sealed in pairs:
        if row != sealed:
            return _changed(noun, name)
    return None


_AGAIN: dict[str, Callable[[_Rows, Any, OpenedLeaf], str | None]] = {
    "post.captured": _post,
    "mention.matched": _mention,
    "mention.graded": _grade,
    "alert.raised": _alert,
    "case.opened": _case,
    "case.noted": _note,
    "checkpoint.stamped": _stamp,
    "page.pictured": _picture,
}
_LATER: dict[str, Callable[[_Rows, OpenedLeaf], str | None]] = {
    "alert.acknowledged": _acknowledged,
    "delivery.attempted": _attempted,
    "delivery.taken": _settled,
    "delivery.failed": _settled,
}
COMPARED: Final = _AGAIN.keys() | _LATER.keys()
"""The kinds of entry that have rows to be compared with."""
