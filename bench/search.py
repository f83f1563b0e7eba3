"""A search and a list over a million kept mentions: `python bench/search.py [MENTIONS]`.

One real mention is kept through the program's own commits; a million more are copies of its rows
with other words, people, sources, times and grades, put in by the database's own means. SQLite, and
PostgreSQL where STAFF_MENTIONS_TEST_POSTGRES names a server.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, inspect, select, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import median_seconds, table
from bench.pipeline import DIGEST, HEAD, NOW, captures, postgres, sqlite, turn
from monitor.model import Flag, Grade, Severity
from monitor.storage import schema
from monitor.storage.records import Judgement
from monitor.storage.store import Store
from monitor.storage.tables import GradeRow, MentionRow, PostRow
from monitor.storage.wanted import Wanted

MENTIONS = 1_000_000
BATCH = 5_000
PEOPLE, SOURCES = 60, 40
RARE = "zyxomma"
"""Stands in one post in a hundred thousand, as an unusual surname or street does."""
SELDOM = "hers"
"""Stands in one post in seventy."""
LESS = "dealt"
"""Stands in one post in two hundred."""
TOGETHER = '"in to"'
"""Two words that one post in thirty holds, side by side in one in five hundred."""
ACCUSING = 2_000
"""One post in so many accuses somebody, and is on no list but that of those cleared for it."""
GRADES = ("neutral",) * 970 + ("abusive",) * 28 + ("threatening",) * 2


def words() -> Iterator[str]:
    """Posts of 12 to 30 words, common ones common (Zipf's law over some 4,000 words)."""
    known = files("monitor.data").joinpath("words.txt").read_text(encoding="utf-8").split()
    known = [word for word in known if word.isalpha()]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(known) + 1)))
    chance = random.Random(7)
    for number in itertools.count():
        said = chance.choices(known, cum_weights=weights, k=chance.randint(12, 30))
        if number % 100_000 == 500:
            said.append(RARE)
        yield " ".join(said)


def filled(store: Store, connection: Connection, count: int) -> None:
    """Keep one mention properly, then copies of its rows."""
    store.log.open("bench/log", verifier="bench", at=NOW)
    store.sources.accept(turn(1), captures(1))
    (first,) = store.judging.waiting()
    neutral = Judgement(first.id, Grade(Severity.NEUTRAL, model="bench"), (DIGEST,), {"holt": HEAD})
    store.judging.judge(neutral, at=NOW)
    post, mention, grade = (
        dict(connection.execute(select(inspect(each).local_table)).mappings().one())
        for each in (PostRow, MentionRow, GradeRow)
    )
    said, chance = words(), random.Random(9)
    for start in range(2, count + 2, BATCH):
        posts: list[dict[str, Any]] = []
        mentions: list[dict[str, Any]] = []
        grades: list[dict[str, Any]] = []
        for number in range(start, min(start + BATCH, count + 2)):
            own = {"native_id": f"n{number}"}
            at = NOW + timedelta(minutes=number)
            place = {"source": f"source-{number % SOURCES}", "captured_at": at}
            author = {"author_handle": f"@parent_{chance.randrange(5_000)}"}
            posts.append(post | own | place | author | {"id": number, "text": next(said)})
            target = {"target_id": f"person-{chance.randrange(PEOPLE)}"}
            mentions.append(mention | own | target | {"id": number, "post_id": number})
            decided: dict[str, Any] = {"severity": chance.choice(GRADES), "at": at}
            if number % ACCUSING == 0:
                decided["flags_json"] = f'["{Flag.ALLEGATION.value}"]'
            grades.append(grade | decided | {"id": number, "mention_id": number})
        for each, rows in ((PostRow, posts), (MentionRow, mentions), (GradeRow, grades)):
            connection.execute(insert(each), rows)
        connection.commit()
        print(f"{start:,} of {count:,}", end="\r", file=sys.stderr, flush=True)
    if connection.dialect.name == "sqlite":
        connection.execute(text("insert into post_words(post_words) values ('rebuild')"))
        connection.commit()
    else:
        for name in ("post", "mention", "grade", "casefile"):
            connection.execute(text(f"analyze {name}"))
    connection.commit()


