"""What people regraded leaves without names, once a person has looked; the log says so first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.export.corrections import NICKNAME, Anonymiser, gather, write
from monitor.grading.question import Question, spans_of
from monitor.grading.reading import read
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Alias, Person, Roster, School
from monitor.model import Flag, Grade, Post, PostRef, Scope, Severity
from monitor.storage.records import Capture
from monitor.storage.store import Store
from training.corrections import corrections

Regrade = Callable[..., tuple[int, ...]]
ROSTER = Roster(
    (
        School(
            "thornleigh",
            "Thornleigh Academy",
            places=("Dunnowby",),
            staff=(
                Person("lowe", "Desmond Lowe", "Mr", (Alias("Lowlife Lowe", insulting=True),)),
                Person("barr", "Chloe Barr", "Miss", handles=("missbarr",)),
            ),
        ),
    )
)
INSULTING = frozenset({("lowe", "lowlife lowe")})
MATCHER = Matcher(ROSTER)
OWN = Grade(Severity.ABUSIVE, flags=frozenset({Flag.PILE_ON}), by="holt", note="it was meant")


@pytest.fixture
def regraded(sqlite_store: Store, vault: Vault, make: SimpleNamespace) -> Regrade:
    """Keep, judge and regrade a post; the ids of its mentions."""

    def keep(text: str, own: Grade | None = OWN, **more: Any) -> tuple[int, ...]:
        number = sqlite_store.reading.counts().posts
        post = Post(PostRef("feed", f"p{number}"), text, **more)
        mentions = MATCHER.match(post, scope=Scope.SCHOOL, source_school="thornleigh")
        capture = Capture(post, vault.put(text.encode()), mentions, Scope.SCHOOL, first_look=False)
        ids = sqlite_store.sources.accept(make.turn(), [capture]).fresh
        for each in ids:
            model = Grade(Severity.NEUTRAL, model="plain")
            sqlite_store.judging.judge(make.judgement(each, grade=model), at=make.now)
            if own is not None:
                again = make.judgement(each, grade=own)
                sqlite_store.judging.regrade(each, again, at=make.now)
        return ids

    return keep


def rows(store: Store, *more: str) -> list[dict[str, object]]:
    return [each.row for each in gather(store, Anonymiser(ROSTER, INSULTING, more))]


def test_a_correction_names_nobody_and_keeps_what_was_said(
    sqlite_store: Store, regraded: Regrade
) -> None:
    regraded(
        "Mr Lowe and Chloe Barr told jayden at 14 Elm Road to ring 01632 960 001, what a muppet",
        title="Thornleigh Academy, again: Lowe",
        thread="ask @gate_mum at https://forum.example/1",
    )
    found = gather(sqlite_store, Anonymiser(ROSTER, INSULTING))
    (lowe,) = (each for each in found if each.row["text"].startswith("Mx Person"))
    assert lowe.row == {
        "text": "Mx Person and Mx Colleague told Mx Other at an address to ring a telephone number,"
        " what a muppet",
        "title": "the school, again: Mx Person",
        "thread": "ask @somebody at a link",
        "mention": "Mx Person",
        "label": "abusive",
        "flags": ["pile-on"],
        "scope": "school",
        "was": "neutral",
    }
    assert lowe.doubtful == ()


def test_what_is_welded_to_a_name_is_read_as_before(sqlite_store: Store, regraded: Regrade) -> None:
    text = "everyone follow #SackMrLowe now"
    regraded(text)
    (row,) = rows(sqlite_store)
    masked = str(row["text"])
    before = read(Question(text, spans_of(text, "MrLowe")), lambda _: True)
    after = read(Question(masked, spans_of(masked, "Mx Person")), lambda _: True)
    assert after.text.replace("# ", "") == before.text.replace("# ", "")


def test_only_what_a_person_graded_last_is_a_correction(
    sqlite_store: Store, regraded: Regrade
) -> None:
    regraded("Mr Lowe was late", own=None)
    regraded("Mr Lowe was late", own=Grade(Severity.ABUSIVE, by="second-opinion"))
    assert rows(sqlite_store) == []


def test_an_allegation_stays_out(sqlite_store: Store, regraded: Regrade) -> None:
    regraded(
        "Mr Lowe was late",
        own=Grade(Severity.ABUSIVE, by="holt", flags=frozenset({Flag.ALLEGATION})),
    )
    assert rows(sqlite_store) == []


def test_what_may_be_a_name_is_listed_until_it_is_masked(
    sqlite_store: Store, regraded: Regrade
) -> None:
    regraded("Mr Lowe and the Grimbleton lot")
    (found,) = gather(sqlite_store, Anonymiser(ROSTER, INSULTING))
    assert found.doubtful == ("Grimbleton",)
    (found,) = gather(sqlite_store, Anonymiser(ROSTER, INSULTING, ("grimbleton",)))
    assert (found.row["text"], found.doubtful) == ("Mx Person and the Mx Other lot", ())


def test_an_insulting_nickname_is_looked_at_first(sqlite_store: Store, regraded: Regrade) -> None:
    regraded("seen Lowlife Lowe in town")
    (found,) = gather(sqlite_store, Anonymiser(ROSTER, INSULTING))
    assert NICKNAME in found.doubtful
    assert "owlife" not in str(found.row)


def test_the_entry_is_in_the_log_before_the_file_and_belongs_to_its_mentions(
    sqlite_store: Store,
    regraded: Regrade,
    tmp_path: Path,
    make: SimpleNamespace,
) -> None:
    (mention,) = regraded("Mr Lowe was late")
    found = gather(sqlite_store, Anonymiser(ROSTER, INSULTING))
    path = tmp_path / "corrections.jsonl"
    index = write(sqlite_store, path, found, by="holt", why="asked", now=lambda: make.now)
    assert sqlite_store.log.entry(index).public["mention_entries"] == [found[0].mention_entry]
    chosen = sqlite_store.dossiers.of_mentions([mention], "x")
    assert chosen is not None
    assert index in chosen.entries
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["text"] == "Mx Person was late"
    with pytest.raises(EvidenceError):
        write(sqlite_store, path, found, by="holt", why="asked", now=lambda: make.now)


def test_training_takes_what_was_written(
    sqlite_store: Store,
    regraded: Regrade,
    tmp_path: Path,
    make: SimpleNamespace,
) -> None:
    regraded("Mr Lowe was late", thread="Where is Lowe?")
    path = tmp_path / "ours.jsonl"
    found = gather(sqlite_store, Anonymiser(ROSTER, INSULTING))
    write(sqlite_store, path, found, by="holt", why="asked", now=lambda: make.now)
    (row,) = corrections(path)
    assert (row.grade, row.mention, row.file) == ("abusive", "Mx Person", "ours")
    assert row.flags == row.known_flags == {"pile-on"}
    assert row.thread == "Where is Mx Person?"


@pytest.mark.parametrize(
    "line",
    [
        {"text": "Mx Person", "mention": "Mx Person", "label": "rude"},
        {"text": "Mx Person", "mention": "Mx Person", "label": "neutral", "flags": ["odd"]},
        {"text": "nobody", "mention": "Mx Person", "label": "neutral"},
    ],
)
def test_training_refuses_what_is_no_correction(line: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "ours.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match="ours, line 1"):
        corrections(path)
