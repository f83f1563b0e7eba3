"""What may be read is found by its words; what may not, and what was erased, is not."""

from __future__ import annotations

import itertools
import random
import time
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.model import AlertKind, Author, Flag, Grade, Severity, Urgency
from monitor.storage import schema, search, search_postgres
from monitor.storage.listing import newest
from monitor.storage.search import MOST_CHARACTERS, phrases
from monitor.storage.store import Store
from monitor.storage.wanted import Wanted

NEUTRAL = Grade(Severity.NEUTRAL, model="constant")
ABUSE = Grade(Severity.ABUSIVE, model="constant")
ALLEGATION = Grade(Severity.NEUTRAL, flags=frozenset({Flag.ALLEGATION}), model="constant")


def keep(
    store: Store, make: SimpleNamespace, number: int, words: str, grade: Grade | None = NEUTRAL
) -> int:
    (kept,) = store.sources.accept(make.turn(), [make.capture(make.post(number, words))]).fresh
    if grade is not None:
        restricted = Flag.ALLEGATION in grade.flags
        store.judging.judge(make.judgement(kept, grade=grade, restricted=restricted), at=make.now)
    return int(kept)


def found(store: Store, words: str, **narrow: object) -> list[int]:
    return [each.id for each, _ in store.search.find(Wanted(words, **narrow))]  # type: ignore[arg-type]


def test_all_words_have_to_occur_and_phrases_stand_together(
    store: Store, make: SimpleNamespace
) -> None:
    first = keep(store, make, 1, "The heron stole a golden carp")
    second = keep(store, make, 2, "A carp, golden as the heron")
    assert found(store, "HERON carp") == [second, first]
    assert found(store, '"golden carp"') == [first]
    assert found(store, "heron penguin") == []


def test_each_filter_narrows(store: Store, make: SimpleNamespace) -> None:
    mild = keep(store, make, 1, "a heron")
    rude = keep(store, make, 2, "a heron again", ABUSE)
    assert found(store, "heron", grade=Severity.ABUSIVE) == [rude]
    assert found(store, "heron", person="desmond-lowe") == [rude, mild]
    assert found(store, "heron", person="chloe-barr") == []
    assert found(store, "heron", source="gazette", author="@gate_mum") == [rude, mild]
    assert found(store, "heron", source="elsewhere") == []
    assert found(store, "heron", author="somebody") == []
    later = make.now + timedelta(days=1)
    assert found(store, "heron", since=later) == []
    assert found(store, "heron", since=make.now, until=later) == [rude, mild]
    case = store.reading.cases()[0].reference
    assert rude in found(store, "heron", case=case)
    assert found(store, "heron", case="SM-1999-0001") == []


