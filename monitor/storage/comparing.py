"""What a row would be sealed as now, beside the entry that was sealed about it.

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

from monitor.evidence import entries
from monitor.evidence.leaf import Json, Leaf, OpenedLeaf
from monitor.evidence.stamp import Token
from monitor.model import RawItem
from monitor.storage.casebook import case_reference
from monitor.storage.convert import stored_grade, stored_mention, stored_post
from monitor.storage.neighbours import Rows
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    CaseRow,
    DeliveryRow,
    GradeRow,
    MentionRow,
    PictureRow,
    PostRow,
    StampRow,
)

_PROGRAM = frozenset({"program"})


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


def _post(rows: Rows, row: PostRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
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


def _mention(rows: Rows, row: MentionRow, leaf: OpenedLeaf) -> str | None:
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


def _grade(rows: Rows, row: GradeRow, leaf: OpenedLeaf) -> str | None:
    mention = rows.get(MentionRow, row.mention_id)
    if mention is None:
        return "the mention row of this grade is gone"
    again = entries.mention_graded(
        at=row.at, mention_entry=mention.entry_index, grade=stored_grade(row).grade, card={}
    )
    public = {name: value for name, value in again.public.items() if name != "card"}
    return _differs("grade", replace(again, public=public), leaf)


def _alert(rows: Rows, row: AlertRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    assert row.id is not None
    again = entries.alert_raised(
        at=row.raised_at,
        alert=row.id,
        urgency=str(leaf.secret["urgency"]),
        kind=row.kind,
        reference=row.reference,
    )
    return _differs("alert", again, leaf)


def _case(rows: Rows, row: CaseRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
    again = entries.case_opened(at=row.opened_at, reference=case_reference(row))
    return _differs("case", again, leaf)


def _note(rows: Rows, row: CaseNoteRow, leaf: OpenedLeaf) -> str | None:
    case = rows.get(CaseRow, row.case_id)
    if case is None:
        return "the case row of this note is gone"
    again = entries.case_noted(at=row.at, reference=case_reference(case), by=row.by, text=row.text)
    return _differs("note", again, leaf)


def _stamp(rows: Rows, row: StampRow, leaf: OpenedLeaf) -> str | None:  # noqa: ARG001 - one shape for all
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


def _picture(rows: Rows, row: PictureRow, leaf: OpenedLeaf) -> str | None:
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


def _acknowledged(rows: Rows, leaf: OpenedLeaf) -> str | None:
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


def _attempted(rows: Rows, leaf: OpenedLeaf) -> str | None:
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


def _settled(rows: Rows, leaf: OpenedLeaf) -> str | None:
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


AGAIN: Final[dict[str, Callable[[Rows, Any, OpenedLeaf], str | None]]] = {
    "post.captured": _post,
    "mention.matched": _mention,
    "mention.graded": _grade,
    "alert.raised": _alert,
    "case.opened": _case,
    "case.noted": _note,
    "checkpoint.stamped": _stamp,
    "page.pictured": _picture,
}
"""By the kind of an entry that is the beginning of a row: what differs between the two, or None."""
LATER: Final[dict[str, Callable[[Rows, OpenedLeaf], str | None]]] = {
    "alert.acknowledged": _acknowledged,
    "delivery.attempted": _attempted,
    "delivery.taken": _settled,
    "delivery.failed": _settled,
}
"""The same for what is sealed later about a row, which the entry names by its number."""
