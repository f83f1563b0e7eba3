"""How long an export takes, and what part of it does: `python bench/export.py [MENTIONS]`.

One case on SQLite, in one process; half of the posts are short, some long, some with pictures for
letters that no built-in font has. The log holds a hundred thousand entries besides.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.measure import median_seconds, table
from monitor.evidence.leaf import Leaf
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.export.bundle import Exporter
from monitor.export.contents import Occasion, contents
from monitor.export.redact import show
from monitor.export.report import typeset
from monitor.export.request import Request
from monitor.export.wording import Speech
from monitor.model import (
    AlertKind,
    Author,
    Certainty,
    Cursor,
    Grade,
    Match,
    Mention,
    Post,
    PostField,
    PostRef,
    RawItem,
    Reason,
    Role,
    Scope,
    Severity,
    Target,
    TargetKind,
    Urgency,
)
from monitor.storage import schema
from monitor.storage.records import Addressee, Capture, Hearing, Judgement, Turn
from monitor.storage.store import Store

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
ORIGIN = "staff-mentions.hillview.example/log"
OTHERS = 100_000
WORDS = (
    "Mrs Orrell shouted at the whole class again and somebody should shut her up for good.",
    "Mrs Orrell is useless and everybody at Hillview knows it. " * 8,
    "so Mrs Orrell lost the register AGAIN \N{FACE WITH TEARS OF JOY}\N{CLOWN FACE}",
    "A long evening at the school. Mrs Orrell did not say a word about the trip. " * 40,
)
TARGET = Target(TargetKind.PERSON, "t-orrell")
HEAD = Addressee("holt", "Marian Holt", "head@hillview.example", ("mail",))


def fill(store: Store, vault: Vault, count: int) -> None:
    """One case of `count` mentions, and a log of other entries around it."""
    captures = []
    for number in range(count):
        words = WORDS[number % len(WORDS)] + f" ({number})"
        post = Post(
            PostRef("feed", f"p{number}"),
            words,
            url=f"https://forum.hillview.example/posts/{number}",
            author=Author("@gate", "A parent", "u-7"),
            published=AT + timedelta(minutes=number),
            raw=RawItem(words.encode() * 3, "application/rss+xml", 0),
        )
        match = Match(TARGET, PostField.TEXT, "title-surname", 0, 10, "Mrs Orrell", 0.9)
        mention = Mention(post, TARGET, Certainty.CERTAIN, (match,))
        assert post.raw is not None
        captures.append(
            Capture(post, vault.put(post.raw.content), (mention,), Scope.OPEN, first_look=False)
        )
    turn = Turn("forum", "feed", Cursor("c"), AT, AT, count, 0, False, True, AT, {})
    store.sources.accept(turn, captures)
    for waiting in store.judging.waiting(count):
        grade = Grade(Severity.ABUSIVE, model="m", reasons=(Reason(0, 4, "Mrs O", 0.5),))
        hearing = Hearing(AlertKind.CONCERN, "holt", Role.HEADTEACHER, Urgency.NOW, AT, False)
        judgement = Judgement(waiting.id, grade, (hearing,), {"holt": HEAD})
        store.judging.judge(judgement, at=AT + timedelta(hours=1))
    poll = Leaf("source.polled", AT, {"source": "news", "status": 304, "fresh": 0}, {})
    for _ in range(OTHERS // 10_000):
        store.log.append([poll] * 10_000)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/bench.sqlite3"
        schema.migrate(url)
        key, vault = SigningKey.generate(ORIGIN), Vault(folder / "vault")
        with closing(Store(url, mail_domain="hillview.example")) as store:
            store.log.open(ORIGIN, verifier=str(key.verifier), at=AT)
            fill(store, vault, count)
            measure(store, vault, key, folder / "case.zip", count)


def measure(store: Store, vault: Vault, key: SigningKey, path: Path, count: int) -> None:
    case = store.reading.cases()[0].reference
    speech = Speech({"holt": "Marian Holt"}, ZoneInfo("Europe/London"))
    occasion = Occasion(case, AT, "holt", "police", "Hillview", ORIGIN, str(key.verifier))
    exporter = Exporter(store, vault, key, speech)
    chosen = store.dossiers.of_case(case)
    assert chosen is not None
    assert len(chosen.mention_ids) == count

    def whole() -> None:
        found = store.dossiers.of_case(case)
        assert found is not None
        with path.open("wb") as file:
            exporter.write(Request(found, occasion), file)

    began = time.perf_counter()
    whole()
    first = time.perf_counter() - began
    entries = [show(each, frozenset()) for each in store.dossiers.entries(chosen.entries)]
    said = contents(entries, occasion, speech, ())
    report = typeset(said)
    choosing = median_seconds(lambda: store.dossiers.of_case(case), passes=3)
    total = median_seconds(whole, passes=3)
    print(f"A case of {count} mentions in a log of {store.log.head()[0]:,} entries, SQLite.\n")
    rows = [
        ["the first export of a process", f"{first:.2f} s"],
        ["a later one (median of three)", f"{total:.2f} s"],
        ["of it: finding what belongs to the case", f"{choosing:.2f} s"],
        ["entries in it", f"{len(entries):,}"],
        ["report", f"{len(report) / 1e6:.1f} MB"],
        ["ZIP", f"{path.stat().st_size / 1e6:.1f} MB"],
    ]
    table(["", "measured"], rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
