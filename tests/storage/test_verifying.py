"""A log read in stretches, by one process or several, is found as it is found entry by entry."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import StoredEntry
from monitor.storage import readers
from monitor.storage.store import Store
from tests.verifying import Make, change, fill, in_stretches, one_by_one, outcome


@pytest.fixture
def whole(store: Store, make: Make, vault: Vault, signing_key: SigningKey) -> Store:
    fill(store, make, vault, signing_key)
    return store


@pytest.mark.parametrize("length", [1, 2, 8, 1024])
def test_a_whole_log_is_found_whole_at_any_length_of_the_stretches(
    whole: Store, vault: Vault, signing_key: SigningKey, length: int
) -> None:
    expected = one_by_one(whole, vault, signing_key)
    assert expected.erased == 3
    assert expected.checkpoints == 7
    assert in_stretches(whole, vault, signing_key, length=length) == expected


def test_entries_as_the_program_seals_them_need_not_be_opened(
    whole: Store, vault: Vault, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise nothing would be wrong, but slow."""
    opened: list[str] = []
    with whole.log.verifying(vault.directory, processes=1) as (view, everything):
        here = everything._readers._here
        slowly = here.check_slowly

        def watched(entry: StoredEntry) -> Any:
            opened.append(entry.kind or "")
            return slowly(entry)

        monkeypatch.setattr(here, "check_slowly", watched)
        everything.verify([signing_key.verifier])
        assert view.head()[0] > 30
    # What was erased, and the entry that says so.
    assert opened == ["post.captured", "mention.matched", "mention.graded", "record.erased"]


def test_several_processes_find_what_one_finds(
    whole: Store, vault: Vault, signing_key: SigningKey
) -> None:
    expected = one_by_one(whole, vault, signing_key)
    assert in_stretches(whole, vault, signing_key, processes=2) == expected


TAMPERED = {
    "post": "update post set text = 'other' where id = 3",
    "mention": "update mention set target_id = 'other' where id = 5",
    "grade": "update grade set severity = 'threatening' where id = 4",
    "stray grade": "update grade set entry_index = 0 where id = 4",
    "salt gone": "delete from disclosure where entry_index = 12",
    "kind": "update entry set kind = 'other.kind' where \"index\" = 7",
    "content": 'update entry set content = leaf_hash where "index" = 11',
    "node": 'update node set hash = (select leaf_hash from entry where "index" = 3)'
    ' where level = 2 and "index" = 1',
    "node gone": 'delete from node where level = 1 and "index" = 3',
    "node too many": 'insert into node (level, "index", hash)'
    ' select 1, 900, hash from node where level = 3 and "index" = 0',
    "high node": 'update node set hash = (select leaf_hash from entry where "index" = 3)'
    " where level = 4",
    "checkpoint": "update checkpoint set note = replace(note, 'school', 'other') where size > 30",
    "time": "update entry set at = '2026-11-20 09:00:01.5' where \"index\" = 9",
    "mark": 'update entry set erased_by = 30 where "index" = 21',
}


@pytest.mark.parametrize("what", TAMPERED)
@pytest.mark.parametrize("processes", [1, 2])
def test_whatever_was_altered_is_named_alike_however_many_read(
    whole: Store, vault: Vault, signing_key: SigningKey, processes: int, what: str
) -> None:
    change(whole, TAMPERED[what])
    found = outcome(in_stretches, whole, vault, signing_key, processes=processes)
    assert isinstance(found, str), what
    if "node" in what:
        assert found.startswith("node")
    else:
        assert found == outcome(one_by_one, whole, vault, signing_key)


def test_a_blob_that_was_altered_is_named_alike(
    whole: Store, vault: Vault, signing_key: SigningKey
) -> None:
    kept = whole.reading.mention(3)
    assert kept is not None
    digest = kept.kept.raw_sha256
    (vault.directory / digest[:2] / digest).write_bytes(b"other")
    found = outcome(in_stretches, whole, vault, signing_key, processes=2)
    assert "was altered: its SHA-256 is now" in str(found)
    assert found == outcome(one_by_one, whole, vault, signing_key)


