"""No column that was sealed can be changed, and no row put in or taken out, without being found."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import inspect, text

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import DeliveryState, Flag, Grade, Message, Reason, Scores, Severity
from monitor.storage.convert import dump_message
from monitor.storage.store import Store

Make = Any

GRADE = Grade(
    Severity.THREATENING,
    unsure=False,
    scores=Scores(0.9, 0.05, 0.05),
    flags=frozenset({Flag.PILE_ON}),
    reasons=(Reason(0, 7, "Mr Lowe", 0.5),),
    model="constant",
)


@pytest.fixture
def whole(store: Store, make: Make, vault: Vault) -> Store:
    """One post on its whole way: captured, graded, alerted, sent, answered, noted."""
    capture = make.capture(make.post(), make.person(), make.person("chloe-barr"), vault=vault)
    for number in store.sources.accept(make.turn(), [capture]).fresh:
        store.judging.judge(make.judgement(number, grade=GRADE), at=make.now)
    (due,) = store.outbox.due(now=make.now)
    message = Message(
        due.message_id, due.recipient, due.recipient_name, "Threat", "a", "b", True, make.now
    )
    digest = hashlib.sha256(dump_message(message).encode()).hexdigest()
    store.outbox.begin(due, message, digest=digest, at=make.now)
    store.outbox.settle(due.id, DeliveryState.TAKEN, said="250 taken", at=make.now)
    store.escalation.acknowledge(due.alert_id, by="holt", how="reply", at=make.now)
    store.reading.note("SM-2026-0001", by="holt", text="rang Mr Lowe", at=make.now)
    make.verified(store, vault)
    return store


def change(store: Store, statement: str) -> None:
    with store._database.write() as session:
        assert session.connection().execute(text(statement)).rowcount == 1


OTHER_TIME = "'2026-11-19 08:00:00.000000'"
SEALED: dict[str, dict[str, str]] = {
    "post": {
        "platform": "'other'",
        "native_id": "'other'",
        "version": "'0123456789abcdef'",
        "source": "'other'",
        "url": "'https://other.example'",
        "title": "'other'",
        "text": "'other'",
        "thread": "'other'",
        "author_handle": "'@other'",
        "author_name": "'other'",
        "author_native_id": "'other'",
        "author_url": "'https://other.example'",
        "published": OTHER_TIME,
        "published_raw": "'other'",
        "dated_by": "'updated'",
        "media_urls_json": "'[]'",
        "raw_sha256": "'00'",
        "warc_sha256": "'00'",
        "raw_media_type": "'text/html'",
        "raw_offset": "7",
        "answer_json": "'null'",
        "first_seen_at": OTHER_TIME,
        "captured_at": OTHER_TIME,
        "clock_synchronised": "false",
        "scope": "'school'",
        "entry_index": "0",
    },
    "mention": {
        "platform": "'other'",
        "native_id": "'other'",
        "version": "'0123456789abcdef'",
        "target_kind": "'school'",
        "target_id": "'other'",
        "certainty": "'possible'",
        "matches_json": "'[]'",
        "first_look": "true",
        "entry_index": "0",
    },
    "grade": {
        "mention_id": "2",
        "severity": "'neutral'",
        "unsure": "true",
        "scores_json": "'[0.1,0.1,0.8]'",
        "flags_json": "'[]'",
        "reasons_json": "'[]'",
        "by": "'holt'",
        "model": "'other'",
        "note": "'other'",
        "at": OTHER_TIME,
        "entry_index": "0",
    },
    "alert": {
        "kind": "'digest'",
        "reference": "'SM-2026-0009'",
        "raised_at": OTHER_TIME,
        "answered_at": OTHER_TIME,
        "answered_by": "'osei'",
        "answered_how": "'code'",
        "entry_index": "0",
    },
    "casefile": {"year": "2025", "number": "9", "opened_at": OTHER_TIME, "entry_index": "0"},
    "case_note": {"at": OTHER_TIME, "by": "'osei'", "text": "'other'", "entry_index": "0"},
    "delivery": {
        "person": "'osei'",
        "recipient": "'other@school.example'",
        "channel": "'other'",
        "message_id": "'other@school.example'",
        "message_json": "'{}'",
        "state": "'bounced'",
        "attempts": "9",
        "finished_at": OTHER_TIME,
        "receipt": "'other'",
    },
}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (table, column, value)
        for table, columns in SEALED.items()
        for column, value in columns.items()
    ],
)
def test_each_column_that_was_sealed_is_missed_when_it_changes(
    whole: Store, make: Make, vault: Vault, table: str, column: str, value: str
) -> None:
    change(whole, f'update {table} set "{column}" = {value} where id = 1')
    with pytest.raises(EvidenceError, match=r"row|blob"):
        make.verified(whole, vault)


MOVES_ON: dict[str, set[str]] = {
    # An id names a row and says nothing; an alert's and a delivery's stand in entries.
    # What is marked as erased is compared with the mark of its entry, not with a field of it.
    "post": {"id", "erased_by"},
    "mention": {"id", "post_id", "state", "case_id", "erased_by"},
    "grade": {"id"},
    "alert": {"id", "key", "waits_for", "state", "step", "text"},
    "casefile": {"id", "state", "restricted"},
    "case_note": {"id", "case_id"},
    "delivery": {
        "id",
        "alert_id",
        "role",
        "recipient_name",
        "step",
        "urgency",
        "due_at",
        "created_at",
        "last_error",
        "escalated",
    },
}


def test_every_column_is_either_sealed_or_known_to_move_on(whole: Store) -> None:
    with whole._database.read() as session:
        for table, sealed in SEALED.items():
            columns = inspect(session.connection()).get_columns(table)
            # What the database works out of other columns nobody can write by itself.
            names = {each["name"] for each in columns if "computed" not in each}
            assert names == sealed.keys() | MOVES_ON[table], table


@pytest.mark.parametrize("table", ["post", "mention"])
def test_a_row_hidden_as_erased_that_was_not_is_found(
    whole: Store, make: Make, vault: Vault, table: str
) -> None:
    change(whole, f"update {table} set erased_by = 1 where id = 1")
    with pytest.raises(EvidenceError, match="not both marked as erased"):
        make.verified(whole, vault)


def test_a_mention_moved_to_another_post_is_found(whole: Store, make: Make, vault: Vault) -> None:
    whole.sources.accept(make.turn(), [make.capture(make.post(2), vault=vault)])
    change(whole, "update mention set post_id = 2 where id = 1")
    with pytest.raises(EvidenceError, match="mention row"):
        make.verified(whole, vault)


@pytest.mark.parametrize(
    ("table", "noun"), [("grade", "grade"), ("case_note", "note"), ("delivery", "delivery")]
)
def test_a_row_that_was_taken_out_is_missed(
    whole: Store, make: Make, vault: Vault, table: str, noun: str
) -> None:
    change(whole, f"delete from {table} where id = 1")
    with pytest.raises(EvidenceError, match=f"the {noun} row that this entry describes is gone"):
        make.verified(whole, vault)


@pytest.mark.parametrize(
    ("index", "found"), [("entry_index", "stands there twice"), ("0", "does not describe it")]
)
def test_a_row_that_nobody_sealed_is_found(
    whole: Store, make: Make, vault: Vault, index: str, found: str
) -> None:
    names = (
        'mention_id, severity, unsure, scores_json, flags_json, reasons_json, "by", model, note, at'
    )
    change(
        whole,
        f"insert into grade ({names}, entry_index) select {names}, {index} from grade where id = 1",
    )
    with pytest.raises(EvidenceError, match=found):
        make.verified(whole, vault)


def test_a_later_answer_does_not_make_the_earlier_one_wrong(
    whole: Store, make: Make, vault: Vault
) -> None:
    change(whole, "update alert set state = 'open' where id = 1")
    later = make.now.replace(hour=15)
    whole.escalation.acknowledge(1, by="osei", how="code", at=later)
    make.verified(whole, vault)


def test_an_entry_of_any_kind_that_its_row_calls_otherwise_is_named(
    whole: Store, make: Make, vault: Vault
) -> None:
    """Hand-overs of the key, erasures and looks are found by that column alone."""
    with whole.log.reading() as view:
        kinds = {str(entry.kind): entry.index for entry in view.entries()}
    assert {"log.opened", "source.polled", "delivery.attempted", "case.noted"} <= kinds.keys()
    for kind, index in kinds.items():
        change(whole, f"update entry set kind = 'evidence.viewed' where \"index\" = {index}")
        with pytest.raises(EvidenceError, match=rf"entry {index} \({kind}\): .*row"):
            make.verified(whole, vault)
        change(whole, f"update entry set kind = '{kind}' where \"index\" = {index}")