@pytest.mark.parametrize("common", [1, 5_000])
def test_a_common_word_and_a_rare_one_are_found_in_their_own_ways_and_alike(
    store: Store, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    for each in (search, search_postgres):
        monkeypatch.setattr(each, "COMMON", common)
    mild, rude = keep(store, make, 1, "a heron"), keep(store, make, 2, "a heron again", ABUSE)
    hidden = keep(store, make, 3, "a heron and a child", ALLEGATION)
    keep(store, make, 4, "a golden carp", ABUSE)
    later = make.now + timedelta(days=1)
    for narrow, wanted in (
        ({"grade": Severity.ABUSIVE}, [rude]),
        ({"person": "desmond-lowe", "source": "gazette"}, [rude, mild]),
        ({"author": "@gate_mum"}, [rude, mild]),
        ({"since": make.now, "until": later}, [rude, mild]),
        ({"until": make.now}, []),
        ({"restricted": True}, [hidden]),
        ({"grade": Severity.ABUSIVE, "person": "chloe-barr"}, []),
    ):
        assert found(store, "heron", **narrow) == wanted, narrow


EVER = 10**9
WAYS = {
    "by the index of words": (EVER, EVER, EVER, EVER),
    "by the words that stand side by side": (1, 1, EVER, EVER),
    "by what narrows, each tried": (1, 1, EVER, 0),
    "by what narrows, too few tried": (1, EVER, 3, 0),
}
"""What stands for COMMON, MANY, WALK and PAIRED, so that a search goes each way."""


def holds(words: str, text: str) -> bool:
    if words.startswith('"'):
        return f" {words.strip(chr(34))} " in f" {text} "
    return set(words.split()) <= set(text.split())


@pytest.mark.parametrize("way", WAYS)
def test_every_way_finds_what_reading_everything_finds(
    store: Store, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in zip(("COMMON", "MANY", "WALK", "PAIRED"), WAYS[way], strict=True):
        for room in (search, search_postgres):
            monkeypatch.setattr(room, name, value, raising=room is search_postgres)
    chance = random.Random(5)
    for number in range(30):
        said = chance.choices(["heron", "carp", "golden", "egret"], [9, 4, 2, 1], k=4)
        author = Author(f"@{chance.choice('ab')}", "A parent")
        post = make.post(number, " ".join(said), title="", thread="", author=author)
        people = chance.sample([make.person(), make.person("chloe-barr")], chance.choice([1, 1, 2]))
        turn = make.turn(chance.choice(["gazette", "forum"]), make.now + timedelta(hours=number))
        for each in store.sources.accept(turn, [make.capture(post, *people)]).fresh:
            grade = chance.choice([NEUTRAL, NEUTRAL, ABUSE, ALLEGATION])
            hidden = Flag.ALLEGATION in grade.flags
            quiet = make.hearing(urgency=Urgency.DIGEST)
            store.judging.judge(
                make.judgement(each, quiet, grade=grade, restricted=hidden), at=make.now
            )
    everything = {
        restricted: store.reading.mentions(limit=1_000, restricted=restricted)
        for restricted in (True, False)
    }
    kept = store.reading.mentions(limit=1_000)
    split = [stored.id for rows in everything.values() for stored, _ in rows]
    assert sorted(split) == sorted(stored.id for stored, _ in kept)
    later = make.now + timedelta(hours=15)
    for words, person, source, handle, severity, since, restricted, limit in itertools.product(
        ("heron", "golden carp", '"golden heron"'),
        ("", "chloe-barr"),
        ("", "forum"),
        ("", "@b"),
        (None, Severity.ABUSIVE),
        (None, later),
        (False, True),
        (3, 50),
    ):
        expected = [
            stored.id
            for stored, judged in everything[restricted]
            if holds(words, stored.mention.post.text)
            if person in {"", stored.mention.target.id}
            if source in {"", stored.kept.source}
            if handle in {"", stored.mention.post.author.handle}
            if severity is None or (judged is not None and judged.grade.severity is severity)
            if since is None or stored.kept.captured_at >= since
        ]
        wanted = Wanted(
            words, person, source, handle, severity, since, restricted=restricted, limit=limit
        )
        told = [stored for stored, _ in store.search.find(wanted)]
        assert len(told) == min(limit, len(expected)), wanted
        # Which of two mentions of one post comes first depends on what is asked first.
        posts = [next(s.kept.id for s, _ in everything[restricted] if s.id == e) for e in expected]
        assert [each.kept.id for each in told] == posts[:limit], wanted
        assert {each.id for each in told} <= set(expected), wanted


@pytest.mark.parametrize(
    "narrow",
    [
        {"grade": Severity.ABUSIVE},
        {"person": "chloe-barr"},
        {"source": "forum"},
        {"author": "@b"},
        {"restricted": True},
    ],
)
def test_a_rare_word_leads_to_its_posts_and_nothing_else_does(
    sqlite_store: Store, narrow: dict[str, Any]
) -> None:
    """Begun with all abuse, a search for a rare word would read the index of words for each."""
    with sqlite_store._database.read() as session:
        query = search._in_sqlite(session, [["heron"]], Wanted("heron", **narrow), None)
        written = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = session.connection().exec_driver_sql(f"explain query plan {written}").all()
    assert plan[0].detail.startswith("SCAN post_words")


def test_allegations_are_found_first_and_not_looked_for_among_all(sqlite_store: Store) -> None:
    with sqlite_store._database.read() as session:
        query = newest(severity=None, target=None, source=None, restricted=True)
        written = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = session.connection().exec_driver_sql(f"explain query plan {written}").all()
    assert plan[0].detail.startswith("SEARCH mention USING INTEGER PRIMARY KEY")


def test_a_list_and_a_search_show_the_grade_that_stands(
    store: Store, make: SimpleNamespace
) -> None:
    first = keep(store, make, 1, "a heron", ABUSE)
    store.judging.regrade(first, make.judgement(first, grade=NEUTRAL), at=make.now)
    assert found(store, "heron", grade=Severity.ABUSIVE) == []
    for rows in (store.reading.mentions(severity=Severity.NEUTRAL), store.search.find(Wanted("a"))):
        ((stored, grade),) = rows
        assert stored.id == first
        assert grade is not None
        assert grade.grade.severity is Severity.NEUTRAL
    assert store.reading.mentions(severity=Severity.ABUSIVE) == ()


def test_an_allegation_is_found_only_by_those_who_ask_for_allegations(
    store: Store, make: SimpleNamespace
) -> None:
    open_one = keep(store, make, 1, "a heron")
    hidden = keep(store, make, 2, "a heron and a child", ALLEGATION)
    assert found(store, "heron") == [open_one]
    assert found(store, "heron", restricted=True) == [hidden]


@pytest.mark.parametrize(
    "words",
    [
        "",
        '"',
        '""',
        "heron AND",
        "NEAR(heron, 2)",
        "text:heron",
        "heron*",
        "-heron ^ ( )",
        "';drop table post;--",
        "heron\0",
        "heron & | ! <-> :*",
        "\\",
        "%_",
        '"' * 2000,
        "x " * 50_000,
    ],
)
def test_hostile_words_break_nothing(store: Store, make: SimpleNamespace, words: str) -> None:
    keep(store, make, 1, "a heron")
    found(store, words)
    assert found(store, "heron") != []


@pytest.mark.postgres
def test_a_long_post_is_marked_in_a_moment_and_the_ends_of_its_phrases_are_found(
    postgres_url: str,
    signing_key: SigningKey,
    make: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neighbours are found by a join, which must not compare each word with each."""
    for name, value in (("COMMON", 1), ("PAIRED", EVER)):
        monkeypatch.setattr(search_postgres, name, value)
    long = " ".join(f"w{number:x}" for number in range(14_000))
    with closing(Store(postgres_url, mail_domain="school.example")) as store:
        store.log.open(make.origin, verifier=str(signing_key.verifier), at=make.now)
        began = time.monotonic()
        kept = keep(store, make, 1, f"the heron of {long} a golden carp")
        assert time.monotonic() - began < 15
        for phrase in ('"heron of w0 w1"', '"a golden carp"', '"w100 w101" "golden carp"'):
            assert found(store, phrase) == [kept]
        for phrase in ('"w101 w100"', '"heron carp"', '"golden carp" "carp golden"'):
            assert found(store, phrase) == []


def test_what_is_asked_is_bounded() -> None:
    asked = phrases("word " * MOST_CHARACTERS)
    assert sum(map(len, asked)) == 32


def test_a_post_of_a_million_different_words_is_still_kept(
    store: Store, make: SimpleNamespace
) -> None:
    words = "heron " + " ".join(f"w{number:x}" for number in range(150_000))
    kept = keep(store, make, 1, words)
    assert found(store, "heron") == [kept]


def test_erased_words_are_not_found(store: Store, make: SimpleNamespace, vault: Vault) -> None:
    gone, stays = keep(store, make, 1, "a heron", None), keep(store, make, 2, "a heron", None)
    for each in (gone, stays):
        quiet = make.hearing(AlertKind.DIGEST, urgency=Urgency.DIGEST)
        store.judging.judge(make.judgement(each, quiet, grade=NEUTRAL), at=make.now)
    store.erasing.erase([gone], reason="asked", by="holt", at=make.now, basis="person")
    assert store.erasing.settle(vault)
    assert found(store, "heron") == [stays]


def test_what_was_kept_before_the_words_stood_in_a_column_is_found(
    postgres_url: str, signing_key: SigningKey, make: SimpleNamespace, vault: Vault
) -> None:
    """PostgreSQL as revision 0007 left it, with the index over the words alone."""
    with closing(Store(postgres_url, mail_domain="school.example")) as store:
        store.log.open(make.origin, verifier=str(signing_key.verifier), at=make.now)
        kept = keep(store, make, 1, "The heron stole a golden carp")
        with store._database.engine.begin() as connection:
            connection.exec_driver_sql("alter table post drop column post_words")
            connection.exec_driver_sql(
                "create index ix_post_words on post using gin (to_tsvector('simple',"
                " left(title || ' ' || text || ' ' || thread || ' ' || author_handle || ' ' ||"
                " author_name, 100000)))"
            )
            connection.exec_driver_sql("update alembic_version set version_num = '0007'")
    assert schema.migrate(postgres_url) == ("0007", schema.head())
    with closing(Store(postgres_url, mail_domain="school.example")) as store:
        assert found(store, '"golden carp"') == [kept]
        assert found(store, '"carp golden"') == []
        make.verified(store, vault)
