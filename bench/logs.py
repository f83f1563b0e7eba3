"""A school's log for the benches: entries and rows as the program makes them, put in in bulk.

Ten entries for each mention, as ten years of a school have them (a million mentions, ten million
entries): of a hundred mentions' thousand entries 615 say that a source was looked at or could not
be, 300 are posts, mentions and grades, each with its row, and 85 are what people and messages do.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from monitor.evidence import entries, warc
from monitor.evidence.checkpoint import Checkpoint, SigningKey, sign
from monitor.evidence.leaf import Leaf
from monitor.evidence.log import Frontier
from monitor.model import (
    Answer,
    Author,
    Certainty,
    Cursor,
    DateSource,
    DeliveryState,
    Grade,
    Match,
    Mention,
    Message,
    Post,
    PostField,
    PostRef,
    RawItem,
    Reason,
    Scope,
    Scores,
    Severity,
    Target,
    TargetKind,
)
from monitor.storage import ledger
from monitor.storage.convert import dump_message, grade_row, mention_row, post_row
from monitor.storage.engine import Database
from monitor.storage.records import Capture, Turn
from monitor.storage.tables import (
    AlertRow,
    CaseNoteRow,
    CaseRow,
    CheckpointRow,
    DeliveryRow,
)

START = datetime(2026, 9, 1, 8, 0, 7, 417_203, tzinfo=UTC)
ORIGIN = "staff-mentions.hillview.example/log"
ROUND = 1_000
"""Entries of a hundred mentions and all that goes with them, put in in one commit."""
STEP = timedelta(seconds=5, microseconds=417)
"""From one turn to the next, so that hardly two share their time."""
CARD = {
    "distrusted": "false",
    "insulting": "0.03",
    "model": '"' + "ab" * 32 + '"',
    "temperature": "1.31",
    "thresholds": '{"abusive": 0.31, "threatening": 0.12}',
    "tokenizer": '"' + "cd" * 32 + '"',
}
HEADERS = (
    ("cache-control", "max-age=300"),
    ("content-type", "application/rss+xml; charset=utf-8"),
    ("date", "Tue, 01 Sep 2026 08:00:00 GMT"),
    ("etag", '"5f3c-621a0b"'),
    ("last-modified", "Tue, 01 Sep 2026 07:58:11 GMT"),
    ("server", "nginx"),
)
ASKED = (("accept", "application/rss+xml"), ("user-agent", "staff-mentions/0.1"))


def words() -> Iterator[str]:
    """Posts of 12 to 60 words, common ones common (Zipf's law over 20,000 words)."""
    known = files("monitor.data").joinpath("words.txt").read_text(encoding="utf-8").split()
    known = [word for word in known if word.isalpha()][:20_000]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(known) + 1)))
    chance = random.Random(7)
    while True:
        yield " ".join(chance.choices(known, cum_weights=weights, k=chance.randint(12, 60)))


