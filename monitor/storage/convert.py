"""Rows to nouns and back; every JSON column is written and read here and nowhere else."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from monitor.evidence import entries
from monitor.model import (
    AlertKind,
    AlertState,
    Answer,
    Author,
    Certainty,
    Cursor,
    DateSource,
    DeliveryState,
    Flag,
    Grade,
    GradingState,
    Match,
    Mention,
    Message,
    Post,
    PostField,
    PostRef,
    Reason,
    Role,
    Scope,
    Scores,
    Severity,
    Target,
    TargetKind,
    Urgency,
)
from monitor.storage.records import (
    Capture,
    SourceState,
    StoredAlert,
    StoredDelivery,
    StoredGrade,
    StoredMention,
    StoredPost,
    Turn,
)
from monitor.storage.tables import (
    AlertRow,
    DeliveryRow,
    GradeRow,
    MentionRow,
    PostRow,
    SourceRow,
)


def dump(value: Any) -> str:
    """Canonical JSON: the same value is always the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _identity(row_id: int | None) -> int:
    assert row_id is not None, "a row was read before it was stored"
    return row_id


def post_row(capture: Capture, turn: Turn, entry_index: int) -> PostRow:
    post, author = capture.post, capture.post.author
    return PostRow(
        platform=post.ref.platform,
        native_id=post.ref.native_id,
        version=post.version,
        source=turn.source,
        url=post.url,
        title=post.title,
        text=post.text,
        thread=post.thread,
        author_handle=author.handle,
        author_name=author.name,
        author_native_id=author.native_id,
        author_url=author.url,
        published=post.published,
        published_raw=post.published_raw,
        dated_by=post.dated_by.value,
        media_urls_json=dump(list(post.media_urls)),
        raw_sha256=capture.raw_sha256,
        warc_sha256=capture.warc_sha256,
        raw_media_type=post.raw.media_type if post.raw else "",
        raw_offset=post.raw.offset if post.raw else None,
        answer_json=_dump_answer(post.answer),
        first_seen_at=turn.started_at,
        captured_at=turn.captured_at,
        clock_synchronised=_synchronised(turn),
        scope=capture.scope.value,
        entry_index=entry_index,
    )


def _synchronised(turn: Turn) -> bool | None:
    found = turn.clock.get("synchronised")
    return found if isinstance(found, bool) else None


def _dump_answer(answer: Answer | None) -> str:
    if answer is None:
        return "null"
    return dump(
        {
            "url": answer.url,
            "status": answer.status,
            "headers": [list(pair) for pair in answer.headers],
            "sha256": answer.sha256,
            "size": answer.size,
            "received_at": answer.received_at.isoformat(),
            "request": None if answer.request is None else [list(pair) for pair in answer.request],
        }
    )


def _load_answer(text: str) -> Answer | None:
    found = json.loads(text)
    if found is None:
        return None
    asked = found.get("request")
    return Answer(
        url=found["url"],
        status=found["status"],
        headers=tuple((name, value) for name, value in found["headers"]),
        sha256=found["sha256"],
        size=found["size"],
        received_at=datetime.fromisoformat(found["received_at"]),
        request=None if asked is None else tuple((name, value) for name, value in asked),
    )


def stored_post(row: PostRow, *, edited: bool = False) -> StoredPost:
    post = Post(
        ref=PostRef(row.platform, row.native_id),
        text=row.text,
        url=row.url,
        title=row.title,
        author=Author(row.author_handle, row.author_name, row.author_native_id, row.author_url),
        thread=row.thread,
        published=row.published,
        published_raw=row.published_raw,
        dated_by=DateSource(row.dated_by),
        media_urls=tuple(json.loads(row.media_urls_json)),
        answer=_load_answer(row.answer_json),
    )
    return StoredPost(
        id=_identity(row.id),
        post=post,
        source=row.source,
        scope=Scope(row.scope),
        first_seen_at=row.first_seen_at,
        captured_at=row.captured_at,
        clock_synchronised=row.clock_synchronised,
        raw_sha256=row.raw_sha256,
        entry_index=row.entry_index,
        edited=edited,
    )


def dump_matches(mention: Mention) -> str:
    return dump(
        [
            {
                "field": match.field.value,
                "rule": match.rule,
                "start": match.start,
                "end": match.end,
                "text": match.text,
                "confidence": match.confidence,
                "context": list(match.context),
            }
            for match in mention.matches
        ]
    )


