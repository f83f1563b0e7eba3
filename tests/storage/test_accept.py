"""accept: what matched, its entries and the cursor are one commit, and a repeat changes nothing."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import Cursor
from monitor.storage import ledger
from monitor.storage.store import Store

Make = Any


def kinds(store: Store) -> list[str]:
    with store.log.reading() as view:
        return [
            str(entry.content.split(b'"kind":"')[1].split(b'"')[0].decode())
            for entry in view.entries()
        ]


def test_a_batch_is_kept_with_its_cursor(store: Store, make: Make, vault: Vault) -> None:
    post = make.post()
    capture = make.capture(post, make.person(), make.person("chloe-barr"), vault=vault)
    accepted = store.sources.accept(make.turn(), [capture])
    assert accepted.matched == len(accepted.fresh) == 2
    assert store.sources.state("gazette", "feed").cursor == Cursor("next")
    assert kinds(store) == [
        "log.opened",
        "post.captured",
        "mention.matched",
        "mention.matched",
        "source.polled",
    ]
    make.verified(store, vault)


def test_what_is_read_back_is_what_was_given(store: Store, make: Make, vault: Vault) -> None:
    post = make.post()
    (number,) = store.sources.accept(make.turn(), [make.capture(post, vault=vault)]).fresh
    stored = store.reading.mention(number)
    assert stored is not None
    # Raw bytes live in the vault, not in the row.
    assert stored.mention.post == type(post)(
        **{name: getattr(post, name) for name in post.__slots__ if name != "raw"}
    )
    assert stored.mention.target == make.person()
    assert stored.mention.matches == make.mention(post).matches
    assert stored.kept.captured_at == make.now
    assert stored.kept.clock_synchronised is True
    assert vault.get(stored.kept.raw_sha256) == post.raw.content


def test_repeating_a_batch_changes_nothing_but_that_it_was_looked_at(
    store: Store, make: Make, vault: Vault
) -> None:
    captures = [make.capture(make.post(n), vault=vault) for n in range(3)]
    first = store.sources.accept(make.turn(), captures)
    before = kinds(store)
    again = store.sources.accept(make.turn(at=make.now + timedelta(minutes=15)), captures)
    assert len(first.fresh) == 3
    assert again.fresh == ()
    assert again.matched == 3
    assert kinds(store) == [*before, "source.polled"]
    assert store.reading.counts().mentions == 3
    make.verified(store, vault)


def test_one_batch_may_hold_the_same_post_twice(store: Store, make: Make, vault: Vault) -> None:
    capture = make.capture(make.post(), vault=vault)
    assert len(store.sources.accept(make.turn(), [capture, capture]).fresh) == 1


def test_an_edit_is_a_new_version(store: Store, make: Make, vault: Vault) -> None:
    for words in ("Mr Lowe was late", "Mr Lowe was late again"):
        capture = make.capture(make.post(1, words), vault=vault)
        assert len(store.sources.accept(make.turn(), [capture]).fresh) == 1
    first, second = store.reading.post_of("feed", "post-1")
    assert (first.edited, second.edited) == (False, True)
    assert first.post.text == "Mr Lowe was late"
    make.verified(store, vault)


def test_a_target_found_later_is_one_more_mention_of_the_same_post(
    store: Store, make: Make, vault: Vault
) -> None:
    post = make.post()
    store.sources.accept(make.turn(), [make.capture(post, vault=vault)])
    both = make.capture(post, make.person(), make.person("chloe-barr"), vault=vault)
    assert len(store.sources.accept(make.turn(), [both]).fresh) == 1
    assert store.reading.counts().posts == 1
    make.verified(store, vault)


@pytest.mark.parametrize("fault_at", [1, 2, 3, 4, 7])
def test_a_fault_in_the_middle_keeps_nothing_of_the_batch(
    store: Store, make: Make, vault: Vault, monkeypatch: pytest.MonkeyPatch, fault_at: int
) -> None:
    store.sources.accept(make.turn(cursor=Cursor("before")), [])
    before = kinds(store), store.sources.state("gazette", "feed"), store.log.head()
    left = [fault_at]
    honest = ledger.append

    def failing(session: Any, leaves: Any) -> list[int]:
        left[0] -= 1
        if left[0] == 0:
            raise EvidenceError("the disk is full")
        return honest(session, leaves)

    monkeypatch.setattr(ledger, "append", failing)
    captures = [make.capture(make.post(n), vault=vault) for n in range(3)]
    with pytest.raises(EvidenceError):
        store.sources.accept(make.turn(), captures)
    monkeypatch.undo()
    assert (kinds(store), store.sources.state("gazette", "feed"), store.log.head()) == before
    assert store.reading.counts().posts == 0
    assert len(store.sources.accept(make.turn(), captures).fresh) == 3
    make.verified(store, vault)


HARD = {
    "astral": "Mr Lowe 🔪🐷 \U0001d57f\U0001d58e tock",
    "right to left": "Mr Lowe \u202e\u0645\u0631\u062d\u0628\u0627",
    "quotes": 'Mr Lowe\'); drop table mention; --\\ "%s" {0}',
    "line ends": "Mr Lowe\r\n\u2028\u0085end",
    "a megabyte": "Mr Lowe " + "é🔪" * 300_000,
    "not normalised": "Mr Lowe cafe\u0301 \ufeff\ufffe\uffff",
}


@pytest.mark.parametrize("words", HARD.values(), ids=HARD.keys())
def test_every_text_comes_back_as_it_was(
    store: Store, make: Make, vault: Vault, words: str
) -> None:
    (number,) = store.sources.accept(
        make.turn(), [make.capture(make.post(1, words), vault=vault)]
    ).fresh
    stored = store.reading.mention(number)
    assert stored is not None
    assert stored.mention.post.text == words
    make.verified(store, vault)


def test_two_writers_at_once_keep_one_log_in_one_order(
    database_url: str, store: Store, make: Make, vault: Vault
) -> None:
    turns, writers = 8, 4
    start = threading.Barrier(writers)
    faults: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with closing(Store(database_url, mail_domain="school.example")) as mine:
                start.wait()
                for n in range(turns):
                    # Half of the posts are the same for all: only one of them may keep each.
                    number = f"{name}-{n}" if n % 2 else f"shared-{n}"
                    mine.sources.accept(
                        make.turn(name), [make.capture(make.post(number), vault=vault)]
                    )
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            faults.append(error)

    threads = [threading.Thread(target=write, args=(f"s{n}",)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.reading.counts().mentions == turns // 2 + writers * turns // 2
    assert make.verified(store, vault).size == store.log.head()[0]


def test_a_reader_sees_one_moment_while_others_write(
    store: Store, make: Make, vault: Vault
) -> None:
    store.sources.accept(make.turn(), [make.capture(make.post(), vault=vault)])
    with store.log.reading() as view:
        entries = view.entries()
        next(entries)
        store.sources.accept(make.turn(), [make.capture(make.post(2), vault=vault)])
        seen = 1 + sum(1 for _ in entries)
        assert view.head()[0] == seen < store.log.head()[0]


def test_a_failure_is_another_fact_than_finding_nothing(store: Store, make: Make) -> None:
    store.sources.accept(make.turn(fetched=0), [])
    state = store.sources.fail(
        "gazette", "feed", error="time-out", at=make.now, next_due_at=make.now
    )
    assert (state.failures, state.failing_since, state.cursor) == (1, make.now, Cursor("next"))
    assert kinds(store)[-2:] == ["source.polled", "source.failed"]
    store.sources.accept(make.turn(), [])
    assert store.sources.state("gazette", "feed").failing_since is None
