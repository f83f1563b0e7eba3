"""Every kind of entry that the service seals, and which of its fields are salted commitments.

Public fields stay readable for ever and therefore name nobody; whatever could point at a person
(text, author, target, address, digests of text) is secret: committed to with a salt, opened by its
disclosure, and forgotten for good by destroying both (docs/evidence-format.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from monitor import __version__
from monitor.evidence.checkpoint import SigningKey, hand_over
from monitor.evidence.leaf import Json, Leaf
from monitor.model import Answer, Grade, Mention, Post


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None


def _decimal(number: float) -> str:
    return f"{number:.6f}"


def _answer(answer: Answer | None) -> Json:
    if answer is None:
        return None
    asked = [[name, value] for name, value in answer.request or ()]
    return ({"request": asked} if answer.request is not None else {}) | {
        "url": answer.url,
        "status": answer.status,
        "headers": [[name, value] for name, value in answer.headers],
        "sha256": answer.sha256,
        "size": answer.size,
        "received_at": _time(answer.received_at),
    }


def log_opened(*, at: datetime, origin: str, verifier: str) -> Leaf:
    """The first entry of every log, with the key that signs its checkpoints."""
    public: dict[str, Json] = {"origin": origin, "verifier": verifier, "program": __version__}
    return Leaf("log.opened", at, public, {})


def config_changed(*, at: datetime, digest: str, why: str) -> Leaf:
    """That the configuration in force changed; `digest` leaves out every secret."""
    return Leaf("config.changed", at, {"why": why, "program": __version__}, {"digest": digest})


def roster_changed(
    *, at: datetime, kind: str, school: str, person: str, by: str, because: str
) -> Leaf:
    """That somebody was added to or taken off the roster, by whom and why."""
    secret: dict[str, Json] = {"person": person, "by": by, "because": because}
    return Leaf("roster.changed", at, {"change": kind, "school": school}, secret)


def source_polled(
    *, at: datetime, source: str, facts: Mapping[str, Json], fresh: int, matched: int, note: str
) -> Leaf:
    """That a source was looked at; "found nothing" is this entry with zeros."""
    public: dict[str, Json] = {"source": source, **facts, "matched": matched, "fresh": fresh}
    return Leaf("source.polled", at, public, {"note": note} if note else {})


def source_failed(*, at: datetime, source: str, failures: int, error: str, stopped: bool) -> Leaf:
    """That a source could not be looked at: never the same fact as finding nothing."""
    public: dict[str, Json] = {"source": source, "failures": failures, "stopped": stopped}
    return Leaf("source.failed", at, public, {"error": error})


def post_captured(
    *,
    at: datetime,
    post: Post,
    source: str,
    scope: str,
    raw_sha256: str,
    warc_sha256: str,
    first_seen_at: datetime,
    clock: Mapping[str, Json],
    first_look: bool,
) -> Leaf:
    """What arrived, where it stood, and every time that is known of it (procedure section 6)."""
    public: dict[str, Json] = {
        "platform": post.ref.platform,
        "source": source,
        "scope": scope,
        "first_seen_at": _time(first_seen_at),
        "captured_at": _time(at),
        "clock": dict(clock),
        "first_look": first_look,
        "program": __version__,
    }
    secret: dict[str, Json] = {
        "native_id": post.ref.native_id,
        "version": post.version,
        "url": post.url,
        "title": post.title,
        "text": post.text,
        "thread": post.thread,
        "author": {
            "handle": post.author.handle,
            "name": post.author.name,
            "native_id": post.author.native_id,
            "url": post.author.url,
        },
        "published": {
            "at": _time(post.published),
            "as_given": post.published_raw,
            "field": post.dated_by.value,
        },
        "media_urls": list(post.media_urls),
        "answer": _answer(post.answer),
        "raw_sha256": raw_sha256,
        "warc_sha256": warc_sha256,
        "raw_media_type": post.raw.media_type if post.raw else "",
        "raw_offset": post.raw.offset if post.raw else None,
    }
    return Leaf("post.captured", at, public, secret)


def mention_matched(*, at: datetime, post_entry: int, mention: Mention, first_look: bool) -> Leaf:
    """Whom the post is about, by which rule and on which characters."""
    public: dict[str, Json] = {
        "post_entry": post_entry,
        "certainty": mention.certainty.value,
        "first_look": first_look,
    }
    matches: list[Json] = [
        {
            "field": match.field.value,
            "rule": match.rule,
            "start": match.start,
            "end": match.end,
            "text": match.text,
            "confidence": _decimal(match.confidence),
            "context": list(match.context),
        }
        for match in mention.matches
    ]
    target = {"kind": mention.target.kind.value, "id": mention.target.id}
    return Leaf("mention.matched", at, public, {"target": target, "matches": matches})


FAINT = "~"
"""Stands before a flag that the grader saw, but not surely enough to disturb somebody."""


def flag_marks(grade: Grade) -> list[str]:
    """The flags of a grade as they are written down, faint ones marked."""
    return sorted(f"{FAINT if flag in grade.faint else ''}{flag.value}" for flag in grade.flags)


PROGRAM = ("model", "second-opinion")
"""Who grades beside people: the grader, and whoever was asked for a second opinion."""


def mention_graded(
    *, at: datetime, mention_entry: int, grade: Grade, card: Mapping[str, str]
) -> Leaf:
    """A judgement, the program's or a person's, with all that is needed to make it again.

    Flags are secret because one of them, `allegation`, may be known only to those cleared for it;
    so is the grade itself, which the flag decides in part.
    """
    by_person = grade.by not in PROGRAM
    scores: Json = None
    if grade.scores:
        scores = {
            "threatening": _decimal(grade.scores.threatening),
            "abusive": _decimal(grade.scores.abusive),
            "neutral": _decimal(grade.scores.neutral),
        }
    public: dict[str, Json] = {
        "mention_entry": mention_entry,
        "by": "person" if by_person else grade.by,
        "model": grade.model,
        "card": dict(card),
    }
    secret: dict[str, Json] = {
        "severity": grade.severity.value,
        "unsure": grade.unsure,
        "scores": scores,
        "flags": list(flag_marks(grade)),
        "reasons": [
            {"start": r.start, "end": r.end, "text": r.text, "weight": _decimal(r.weight)}
            for r in grade.reasons
        ],
        "person": grade.by if by_person else "",
        "note": grade.note,
    }
    return Leaf("mention.graded", at, public, secret)


def opinion_asked(
    *, at: datetime, mention_entry: int, grade_entry: int, model: str, server: str, told: str
) -> Leaf:
    """That another model is about to be told of a mention: which, where, and every word of it."""
    public: dict[str, Json] = {
        "mention_entry": mention_entry,
        "grade_entry": grade_entry,
        "model": model,
    }
    return Leaf("opinion.asked", at, public, {"server": server, "told": told})


def opinion_given(
    *, at: datetime, mention_entry: int, asked_entry: int, found: Mapping[str, Json]
) -> Leaf:
    """What became of the question: the answer word for word, or why it counts as none."""
    public: dict[str, Json] = {"mention_entry": mention_entry, "asked_entry": asked_entry}
    return Leaf("opinion.given", at, public, dict(found))


def corrections_exported(*, at: datetime, mention_entries: list[int], by: str, why: str) -> Leaf:
    """That these mentions left as labelled texts without names; written before they do."""
    public: dict[str, Json] = {"mention_entries": list(mention_entries)}
    return Leaf("corrections.exported", at, public, {"by": by, "why": why})


def case_opened(*, at: datetime, reference: str) -> Leaf:
    """That mentions which belong together got a number."""
    return Leaf("case.opened", at, {"reference": reference}, {})


def case_moved(*, at: datetime, reference: str, state: str, by: str, why: str) -> Leaf:
    """That a person changed the state of a case."""
    public: dict[str, Json] = {"reference": reference, "state": state}
    return Leaf("case.moved", at, public, {"by": by, "why": why})


def case_noted(*, at: datetime, reference: str, by: str, text: str) -> Leaf:
    """What a person wrote about a case."""
    return Leaf("case.noted", at, {"reference": reference}, {"by": by, "text": text})


def alert_raised(*, at: datetime, alert: int, urgency: str, kind: str, reference: str) -> Leaf:
    """The decision that somebody must know; its kind is secret as a flag is."""
    public: dict[str, Json] = {"alert": alert}
    secret: dict[str, Json] = {"about": kind, "urgency": urgency, "reference": reference}
    return Leaf("alert.raised", at, public, secret)


def alert_acknowledged(*, at: datetime, alert: int, by: str, how: str) -> Leaf:
    """That a person answered."""
    return Leaf("alert.acknowledged", at, {"alert": alert, "how": how}, {"by": by})


def delivery_attempted(
    *,
    at: datetime,
    delivery: int,
    alert: int,
    channel: str,
    attempt: int,
    secret: Mapping[str, Json],
) -> Leaf:
    """That a message is about to be sent: to whom, and the digest of its words."""
    public: dict[str, Json] = {
        "delivery": delivery,
        "alert": alert,
        "channel": channel,
        "attempt": attempt,
    }
    return Leaf("delivery.attempted", at, public, dict(secret))


def delivery_settled(*, at: datetime, delivery: int, outcome: str, attempt: int, said: str) -> Leaf:
    """What became of an attempt: taken, later, bounced or given up."""
    kind = "delivery.taken" if outcome == "taken" else "delivery.failed"
    public: dict[str, Json] = {"delivery": delivery, "outcome": outcome, "attempt": attempt}
    return Leaf(kind, at, public, {"said": said})


def looked_again(*, at: datetime, post_entry: int, presence: str, note: str) -> Leaf:
    """What a second look at a captured post found."""
    public: dict[str, Json] = {"post_entry": post_entry, "presence": presence}
    return Leaf("post.looked-at-again", at, public, {"note": note})


def page_pictured(
    *, at: datetime, post_entry: int, attempt: int, secret: Mapping[str, Json]
) -> Leaf:
    """That a picture of the post's page was taken: where it stood, what drew it, its digest."""
    public: dict[str, Json] = {"post_entry": post_entry, "attempt": attempt}
    return Leaf("page.pictured", at, public, dict(secret))


