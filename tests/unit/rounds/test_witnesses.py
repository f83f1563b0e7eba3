"""Once a week the people outside get the checkpoint, word for word and about nobody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.briefing import Briefing
from monitor.evidence import entries
from monitor.evidence.checkpoint import Checkpoint, open_note, sign
from monitor.evidence.leaf import Leaf
from monitor.evidence.note import SigningKey
from monitor.people.audience import Audience
from monitor.storage.store import Store
from monitor.testing import FakeClock
from monitor.witnessing import Witnesses

Make = Any
WITNESSES = [
    {"name": "Abena Osei", "email": "chair@school.example", "role": "chair"},
    {"name": "T. Marsh", "email": "t.marsh@union.example", "role": "union"},
]
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(MONDAY)


@pytest.fixture
def witnesses(sqlite_store: Store, clock: FakeClock, make: Make) -> Witnesses:
    config = make.config(evidence={"witnesses": WITNESSES})
    return Witnesses(sqlite_store, Audience(config), clock)


def signed(store: Store, key: SigningKey, at: datetime) -> None:
    store.log.checkpoint(lambda size, root: sign(Checkpoint(key.name, size, root), key), at=at)


def test_each_witness_gets_one_mail_a_week_whatever_day_it_begins(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey
) -> None:
    assert witnesses.tell(signing_key.verifier) == 0  # nothing is signed yet
    signed(sqlite_store, signing_key, clock.now())
    told = []
    for _ in range(15):
        told.append(witnesses.tell(signing_key.verifier))
        clock.advance(timedelta(days=1))
    assert told == [2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2]


def test_the_mail_holds_the_note_word_for_word_and_names_nobody(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey, make: Make
) -> None:
    sqlite_store.sources.accept(make.turn(), [make.capture(make.post())])
    signed(sqlite_store, signing_key, clock.now())
    witnesses.tell(signing_key.verifier)
    briefing = Briefing(sqlite_store, witnesses.audience, clock)
    due = sqlite_store.outbox.due(now=clock.now())
    assert {each.recipient for each in due} == {each["email"] for each in WITNESSES}
    (_size, note, _at) = sqlite_store.log.checkpoints()[-1]
    for delivery in due:
        message = briefing.message(delivery)
        assert note in message.text
        assert str(signing_key.verifier) in message.text
        assert open_note(note, [signing_key.verifier]).size > 1
        for name in ("Lowe", "Holt", "Barr", "gate_mum", "late again"):
            assert name not in message.subject + message.text + message.html
        assert "<pre" in message.html
        assert re.search(r"witness\s+verify", message.text)


def test_a_witness_who_cannot_be_reached_is_not_handed_on_to_somebody_else(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey
) -> None:
    signed(sqlite_store, signing_key, clock.now())
    witnesses.tell(signing_key.verifier)
    clock.advance(timedelta(days=3))
    assert sqlite_store.escalation.unanswered(before=clock.now(), now=clock.now()) == ()


# --- what befell the log ------------------------------------------------------------------------


def restored(at: datetime, size: int, lost_until: int | None) -> Leaf:
    return entries.log_restored(
        at=at,
        made_at="2026-11-20T02:30:00+00:00",
        size=size,
        lost_until=lost_until,
        compared=lost_until is not None,
        by="R. Adeyemi",
        why="Mr Lowe dropped the disk",
    )


def latest(store: Store, witnesses: Witnesses, clock: FakeClock) -> tuple[str, str]:
    """Subject and text of the newest mail, its lines joined."""
    newest = max(store.outbox.due(now=clock.now()), key=lambda each: each.id)
    message = Briefing(store, witnesses.audience, clock).message(newest)
    return message.subject, re.sub(r"(\n!)?\s+", " ", message.text)


def test_a_restored_backup_is_told_once_as_soon_as_a_checkpoint_covers_it(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey, make: Make
) -> None:
    tell = witnesses.tell
    sqlite_store.sources.accept(make.turn(), [make.capture(make.post())])
    signed(sqlite_store, signing_key, clock.now())
    assert tell(signing_key.verifier) == 2
    clock.advance(timedelta(hours=2))
    size, _root = sqlite_store.log.head()
    sqlite_store.log.append([restored(clock.now(), size, size + 40)])
    assert tell(signing_key.verifier, only_events=True) == 0  # nobody has signed that yet
    signed(sqlite_store, signing_key, clock.now())
    assert tell(signing_key.verifier, only_events=True) == 2
    subject, text = latest(sqlite_store, witnesses, clock)
    assert subject == "Please read and keep: the log was restored from a backup"
    assert "from a backup made on Friday 20 November 2026, 02:30 GMT" in text
    assert f"After them 40 were lost (numbers {size} to {size + 39})" in text
    assert f"An older mail of yours that counts more than {size} entries does not fit" in text
    assert "Lowe" not in text + subject
    assert tell(signing_key.verifier) == 0
    clock.advance(timedelta(days=7))
    signed(sqlite_store, signing_key, clock.now())
    assert tell(signing_key.verifier, only_events=True) == 0
    assert tell(signing_key.verifier) == 2
    subject, text = latest(sqlite_store, witnesses, clock)
    assert "restored" not in subject + text


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (None, "Nobody knows how many came after them and are lost"),
        (0, "As far as is known, nothing was lost. It says nothing about anybody"),
        (1, "After them 1 was lost (number"),
    ],
)
def test_what_a_restored_backup_lost_is_told_as_far_as_it_is_known(
    lost: int | None,
    said: str,
    witnesses: Witnesses,
    sqlite_store: Store,
    clock: FakeClock,
    signing_key: SigningKey,
) -> None:
    size, _root = sqlite_store.log.head()
    until = None if lost is None else size + lost
    sqlite_store.log.append([restored(clock.now(), size, until)])
    signed(sqlite_store, signing_key, clock.now())
    witnesses.tell(signing_key.verifier)
    assert said in latest(sqlite_store, witnesses, clock)[1]


def test_a_new_key_is_told_with_both_fingerprints_and_the_old_key_in_full(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey
) -> None:
    signed(sqlite_store, signing_key, clock.now())
    witnesses.tell(signing_key.verifier)
    new = SigningKey.generate(signing_key.name)
    leaf = entries.key_changed(at=clock.now(), old=signing_key, new=new, by="x", why="y")
    (index,) = sqlite_store.log.append([leaf])
    signed(sqlite_store, new, clock.now())
    assert witnesses.tell(new.verifier, only_events=True) == 2
    subject, text = latest(sqlite_store, witnesses, clock)
    assert subject == "Please read and keep: the log has a new key"
    assert f"Until then it was {signing_key.name}+{signing_key.verifier.key_id.hex()}," in text
    assert f"from entry {index} on it is {new.name}+{new.verifier.key_id.hex()}." in text
    assert str(signing_key.verifier) in text
    assert str(new.verifier) in text


def test_a_mail_tells_of_the_newest_three_things_only(
    witnesses: Witnesses, sqlite_store: Store, clock: FakeClock, signing_key: SigningKey
) -> None:
    for number in range(5):
        sqlite_store.log.append([restored(clock.now(), number, number)])
    signed(sqlite_store, signing_key, clock.now())
    witnesses.tell(signing_key.verifier)
    text = latest(sqlite_store, witnesses, clock)[1]
    assert text.count("put the log back") == 3
    assert "restored or got a new key 2 more times" in text
