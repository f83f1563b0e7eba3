"""What belongs to a case or a mention is found whole, and nothing of another one with it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from monitor.evidence import entries
from monitor.evidence.log import inclusion_proof, verify_inclusion
from monitor.model import Author, Flag, Grade, Severity
from monitor.storage.dossier import Planned
from monitor.storage.store import Store


@pytest.fixture
def two_cases(store: Store, make: SimpleNamespace) -> Store:
    """Two posts about Mr Lowe by two authors, judged: two cases, 600 further entries between."""
    for number in (1, 2):
        post = make.post(number, "Mr Lowe", author=Author(f"@author{number}"))
        store.sources.accept(make.turn(), [make.capture(post)])
        for _ in range(3):
            store.log.append([entries.clock_stepped(at=make.now, seconds=n) for n in range(100)])
    for waiting in store.judging.waiting():
        store.judging.judge(make.judgement(waiting.id), at=make.now)
    return store


def kinds(store: Store, indices: tuple[int, ...]) -> list[str]:
    return [json.loads(each.content[1:])["kind"] for each in store.dossiers.entries(indices)]


def test_a_case_brings_its_own_entries_and_no_other_case_s(two_cases: Store) -> None:
    one = two_cases.dossiers.of_case("SM-2026-0001")
    two = two_cases.dossiers.of_case("SM-2026-0002")
    assert one is not None
    assert two is not None
    assert set(one.entries) & set(two.entries) == {0}
    found = kinds(two_cases, one.entries)
    for kind in ("post.captured", "mention.matched", "mention.graded", "case.opened"):
        assert found.count(kind) == 1, kind
    assert "alert.raised" in found
    assert "clock.stepped" not in found
    assert two_cases.dossiers.of_case("SM-2026-0003") is None
    assert two_cases.dossiers.of_case("nonsense") is None


def test_what_was_done_about_it_later_belongs_to_it(
    two_cases: Store, make: SimpleNamespace
) -> None:
    chosen = two_cases.dossiers.of_case("SM-2026-0001")
    assert chosen is not None
    two_cases.reading.note("SM-2026-0001", by="holt", text="rang", at=make.now)
    for what, entry in (
        ("SM-2026-0001", None),
        ("SM-2026-0002", None),
        ("mention", chosen.mentions[0]),
    ):
        leaf = entries.access(at=make.now, what=what, mention_entry=entry, by="holt", why="x")
        two_cases.log.append([leaf])
    later = two_cases.dossiers.of_case("SM-2026-0001")
    assert later is not None
    new = sorted(set(later.entries) - set(chosen.entries))
    assert kinds(two_cases, tuple(new)) == ["case.noted", "evidence.viewed", "evidence.viewed"]


def test_a_mention_that_is_not_there_is_none(two_cases: Store) -> None:
    assert two_cases.dossiers.of_mentions([1], "mention 1") is not None
    assert two_cases.dossiers.of_mentions([1, 77], "mentions") is None


def test_an_allegation_makes_what_holds_it_restricted(
    two_cases: Store, make: SimpleNamespace
) -> None:
    grade = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}), by="holt")
    judgement = make.judgement(1, grade=grade, restricted=True)
    two_cases.judging.regrade(1, judgement, at=make.now)
    of_one, of_two = (two_cases.dossiers.of_mentions([n], "mention") for n in (1, 2))
    assert of_one is not None
    assert of_two is not None
    assert (of_one.restricted, of_two.restricted) == (True, False)
    assert two_cases.dossiers.allegations([1, 2]) == {1}


def test_everything_about_a_person_is_found(two_cases: Store) -> None:
    assert two_cases.dossiers.about("desmond-lowe") == (1, 2)
    assert two_cases.dossiers.about("nobody") == ()
    opened = two_cases.dossiers.case_entries([1])
    assert set(kinds(two_cases, opened)) <= {"case.opened", "case.moved", "case.noted"}


def test_nodes_read_at_once_prove_what_nodes_read_one_by_one_prove(two_cases: Store) -> None:
    size, root = two_cases.log.head()
    planned = Planned()
    for index in range(0, size, 7):
        inclusion_proof(index, size, planned.ask)
    get_node = planned.found(two_cases.dossiers)
    for entry in two_cases.dossiers.entries(range(0, size, 7)):
        proof = inclusion_proof(entry.index, size, get_node)
        verify_inclusion(entry.leaf_hash, entry.index, size, proof, root)