def page_not_pictured(
    *, at: datetime, post_entry: int, attempt: int, given_up: bool, why: str
) -> Leaf:
    """That a picture was tried for and did not come; `given_up`: nobody tries again."""
    public: dict[str, Json] = {
        "post_entry": post_entry,
        "attempt": attempt,
        "given_up": given_up,
    }
    return Leaf("page.not-pictured", at, public, {"why": why})


def access(*, at: datetime, what: str, mention_entry: int | None, by: str, why: str) -> Leaf:
    """That somebody looked at what is kept; written before it is shown (chain of custody)."""
    return Leaf(
        "evidence.viewed",
        at,
        {"what": what, "mention_entry": mention_entry},
        {"by": by, "why": why},
    )


def clock_stepped(*, at: datetime, seconds: float) -> Leaf:
    """That the wall clock moved against the monotonic one by this much."""
    return Leaf("clock.stepped", at, {"seconds": _decimal(seconds)}, {})


def record_erased(*, at: datetime, erased: list[int], basis: str, by: str, reason: str) -> Leaf:
    """That the disclosures of earlier entries were destroyed: which, on what basis, who and why."""
    public: dict[str, Json] = {"entries": list(erased), "basis": basis}
    return Leaf("record.erased", at, public, {"by": by, "reason": reason})


