"""Alerts, messages and cases, read many at once, are found as they are found entry by entry."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.evidence.canonical import base64url, canonical, unbase64url
from monitor.evidence.leaf import digest_of
from monitor.evidence.log import leaf_hash
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import StoredEntry
from monitor.model import Author, DeliveryState, Message
from monitor.storage import alerted, ledger, resealed
from monitor.storage.convert import dump_message
from monitor.storage.store import Store
from monitor.storage.tables import AlertRow, CaseNoteRow, CaseRow, DeliveryRow
from tests.verifying import Make, change, in_stretches, one_by_one, outcome, signed

MINUTE = timedelta(minutes=1)


def attempt(
    store: Store, make: Make, delivery: Any, state: DeliveryState, said: str = "250 Ok"
) -> None:
    now = make.now
    message = delivery.message or Message(
        delivery.message_id, delivery.recipient, "M Holt", "A threat", "“words”", "", True, now
    )
    digest = hashlib.sha256(dump_message(message).encode()).hexdigest()
    store.outbox.begin(delivery, message, digest=digest, at=now)
    later = now + MINUTE if state is DeliveryState.LATER else None
    store.outbox.settle(delivery.id, state, said=said, at=now + MINUTE, due_at=later)


def fill(store: Store, make: Make, vault: Vault, key: SigningKey) -> None:
    """Four alerts: taken and answered, taken at the second attempt, given up, never sent.

    Each has a case of its own, with a note.
    """
    for number in range(4):
        post = make.post(f"alert-{number}", author=Author(f"@parent_{number}"))
        capture = make.capture(post, vault=vault)
        (mention,) = store.sources.accept(make.turn(), [capture]).fresh
        store.judging.judge(make.judgement(mention, make.hearing()), at=make.now)
    alerts = sorted(each.id for each in store.outbox.alerts())
    first, second, third = (store.outbox.deliveries(alert)[0] for alert in alerts[:3])
    attempt(store, make, first, DeliveryState.TAKEN)
    store.escalation.acknowledge(alerts[0], by="holt", how="reply", at=make.now + 2 * MINUTE)
    attempt(store, make, second, DeliveryState.LATER, "451 not now")
    attempt(store, make, store.outbox.deliveries(alerts[1])[0], DeliveryState.TAKEN)
    attempt(store, make, third, DeliveryState.GIVEN_UP, "550 unknown")
    for case in store.reading.cases():
        store.reading.note(case.reference, by="holt", text="“Rang” the parent.", at=make.now)
    signed(store, make, key)


@pytest.fixture
def filled(store: Store, make: Make, vault: Vault, signing_key: SigningKey) -> Store:
    fill(store, make, vault, signing_key)
    return store


@pytest.fixture
def kept(sqlite_store: Store, make: Make, vault: Vault, signing_key: SigningKey) -> Store:
    fill(sqlite_store, make, vault, signing_key)
    return sqlite_store


@pytest.mark.parametrize("length", [1, 4, 1024])
def test_a_log_with_alerts_is_found_whole_at_any_length_of_the_stretches(
    filled: Store, vault: Vault, signing_key: SigningKey, length: int
) -> None:
    expected = one_by_one(filled, vault, signing_key)
    assert in_stretches(filled, vault, signing_key, length=length) == expected


def test_only_what_the_row_no_longer_tells_is_opened(
    filled: Store, vault: Vault, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    with filled.log.verifying(vault.directory, processes=1) as (_view, everything):
        here = everything._readers._here
        slowly = here.check_slowly

        def watched(entry: StoredEntry) -> Any:
            opened.append(entry.kind or "")
            return slowly(entry)

        monkeypatch.setattr(here, "check_slowly", watched)
        everything.verify([signing_key.verifier])
    assert opened == ["delivery.failed"], "an outcome that another followed"


@pytest.mark.parametrize(
    ("table", "read"),
    [
        (AlertRow, {*alerted._ALERT, "entry_index"}),
        (DeliveryRow, {*alerted._DELIVERY}),
        (CaseRow, {*resealed.CASE}),
        (CaseNoteRow, {*resealed.NOTE}),
    ],
)
def test_every_column_is_read_so_that_none_can_be_spoilt_unseen(table: Any, read: set[str]) -> None:
    assert {column.name for column in table.__table__.columns} == read


TAMPERED = [
    "update alert set kind = 'digest' where id = 2",
    "update alert set reference = 'SM-2026-9' where id = 2",
    "update alert set raised_at = answered_at where id = 1",
    "update alert set answered_at = raised_at where id = 1",
    "update alert set answered_by = 'lowe' where id = 1",
    "update alert set answered_how = 'page' where id = 1",
    "update alert set entry_index = 0 where id = 3",
    "update delivery set channel = 'sms' where id = 1",
    "update delivery set person = 'lowe' where id = 1",
    "update delivery set recipient = 'x@y.example' where id = 2",
    "update delivery set message_id = 'x' where id = 2",
    "update delivery set message_json = message_json || ' ' where id = 1",
    "update delivery set message_json = null where id = 1",
    "update delivery set state = 'waiting' where id = 1",
    "update delivery set attempts = 2 where id = 1",
    "update delivery set finished_at = created_at where id = 1",
    "update delivery set receipt = 'x' where id = 1",
    "update delivery set last_error = 'x' where id = 3",
    "update delivery set alert_id = 2, step = 9 where id = 1",
    "delete from delivery where id = 3",
    "update casefile set number = 9 where id = 2",
    "update casefile set year = 2025 where id = 4",
    "update casefile set opened_at = '2026-11-20 09:00:01.000000+00:00' where id = 4",
    "update case_note set text = text || ' ' where id = 2",
    "update case_note set by = 'lowe' where id = 2",
    "update case_note set case_id = 1 where id = 2",
    "update case_note set entry_index = 0 where id = 3",
    "delete from case_note where id = 1",
]


@pytest.mark.parametrize("statement", TAMPERED)
def test_a_row_that_was_altered_is_named_alike(
    filled: Store, vault: Vault, signing_key: SigningKey, statement: str
) -> None:
    change(filled, statement)
    found = outcome(in_stretches, filled, vault, signing_key, length=1024)
    assert isinstance(found, str)
    assert found == outcome(one_by_one, filled, vault, signing_key)


def test_an_alert_that_was_answered_again_is_whole(
    filled: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    change(
        filled,
        "update alert set answered_by = 'lowe', answered_at = '2999-01-01 00:00:00.000000+00:00'"
        " where id = 1",
    )
    if filled._database.is_sqlite:
        change(filled, "update alert set answered_at = substr(answered_at, 1, 26) where id = 1")
    found = in_stretches(filled, vault, signing_key, length=1024)
    assert found == one_by_one(filled, vault, signing_key)


# --- entries that no program of ours would seal ---------------------------------------------------


def forge(
    store: Store,
    kind: str,
    *,
    public: Callable[[dict[str, Any]], Any] = lambda _fields: None,
    secret: Callable[[dict[str, bytes]], Any] = lambda _fields: None,
) -> int:
    """Alter the last entry of a kind, with a hash and digests that fit; its index."""
    with store._database.write() as session:
        rows = session.connection()
        found = 'select max("index") from entry where kind = ?'
        index = int(rows.exec_driver_sql(found, (kind,)).scalar_one())
        entry = ledger.entry(session, index)
        assert entry is not None
        values = {
            name: unbase64url(encoded.encode())[len('["","",') + 22 + len(name) : -1]
            for name, encoded in entry.disclosures
        }
        secret(values)
        made = {
            name: base64url(b'["%b","%b",%b]' % (b"A" * 22, name.encode(), value))
            for name, value in values.items()
        }
        rows.exec_driver_sql("delete from disclosure where entry_index = ?", (index,))
        for name, encoded in made.items():
            put = "insert into disclosure (entry_index, name, encoded) values (?, ?, ?)"
            rows.exec_driver_sql(put, (index, name, encoded))
        fields = json.loads(entry.content[1:])
        public(fields)
        fields["_sd"] = sorted(digest_of(each) for each in made.values())
        content = b"\x01" + canonical(fields, "it")
        put = 'update entry set content = ?, leaf_hash = ? where "index" = ?'
        rows.exec_driver_sql(put, (content, leaf_hash(content), index))
    return index


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda fields: fields.pop(name)


def put(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda fields: fields.update({name: value})


SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "as it was": ("alert.raised", {}),
    "no urgency": ("alert.raised", {"secret": without("urgency")}),
    "no kind of alert": ("alert.raised", {"secret": without("about")}),
    "a number as urgency": ("alert.raised", {"secret": put("urgency", b"5")}),
    "an urgency of tomorrow's": ("alert.raised", {"secret": put("urgency", b'"soon"')}),
    "another urgency": ("alert.raised", {"secret": put("urgency", b'"digest"')}),
    "a field more": ("alert.raised", {"secret": put("why", b'"so"')}),
    "an original": ("alert.raised", {"secret": put("raw_sha256", b'"%b"' % (b"0" * 64))}),
    "another alert": ("alert.raised", {"public": put("alert", 1)}),
    "no alert": ("alert.raised", {"public": without("alert")}),
    "an alert as text": ("alert.raised", {"public": put("alert", "4")}),
    "more in public": ("alert.raised", {"public": put("aardvark", 1)}),
    "more in public behind": ("alert.raised", {"public": put("zebra", 1)}),
    "open and secret": ("alert.raised", {"public": put("urgency", "now")}),
    "an answer to nothing": ("alert.acknowledged", {"public": put("alert", 99)}),
    "an answer to another": ("alert.acknowledged", {"public": put("alert", 2)}),
    "an answer to truth": ("alert.acknowledged", {"public": put("alert", True)}),
    "nobody's answer": ("alert.acknowledged", {"secret": without("by")}),
    "an answer in no way": ("alert.acknowledged", {"public": without("how")}),
    "a message of another alert": ("delivery.attempted", {"public": put("alert", 1)}),
    "another message": ("delivery.attempted", {"public": put("delivery", 1)}),
    "a message that is not there": ("delivery.attempted", {"public": put("delivery", 10**15)}),
    "a message far away": ("delivery.attempted", {"public": put("delivery", 2**53 - 1)}),
    "a message below nothing": ("delivery.attempted", {"public": put("delivery", -1)}),
    "a message within": ("delivery.attempted", {"public": put("channel", {"delivery": 3})}),
    "no channel": ("delivery.attempted", {"public": without("channel")}),
    "an attempt as text": ("delivery.attempted", {"public": put("attempt", "1")}),
    "a message to nobody": ("delivery.attempted", {"secret": without("person")}),
    "a message without words": ("delivery.attempted", {"secret": without("message_sha256")}),
    "nothing said": ("delivery.taken", {"secret": without("said")}),
    "no outcome": ("delivery.taken", {"public": without("outcome")}),
    "later for ever": ("delivery.taken", {"public": put("outcome", "later")}),
    "a case without a number": ("case.opened", {"public": without("reference")}),
    "another case": ("case.opened", {"public": put("reference", "SM-2026-0001")}),
    "a case with secrets": ("case.opened", {"secret": put("by", b'"holt"')}),
    "a case that commits to more": ("case.opened", {"public": put("zebra", '"_sd":["A"]')}),
    "a note of another case": ("case.noted", {"public": put("reference", "SM-2026-0001")}),
    "a note without words": ("case.noted", {"secret": without("text")}),
    "nobody's note": ("case.noted", {"secret": put("by", b"null")}),
    "an attempt as truth": ("delivery.failed", {"public": put("attempt", True)}),
    "an attempt more": ("delivery.failed", {"public": put("attempt", 2)}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", [4, 1024])
def test_an_alert_that_no_program_of_ours_would_seal_is_found_alike(
    kept: Store, vault: Vault, signing_key: SigningKey, shape: str, length: int
) -> None:
    """No checkpoint stands behind it, so what its row does not gainsay is whole to both."""
    kind, changes = SHAPES[shape]
    change(kept, "delete from checkpoint")
    forge(kept, kind, **changes)
    found = outcome(in_stretches, kept, vault, signing_key, length=length)
    assert isinstance(found, str) or shape in {"an attempt as truth", "a note without words"}
    assert found == outcome(one_by_one, kept, vault, signing_key)


# --- anything at all ------------------------------------------------------------------------------

COLUMNS = {
    "alert": "key kind waits_for reference state step text raised_at answered_at answered_by"
    " answered_how entry_index",
    "delivery": "alert_id person role recipient recipient_name channel step urgency state due_at"
    " attempts created_at message_id message_json last_error finished_at receipt escalated",
    "casefile": "year number state restricted opened_at entry_index",
    "case_note": "case_id at by text entry_index",
}
VALUES = [
    *("null", "''", "0", "1", "2", "1.5", "9e999", "'now'", "'taken'", "'other'", "x'00'"),
    *("'2026-11-20 09:00:00.123456'", "'2026-11-20T09:00'", "cast(x'ff' as text)"),
    *("{} || ' '", "lower({})", "cast({} as blob)", "replace({}, 'a', 'b')"),
]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_cell_of_theirs_with_any_value_is_found_alike(
    kept: Store, vault: Vault, signing_key: SigningKey, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table].split()))
    value = data.draw(st.sampled_from(VALUES)).replace("{}", f'"{column}"', 1)
    row = data.draw(st.integers(1, 4))
    with closing(sqlite3.connect(str(kept._database.url.database))) as other:
        (before,) = other.execute(f'select "{column}" from {table} where rowid = {row}').fetchall()
        where = f"where rowid = {row}"
        other.execute(f'update or ignore {table} set "{column}" = {value} {where}')
        other.commit()
        try:
            found = outcome(in_stretches, kept, vault, signing_key, length=1024)
            assert found == outcome(one_by_one, kept, vault, signing_key)
        finally:
            other.execute(f'update {table} set "{column}" = ? {where}', before)
            other.commit()