def mention_row(
    mention: Mention, post_id: int, entry_index: int, *, first_look: bool
) -> MentionRow:
    platform, native_id, version, _target = mention.key
    return MentionRow(
        post_id=post_id,
        platform=platform,
        native_id=native_id,
        version=version,
        target_kind=mention.target.kind.value,
        target_id=mention.target.id,
        certainty=mention.certainty.value,
        matches_json=dump_matches(mention),
        first_look=first_look,
        state=GradingState.ACCEPTED.value,
        entry_index=entry_index,
    )


def target_of(row: MentionRow) -> Target:
    return Target(TargetKind(row.target_kind), row.target_id)


def stored_mention(row: MentionRow, kept: StoredPost) -> StoredMention:
    target = target_of(row)
    matches = tuple(
        Match(
            target=target,
            field=PostField(found["field"]),
            rule=found["rule"],
            start=found["start"],
            end=found["end"],
            text=found["text"],
            confidence=found["confidence"],
            context=tuple(found["context"]),
        )
        for found in json.loads(row.matches_json)
    )
    return StoredMention(
        id=_identity(row.id),
        kept=kept,
        mention=Mention(kept.post, target, Certainty(row.certainty), matches),
        first_look=row.first_look,
        state=GradingState(row.state),
        case_id=row.case_id,
        entry_index=row.entry_index,
    )


def grade_row(grade: Grade, mention_id: int, at: datetime, entry_index: int) -> GradeRow:
    scores = grade.scores
    return GradeRow(
        mention_id=mention_id,
        severity=grade.severity.value,
        unsure=grade.unsure,
        scores_json=dump([scores.threatening, scores.abusive, scores.neutral] if scores else None),
        flags_json=dump(entries.flag_marks(grade)),
        reasons_json=dump([[r.start, r.end, r.text, r.weight] for r in grade.reasons]),
        by=grade.by,
        model=grade.model,
        note=grade.note,
        at=at,
        entry_index=entry_index,
    )


def stored_grade(row: GradeRow) -> StoredGrade:
    scores, marks = json.loads(row.scores_json), json.loads(row.flags_json)
    grade = Grade(
        severity=Severity(row.severity),
        unsure=row.unsure,
        scores=Scores(*scores) if scores else None,
        flags=frozenset(Flag(mark.removeprefix(entries.FAINT)) for mark in marks),
        faint=frozenset(Flag(mark[1:]) for mark in marks if mark.startswith(entries.FAINT)),
        reasons=tuple(Reason(*reason) for reason in json.loads(row.reasons_json)),
        by=row.by,
        model=row.model,
        note=row.note,
    )
    return StoredGrade(_identity(row.id), row.mention_id, grade, row.at, row.entry_index)


def source_state(row: SourceRow) -> SourceState:
    return SourceState(
        name=row.name,
        kind=row.kind,
        cursor=None if row.cursor is None else Cursor(row.cursor),
        first_success_at=row.first_success_at,
        last_attempt_at=row.last_attempt_at,
        last_success_at=row.last_success_at,
        next_due_at=row.next_due_at,
        failures=row.failures,
        failing_since=row.failing_since,
        last_error=row.last_error,
        note=row.note,
        stopped=row.stopped,
        told=row.told,
        polls=row.polls,
        fetched=row.fetched,
        matched=row.matched,
    )


def stored_alert(row: AlertRow) -> StoredAlert:
    return StoredAlert(
        id=_identity(row.id),
        key=row.key,
        kind=AlertKind(row.kind),
        reference=row.reference,
        state=AlertState(row.state),
        step=row.step,
        text=row.text,
        raised_at=row.raised_at,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        answered_how=row.answered_how,
    )


def dump_message(message: Message) -> str:
    return dump(
        {
            "message_id": message.message_id,
            "recipient": message.recipient,
            "recipient_name": message.recipient_name,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "urgent": message.urgent,
            "created_at": message.created_at.isoformat(),
        }
    )


def load_message(text: str) -> Message:
    found = json.loads(text)
    found["created_at"] = datetime.fromisoformat(found["created_at"])
    return Message(**found)


def stored_delivery(row: DeliveryRow) -> StoredDelivery:
    return StoredDelivery(
        id=_identity(row.id),
        alert_id=row.alert_id,
        person=row.person,
        role=Role(row.role),
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        channel=row.channel,
        step=row.step,
        urgency=Urgency(row.urgency),
        state=DeliveryState(row.state),
        due_at=row.due_at,
        attempts=row.attempts,
        created_at=row.created_at,
        message_id=row.message_id,
        message=load_message(row.message_json) if row.message_json else None,
        last_error=row.last_error,
        finished_at=row.finished_at,
        receipt=row.receipt,
        escalated=row.escalated,
    )