@dataclass(slots=True)
class _Writer:
    """What one round adds: leaves to the log, rows to the tables, blobs to the vault."""

    session: Session
    vault: Path
    frontier: Frontier
    at: datetime
    rows: dict[type[SQLModel], list[dict[str, Any]]]

    def seal(self, leaf: Leaf) -> int:
        (index,) = ledger.append(self.session, [leaf])
        return index

    def row(self, row: SQLModel) -> None:
        self.rows.setdefault(type(row), []).append(row.model_dump())

    def blob(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        shelf = self.vault / digest[:2]
        shelf.mkdir(parents=True, exist_ok=True)
        (shelf / digest).write_bytes(content)
        return digest


def build(database: Database, vault: Path, count: int, key: SigningKey) -> int:
    """Write a log of about `count` entries with its rows and blobs; how many entries there are."""
    said, chance, mentions = words(), random.Random(11), 0
    with database.write() as session:
        opened = entries.log_opened(at=START, origin=ORIGIN, verifier=str(key.verifier))
        ledger.append(session, [opened])
    rounds = max(1, count // ROUND)
    for number in range(rounds):
        at = START + timedelta(hours=number)
        with database.write() as session:
            writer = _Writer(session, vault, Frontier(), at, {})
            mentions = _round(writer, number, mentions, said, chance)
            session.flush()
            for table, rows in writer.rows.items():
                session.connection().execute(insert(table), rows)
        if number % 8 == 7 or number == rounds - 1:
            _sign(database, key, at)
        print(f"round {number + 1:,} of {rounds:,}", end="\r", file=sys.stderr, flush=True)
    with database.read() as session:
        return ledger.size(session)


def _sign(database: Database, key: SigningKey, at: datetime) -> None:
    with database.read() as session:
        size, root = ledger.root(session)
    with database.write() as session:
        note = sign(Checkpoint(ORIGIN, size, root), key)
        ledger.add_checkpoint(session, CheckpointRow(size=size, note=note, at=at))


def _round(
    writer: _Writer, number: int, mentions: int, said: Iterator[str], chance: random.Random
) -> int:
    for of_round in range(100):
        mentions += 1
        for _ in range(6):
            facts: dict[str, Any] = {
                "fetched": 20,
                "malformed": 0,
                "not_modified": False,
                "complete": True,
            }
            writer.at += STEP
            source = f"source-{chance.randrange(40)}"
            polled: dict[str, Any] = {"facts": facts, "fresh": 0, "matched": 0, "note": ""}
            writer.seal(entries.source_polled(at=writer.at, source=source, **polled))
        if of_round % 7 == 0:
            failed: dict[str, Any] = {
                "failures": 1,
                "error": "the server answered 503",
                "stopped": False,
            }
            writer.seal(entries.source_failed(at=writer.at, source="source-3", **failed))
        _mention(writer, mentions, next(said), chance)
    for each in range(11):
        _alert(writer, number * 11 + each + 1)
    for each in range(2):
        _case(writer, number * 2 + each + 1)
    looked: dict[str, Any] = {"mention_entry": None, "by": "holt", "why": ""}
    for _ in range(41):
        writer.seal(entries.access(at=writer.at, what="list of mentions", **looked))
    searched: dict[str, Any] = {
        "words": "heron",
        "restricted": False,
        "by": "holt",
        "why": "asked by a parent",
    }
    for _ in range(4):
        writer.seal(entries.searched(at=writer.at, **searched))
    return mentions


def _mention(writer: _Writer, number: int, text: str, chance: random.Random) -> None:
    at, address = writer.at, f"https://forum.hillview.example/posts/{number}"
    raw = f"<item><link>{address}</link><description>{text}</description></item>".encode()
    received = at - timedelta(seconds=1)
    post = Post(
        ref=PostRef("feed", address),
        text=text,
        url=address,
        title=" ".join(text.split()[:4]),
        author=Author(f"@parent_{chance.randrange(5_000)}", "A Parent"),
        published=at - timedelta(minutes=chance.randrange(600)),
        published_raw="Tue, 01 Sep 2026 07:51:00 GMT",
        dated_by=DateSource.PUBLISHED,
        raw=RawItem(raw, "application/rss+xml", chance.randrange(20_000)),
        answer=Answer(
            "https://forum.hillview.example/feed", 200, HEADERS, sha256(raw).hexdigest(),
            24_000, received, ASKED,
        ),
    )  # fmt: skip
    target = Target(TargetKind.PERSON, f"person-{chance.randrange(60)}")
    start = chance.randrange(30)
    match = Match(
        target, PostField.TEXT, "title-surname", start, start + 7, text[start : start + 7], 0.93,
        ("scope:school",),
    )  # fmt: skip
    mention = Mention(post, target, Certainty.CERTAIN, (match,))
    kept = writer.blob(raw), writer.blob(warc.captured(post, at=at))
    capture = Capture(post, kept[0], (mention,), Scope.OPEN, False, kept[1])
    turn = Turn(
        f"source-{number % 40}", "feed", Cursor("next"), at, at, 20, 0, False, True,
        at + timedelta(minutes=15), {"synchronised": True, "error_ms": 3, "how": "kernel"},
    )  # fmt: skip
    index = writer.seal(
        entries.post_captured(
            at=at,
            post=post,
            source=turn.source,
            scope=capture.scope.value,
            raw_sha256=kept[0],
            warc_sha256=kept[1],
            first_seen_at=at,
            clock=turn.clock,
            first_look=False,
        )
    )
    writer.row(_numbered(post_row(capture, turn, index), number))
    found = entries.mention_matched(at=at, post_entry=index, mention=mention, first_look=False)
    index = writer.seal(found)
    row = mention_row(mention, number, index, first_look=False)
    row.state = "judged"
    writer.row(_numbered(row, number))
    grade = _grade(text, chance)
    leaf = entries.mention_graded(at=at, mention_entry=index, grade=grade, card=CARD)
    writer.row(_numbered(grade_row(grade, number, at, writer.seal(leaf)), number))


def _numbered(row: Any, number: int) -> Any:
    row.id = number
    return row


def _grade(text: str, chance: random.Random) -> Grade:
    threatening, abusive = chance.random() / 10, chance.random() / 5
    pieces: Sequence[str] = text.split()[:3]
    reasons = tuple(
        Reason(at, at + len(word), word, chance.random())
        for word in pieces
        for at in (text.index(word),)
    )
    return Grade(
        Severity.NEUTRAL,
        scores=Scores(threatening, abusive, 1 - threatening - abusive),
        reasons=reasons,
        model="grader-" + "ab" * 8,
    )


def _alert(writer: _Writer, number: int) -> None:
    """A digest or an alert: raised, sent, taken, and one in four answered."""
    at = writer.at
    raised: dict[str, Any] = {
        "alert": number,
        "urgency": "digest",
        "kind": "digest",
        "reference": "",
    }
    index = writer.seal(entries.alert_raised(at=at, **raised))
    alert = AlertRow(
        id=number, key=f"digest:{number}", kind="digest", waits_for="", reference="",
        state="acknowledged", step=0, text="", raised_at=at, entry_index=index,
    )  # fmt: skip
    named, to = f"{number}@school.example", "head@school.example"
    message = dump_message(Message(named, to, "M Holt", "Digest", "words " * 200, "", False, at))
    sent: dict[str, Any] = {
        "person": "holt",
        "recipient": to,
        "message_id": named,
        "message_sha256": sha256(message.encode()).hexdigest(),
    }
    way: dict[str, Any] = {"alert": number, "channel": "mail", "attempt": 1}
    writer.seal(entries.delivery_attempted(at=at, delivery=number, secret=sent, **way))
    taken: dict[str, Any] = {
        "outcome": DeliveryState.TAKEN.value,
        "attempt": 1,
        "said": "250 2.0.0 Ok",
    }
    writer.seal(entries.delivery_settled(at=at, delivery=number, **taken))
    if number % 4 == 0:
        answered: dict[str, Any] = {"alert": number, "by": "holt", "how": "reply"}
        writer.seal(entries.alert_acknowledged(at=at, **answered))
        alert.answered_at, alert.answered_by, alert.answered_how = at, "holt", "reply"
    writer.row(alert)
    writer.row(
        DeliveryRow(
            id=number, alert_id=number, person="holt", role="headteacher", recipient=to,
            recipient_name="M Holt", channel="mail", step=0, urgency="digest", state="taken",
            due_at=at, attempts=1, created_at=at, message_id=named, message_json=message,
            finished_at=at, receipt="250 2.0.0 Ok",
        )
    )  # fmt: skip


def _case(writer: _Writer, number: int) -> None:
    at, reference = writer.at, f"SM-{writer.at.year}-{number:04d}"
    index = writer.seal(entries.case_opened(at=at, reference=reference))
    writer.row(
        CaseRow(
            id=number, year=at.year, number=number, state="open", restricted=False,
            opened_at=at, entry_index=index,
        )
    )  # fmt: skip
    said: dict[str, Any] = {
        "by": "holt",
        "text": "Rang the parent; it was taken down the same day.",
    }
    index = writer.seal(entries.case_noted(at=at, reference=reference, **said))
    writer.row(CaseNoteRow(id=number, case_id=number, at=at, entry_index=index, **said))