def test_an_entry_that_is_gone_is_named_alike(
    sqlite_store: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    fill(sqlite_store, make, vault, signing_key)
    with closing(sqlite3.connect(str(sqlite_store._database.url.database))) as other:
        for index in (8, 11):  # the first and the last of a stretch
            other.execute(f'delete from entry where "index" = {index}')
            other.commit()
            found = outcome(in_stretches, sqlite_store, vault, signing_key)
            assert "missing from the log: entry 8; next comes entry 9" in str(found)


def test_what_is_written_meanwhile_is_seen_by_none(
    whole: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    with whole.log.verifying(vault.directory, processes=2, length=4) as (_view, everything):
        whole.erasing.erase([1], reason="retention", by="holt", at=make.now, basis="person")
        whole.sources.accept(make.turn(), [])
        found = everything.verify([signing_key.verifier])
    assert found.erased == 3
    assert in_stretches(whole, vault, signing_key, processes=2).erased == 6


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit",
        pytest.param(
            "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
            "from monitor.storage import readers, stretches\n"
            "stretches.Stretches.read = lambda *_: sys.exit(1)\n"
            "readers.serve(int(sys.argv[2]))",
            id="at its first stretch",
        ),
    ],
)
def test_processes_that_die_leave_their_work_to_the_one_that_asked(
    whole: Store,
    vault: Vault,
    signing_key: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    monkeypatch.setattr(readers, "PROGRAM", program)
    expected = one_by_one(whole, vault, signing_key)
    assert in_stretches(whole, vault, signing_key, processes=2) == expected


def test_where_no_process_may_be_started_one_reads_alone(
    whole: Store, vault: Vault, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    expected = one_by_one(whole, vault, signing_key)
    assert in_stretches(whole, vault, signing_key, processes=2) == expected


def test_small_logs_are_read_by_one_process_and_large_ones_by_no_more_than_asked_for() -> None:
    assert readers.as_many_as_help(100) == 1
    assert readers.as_many_as_help(10**9) <= readers.MOST
    assert readers.as_many_as_help(100, 3) == 3
    assert readers.as_many_as_help(10**9, 1) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update post set title = cast(title as blob) where title = ''",
        "update grade set note = cast(note as blob) where id = 1",
        "update post set raw_offset = 9e999 where raw_offset is null",
    ],
)
def test_what_json_would_write_alike_is_told_apart(
    sqlite_store: Store, make: Make, vault: Vault, signing_key: SigningKey, statement: str
) -> None:
    fill(sqlite_store, make, vault, signing_key)
    change(sqlite_store, statement)
    found = outcome(in_stretches, sqlite_store, vault, signing_key)
    assert isinstance(found, str)
    assert found == outcome(one_by_one, sqlite_store, vault, signing_key)


# --- anything at all ------------------------------------------------------------------------------

COLUMNS = {
    "post": "text title answer_json media_urls_json published raw_offset version captured_at"
    " clock_synchronised warc_sha256 erased_by entry_index source",
    "mention": "matches_json target_kind certainty first_look post_id native_id entry_index"
    " erased_by",
    "grade": "scores_json flags_json reasons_json by model at unsure mention_id entry_index",
    "entry": "kind at content leaf_hash erased_by",
    "disclosure": "name encoded entry_index",
}
VALUES = [
    *("null", "''", "0", "1", "7", "1.5", "9e999", "'null'", "'[]'", "'[1]'", "'other'", "x'00'"),
    *("'2026-11-20 09:00:00.123456'", "'[0.1,0.2,0.7]'", "cast(x'ff' as text)"),
    *("{} || ' '", "lower({})", "cast({} as blob)", "replace({}, 'a', 'b')"),
]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_cell_with_any_value_is_found_alike(
    filled: Store, vault: Vault, signing_key: SigningKey, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table].split()))
    value = data.draw(st.sampled_from(VALUES)).replace("{}", f'"{column}"', 1)
    row = data.draw(st.integers(1, 45))
    # Another program does not keep up what ours does.
    with closing(sqlite3.connect(str(filled._database.url.database))) as other:
        chosen = f'select "{column}" from {table} where rowid = {row}'
        before = other.execute(chosen).fetchall()
        where = f"where rowid = {row}"
        other.execute(f'update or ignore {table} set "{column}" = {value} {where}')
        other.commit()
        try:
            found = outcome(in_stretches, filled, vault, signing_key)
            assert found == outcome(one_by_one, filled, vault, signing_key)
        finally:
            for cell in before:
                other.execute(f'update {table} set "{column}" = ? {where}', cell)
            other.commit()


@pytest.fixture
def filled(sqlite_store: Store, make: Make, vault: Vault, signing_key: SigningKey) -> Store:
    fill(sqlite_store, make, vault, signing_key)
    return sqlite_store