def record_held(
    *, at: datetime, reference: str, mention_entry: int | None, by: str, why: str
) -> Leaf:
    """That nothing of a case or a mention may be erased until it is released."""
    public: dict[str, Json] = {"reference": reference, "mention_entry": mention_entry}
    return Leaf("record.held", at, public, {"by": by, "why": why})


def record_released(
    *, at: datetime, reference: str, mention_entry: int | None, by: str, why: str
) -> Leaf:
    """That a hold was ended."""
    public: dict[str, Json] = {"reference": reference, "mention_entry": mention_entry}
    return Leaf("record.released", at, public, {"by": by, "why": why})


def case_kept_until(*, at: datetime, reference: str, until: str, by: str, why: str) -> Leaf:
    """Until which day a case is kept, as a person decided."""
    public: dict[str, Json] = {"reference": reference, "until": until}
    return Leaf("case.kept-until", at, public, {"by": by, "why": why})


def searched(*, at: datetime, words: str, restricted: bool, by: str, why: str) -> Leaf:
    """That somebody searched what is kept; written before anything that was found is shown."""
    secret: dict[str, Json] = {"words": words, "by": by, "why": why}
    return Leaf("evidence.searched", at, {"restricted": restricted}, secret)


def checkpoint_stamped(
    *,
    at: datetime,
    size: int,
    authority: str,
    stamped_at: datetime,
    expires_at: datetime,
    token_sha256: str,
    chain_sha256: str,
) -> Leaf:
    """That an authority signed the time of a checkpoint; the tokens are named by their digests.

    A later checkpoint covers this entry, so a later time-stamp keeps the older token's word alive
    after the certificate behind it has expired.
    """
    public: dict[str, Json] = {
        "checkpoint": size,
        "authority": authority,
        "stamped_at": _time(stamped_at),
        "expires_at": _time(expires_at),
        "token_sha256": token_sha256,
        "chain_sha256": chain_sha256,
    }
    return Leaf("checkpoint.stamped", at, public, {})


def log_backed_up(*, at: datetime, by: str) -> Leaf:
    """That a copy of everything is about to leave; the copy holds this entry."""
    return Leaf("log.backed-up", at, {"program": __version__}, {"by": by})


def log_restored(
    *,
    at: datetime,
    made_at: str,
    size: int,
    lost_until: int | None,
    compared: bool,
    by: str,
    why: str,
) -> Leaf:
    """The first entry after a restore: this log goes on from a backup of `size` entries.

    Lost are the entries from `size` up to, not including, `lost_until`; None: nobody knows, because
    there was nothing to compare with (`compared` is false).
    """
    public: dict[str, Json] = {
        "backup_made_at": made_at,
        "size": size,
        "lost_until": lost_until,
        "compared": compared,
        "program": __version__,
    }
    return Leaf("log.restored", at, public, {"by": by, "why": why})


def checkpoint_cosigned(*, at: datetime, size: int, witness: str, cosigned_at: datetime) -> Leaf:
    """That a witness's tool signed that it saw a checkpoint; `witness` is the name of its key."""
    public: dict[str, Json] = {
        "checkpoint": size,
        "witness": witness,
        "cosigned_at": _time(cosigned_at),
    }
    return Leaf("checkpoint.cosigned", at, public, {})


def key_changed(*, at: datetime, old: SigningKey, new: SigningKey, by: str, why: str) -> Leaf:
    """That the old signing key handed the log over to the new one; both have signed that."""
    return Leaf("key.changed", at, hand_over(old, new), {"by": by, "why": why})
