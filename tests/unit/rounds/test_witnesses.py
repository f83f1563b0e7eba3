"""Once a week the people outside get the checkpoint, word for word and about nobody."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.briefing import Briefing
from monitor.evidence.checkpoint import Checkpoint, open_note, sign
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