def questions(store: Store) -> list[tuple[str, Callable[[], tuple[Any, ...]]]]:
    """What people ask, by what it is called in the table."""
    common = next(words()).split()
    often, pair = max(common, key=len), " ".join(common[:2])
    old, month = NOW + timedelta(minutes=200_000), timedelta(days=30)
    threat = Severity.THREATENING
    find, listed = store.search.find, store.reading.mentions
    return [
        ("a rare word", lambda: find(Wanted(RARE))),
        ("a word of many posts", lambda: find(Wanted(often))),
        ("two words, one after the other", lambda: find(Wanted(f'"{pair}"'))),
        ("two very common words side by side", lambda: find(Wanted(TOGETHER))),
        ("the same, abuse only", lambda: find(Wanted(TOGETHER, grade=Severity.ABUSIVE))),
        ("the same, about one person", lambda: find(Wanted(TOGETHER, person="person-7"))),
        ("a word of few posts", lambda: find(Wanted(SELDOM))),
        ("a word of few posts, threats only", lambda: find(Wanted(SELDOM, grade=threat))),
        ("a word of few posts, abuse only", lambda: find(Wanted(SELDOM, grade=Severity.ABUSIVE))),
        ("a word of fewer posts", lambda: find(Wanted(LESS))),
        ("a word of fewer posts, threats only", lambda: find(Wanted(LESS, grade=threat))),
        ("a word of fewer posts, abuse only", lambda: find(Wanted(LESS, grade=Severity.ABUSIVE))),
        ("a word of fewer posts, allegations", lambda: find(Wanted(LESS, restricted=True))),
        (
            "a common word, in one month years ago",
            lambda: find(Wanted(often, until=old + month, since=old)),
        ),
        ("a common word, until years ago", lambda: find(Wanted(often, until=old))),
        ("a common word, about one person", lambda: find(Wanted(often, person="person-7"))),
        (
            "a common word, threats only",
            lambda: find(Wanted(often, grade=Severity.THREATENING)),
        ),
        ("a common word, one author", lambda: find(Wanted(often, author="@parent_77"))),
        ("the newest fifty", lambda: listed(restricted=False)),
        (
            "the newest fifty threats",
            lambda: listed(severity=Severity.THREATENING, restricted=False),
        ),
        ("the newest fifty neutral", lambda: listed(severity=Severity.NEUTRAL, restricted=False)),
        ("the newest fifty allegations", lambda: listed(restricted=True)),
        ("a common word, allegations", lambda: find(Wanted(often, restricted=True))),
        ("the newest fifty about one person", lambda: listed(target="person-7", restricted=False)),
        ("the newest fifty of one source", lambda: listed(source="source-3", restricted=False)),
    ]


def measured(url: str, count: int) -> dict[str, tuple[float, int]]:
    """Milliseconds of each question, and how many it found."""
    schema.migrate(url)
    with closing(Store(url, mail_domain="bench.example")) as store:
        with store._database.engine.connect() as connection:  # noqa: SLF001 - rows by the million
            filled(store, connection, count)
        found = {}
        for name, ask in questions(store):
            found[name] = median_seconds(ask) * 1000, len(ask())
        return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MENTIONS
    with sqlite() as url:
        results = {"SQLite": measured(url, count)}
    if os.environ.get("STAFF_MENTIONS_TEST_POSTGRES"):
        with postgres() as url:
            results["PostgreSQL"] = measured(url, count)
    print(f"{count:,} mentions kept, each of a post of its own\n")
    rows = [
        [name, *(f"{result[name][0]:.1f} ms ({result[name][1]})" for result in results.values())]
        for name in results["SQLite"]
    ]
    table(["asked for (how many were found)", *results], rows)


if __name__ == "__main__":
    main()
