"""What somebody could write who may write to the database but not sign is found by both readers.

Entries behind the last checkpoint are nobody's word yet: their hashes and digests can be made to
fit. Whatever is in them that no program of ours would seal is named, as entry by entry.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import inspect, text

from monitor.evidence import entries
from monitor.evidence.canonical import base64url, canonical, unbase64url
from monitor.evidence.leaf import digest_of
from monitor.evidence.log import leaf_hash
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.storage import ledger
from monitor.storage.store import Store
from tests.verifying import Make, change, fill, in_stretches, one_by_one, outcome

SALT = b"A" * 22


@pytest.fixture
def filled(sqlite_store: Store, make: Make, vault: Vault, signing_key: SigningKey) -> Store:
    fill(sqlite_store, make, vault, signing_key)
    return sqlite_store


def found_alike(store: Store, vault: Vault, key: SigningKey) -> str:
    found = outcome(in_stretches, store, vault, key)
    assert found == outcome(one_by_one, store, vault, key)
    assert isinstance(found, str)
    return found


def store_as(store: Store, index: int, content: bytes) -> None:
    """Give an entry another content, and the hash that belongs to it."""
    put = text('update entry set content = :c, leaf_hash = :h where "index" = :i')
    with store._database.write() as session:
        fields = {"c": content, "h": leaf_hash(content), "i": index}
        session.connection().execute(put, fields)


def disclose(name: str, value: bytes) -> str:
    return base64url(b'["%b","%b",%b]' % (SALT, name.encode(), value))


def forge_post(
    store: Store,
    make: Make,
    values: Mapping[str, bytes] | None = None,
    row: Mapping[str, str] | None = None,
    *,
    letters: Callable[[str, str], str] = lambda _name, made: made,
    content: Callable[[bytes], bytes] = lambda made: made,
) -> int:
    """Another post like number 4 at the end of the log, with some of its fields written anew.

    `values` are those of the entry in JSON and `row` those of the row in SQL; `letters` and
    `content` may spoil the disclosures, before their digests are made, and the entry.
    """
    given = {"native_id": b'"x"'} | dict(values or {})
    (index,) = store.log.append([entries.case_opened(at=make.now, reference="SM-2026-7")])
    with store._database.write() as session:
        rows = session.connection()
        names = [each["name"] for each in inspect(rows).get_columns("post") if each["name"] != "id"]
        said = {"entry_index": str(index), "native_id": "'x'"} | dict(row or {})
        columns = ", ".join(f'"{name}"' for name in names)
        cells = ", ".join(said.get(name, f'"{name}"') for name in names)
        rows.execute(text(f"insert into post ({columns}) select {cells} from post where id = 4"))
        (old,) = rows.execute(text("select entry_index from post where id = 4")).scalars()
        rows.execute(
            text(
                "update entry set kind = 'post.captured', at ="
                ' (select at from entry where "index" = :o) where "index" = :i'
            ),
            {"o": old, "i": index},
        )
        kept = ledger.entry(session, old)
        assert kept is not None
        made = {}
        for name, encoded in kept.disclosures:
            value = unbase64url(encoded.encode())[len('["","",') + 22 + len(name) : -1]
            made[name] = letters(name, disclose(name, given.get(name, value)))
        for name, each in made.items():
            rows.execute(
                text("insert into disclosure (entry_index, name, encoded) values (:i, :n, :e)"),
                {"i": index, "n": name, "e": each},
            )
    fields = json.loads(kept.content[1:])
    fields["_sd"] = sorted(digest_of(each) for each in made.values())
    store_as(store, index, content(b"\x01" + canonical(fields, "it")))
    return index


def only(field: str, spoil: Callable[[str], str]) -> Callable[[str, str], str]:
    return lambda name, made: spoil(made) if name == field else made


def spoilt(letters: str) -> str:
    """The same octets in other letters: bits that nobody reads are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(letters) % 4, "there have to be such bits"
    return letters[:-1] + alphabet[alphabet.index(letters[-1]) + 1]


def rewritten(old: bytes, new: bytes) -> Callable[[str], str]:
    def spoil(letters: str) -> str:
        octets = unbase64url(letters.encode())
        assert old in octets
        return base64url(octets.replace(old, new, 1))

    return spoil


def test_a_forged_post_that_is_as_ours_are_is_no_stranger_to_either(
    filled: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    """So what the others are refused for is what was spoilt in them; here only the tree differs."""
    index = forge_post(filled, make)
    assert f"entry {index}" not in str(outcome(in_stretches, filled, vault, signing_key))
    assert f"entry {index}" not in str(outcome(one_by_one, filled, vault, signing_key))


SPACED = b'["https://a.example", "https://b.example"]'
SHAPES: dict[str, dict[str, Any]] = {
    "a list with a space, in the row too": {
        "values": {"media_urls": SPACED},
        "row": {"media_urls_json": f"'{SPACED.decode()}'"},
    },
    "an answer with a name of its own": {
        "values": {"answer": b'{"other"\\:1}'},
        "row": {"answer_json": "'{\"other\"\\:1}'"},
    },
    "a name twice": {
        "values": {"author": b'{"handle":"a","handle":"a","name":"","native_id":"","url":""}'},
        "row": {"author_handle": "'a'", "author_name": "''"},
    },
    "a whole number as a fraction": {"values": {"raw_offset": b"7.0"}, "row": {"raw_offset": "7"}},
    "a number with an exponent": {"values": {"raw_offset": b"7e0"}, "row": {"raw_offset": "7"}},
    "a number as text": {"values": {"raw_offset": b'"7"'}, "row": {"raw_offset": "7"}},
    "a number too large": {
        "values": {"raw_offset": b"9007199254740993"},
        "row": {"raw_offset": "9007199254740993"},
    },
    "a letter as its number": {
        "values": {"thread": b'"\\u0061"'},
        "row": {"thread": "'a'"},
    },
    "a slash with a stroke before it": {"values": {"thread": b'"\\/"'}, "row": {"thread": "'/'"}},
    "an accent apart": {
        "values": {"thread": '"e\u0301"'.encode()},
        "row": {"thread": "'\u00e9'"},
    },
    "null for text": {"values": {"thread": b"null"}, "row": {"thread": "''"}},
    "a time that is none, in both": {
        "values": {"published": b'{"as_given":"","at":"2026-02-31T00:00:00.000000+00:00",'
                   b'"field":"unknown"}'},
        "row": {"published": "'2026-02-31 00:00:00.000000'", "published_raw": "''",
                "dated_by": "'unknown'"},
    },
    "padding": {"letters": only("raw_sha256", lambda made: made + "=")},
    "a space behind": {"letters": only("thread", rewritten(b"]", b"] "))},
    "a line's end within": {"letters": only("thread", rewritten(b',"thread"', b',\n"thread"'))},
    "a field too many": {"letters": only("thread", rewritten(b"]", b",1]"))},
    "another value behind": {"letters": only("thread", rewritten(b"]", b"][]"))},
    "a short salt": {"letters": only("thread", rewritten(SALT, SALT[:20]))},
    "a salt that is no salt": {
        "letters": only("thread", rewritten(SALT, b'A","text","' + b"A" * 11))
    },
    "a salt with a letter as its number": {
        "letters": only("thread", rewritten(SALT, rb"\u0041" + SALT[6:]))
    },
    "a field under another name": {"letters": only("thread", rewritten(b'"thread"', b'"rheadt"'))},
    "two fields of one name": {"letters": only("thread", rewritten(b'"thread",', b'"text",'))},
    "an entry with a space": {"content": lambda made: made.replace(b'"kind":', b'"kind": ')},
    "an entry that goes on": {"content": lambda made: made + b"\n"},
    "an entry with a name twice": {
        "content": lambda made: made.replace(b'"kind":', b'"first_look":false,"kind":')
    },
    "an entry with a fraction": {"content": lambda made: made.replace(b"false", b"0.0")},
    "an entry with a letter as its number": {
        "content": lambda made: made.replace(b'"feed"', rb'"\u0066eed"')
    },
    "an entry with fields in another order": {
        "content": lambda made: made.replace(b',"_sd_alg":"sha-256"', b"").replace(
            b"}", b',"_sd_alg":"sha-256"}'
        )
    },
    "digests in another order": {
        "content": lambda made: b"\x01" + canonical(
            {**(fields := json.loads(made[1:])), "_sd": fields["_sd"][::-1]}, "it"
        )
    },
    "a digest that nothing discloses": {
        "content": lambda made: b"\x01" + canonical(
            {**(fields := json.loads(made[1:])), "_sd": sorted([*fields["_sd"], "A" * 43])}, "it"
        )
    },
    "another version": {"content": lambda made: b"\x02" + made[1:]},
    "a field open that is also secret": {
        "content": lambda made: made.replace(b'"source":', b'"scope":"open","source":').replace(
            b'"scope":"open"', b'"raw_offset":1', 1
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_post_that_no_program_of_ours_would_seal_is_named(
    filled: Store, make: Make, vault: Vault, signing_key: SigningKey, shape: str
) -> None:
    index = forge_post(filled, make, **SHAPES[shape])
    assert found_alike(filled, vault, signing_key).startswith(f"entry {index}"), shape


def test_bits_of_a_letter_that_nobody_reads_are_as_they_were_for_both(
    filled: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    """The digest is that of the letters, so of what is signed they cannot be altered either."""
    forge_post(filled, make, letters=only("raw_sha256", spoilt))
    assert "another root" in found_alike(filled, vault, signing_key)


BARE: dict[str, Callable[[bytes], bytes]] = {
    "a space": lambda made: made.replace(b'"kind":', b'"kind": '),
    "a line's end behind": lambda made: made + b"\n",
    "a fraction": lambda made: made.replace(b'"fresh":0', b'"fresh":0.0'),
    "a name twice": lambda made: made.replace(b'"fresh":0', b'"fresh":0,"fresh":0'),
    "a letter as its number": lambda made: made.replace(b'"source.', rb'"\u0073ource.'),
    "another kind": lambda made: made.replace(b"source.polled", b"source.looked"),
    "a kind with rows": lambda made: made.replace(b"source.polled", b"case.opened"),
    "no time": lambda made: made.replace(b'"at":"2026-', b'"at":"2026-13'),
    "another time": lambda made: made.replace(b'"at":"2026-', b'"at":"2027-'),
    "secrets that nobody has": lambda made: made.replace(b"[]", b'["%b"]' % (b"A" * 43)),
}


@pytest.mark.parametrize("shape", BARE)
def test_an_entry_without_secrets_that_is_not_as_we_seal_it_is_named(
    filled: Store, make: Make, vault: Vault, signing_key: SigningKey, shape: str
) -> None:
    filled.sources.accept(make.turn(), [])
    with filled._database.read() as session:
        kept = ledger.entry(session, ledger.size(session) - 1)
    assert kept is not None
    spoilt = BARE[shape](kept.content)
    assert spoilt != kept.content
    store_as(filled, kept.index, spoilt)
    assert found_alike(filled, vault, signing_key).startswith(f"entry {kept.index}"), shape


# --- things in each other's place -----------------------------------------------------------------


def swap(table: str, columns: str, where: tuple[str, str]) -> list[str]:
    """SQL that exchanges some columns of two rows."""
    one, other = where
    kept = ", ".join(f"(select {c} from {table} where {other}) as {c}" for c in columns.split())
    put = ", ".join(f"{c} = (select {c} from was)" for c in columns.split())
    return [
        f"create table was as select {kept}",
        f"update {table} set "
        + ", ".join(f"{c} = (select {c} from {table} where {one})" for c in columns.split())
        + f" where {other}",
        f"update {table} set {put} where {one}",
    ]


OF = "entry_index = (select entry_index from post where id = {}) and name = '{}'"
SWAPPED = {
    "two entries": swap("entry", "content leaf_hash", ('"index" = 4', '"index" = 24')),
    "two entries with all that is theirs": swap(
        "entry", "kind at content leaf_hash", ('"index" = 4', '"index" = 24')
    ),
    "the times of two entries": swap("entry", "at", ('"index" = 4', '"index" = 8')),
    "two fields of an entry": swap(
        "disclosure", "encoded", (OF.format(3, "text"), OF.format(3, "title"))
    ),
    "a field of two entries": swap(
        "disclosure", "encoded", (OF.format(3, "text"), OF.format(5, "text"))
    ),
    "the rows of two posts": swap("post", "text title", ("id = 3", "id = 5")),
    "the entries of two posts": [
        "update post set entry_index = -1 where id = 3",
        "update post set entry_index = (select entry_index from post where id = 3) where id = 5",
    ],
    "two fields in one row": [
        "update disclosure set name = 'url\",\"version', encoded = encoded || '\",\"' ||"
        " (select encoded from disclosure where " + OF.format(3, "version") + ") where "
        + OF.format(3, "url"),
        "delete from disclosure where " + OF.format(3, "version"),
    ],
    "names exchanged": [
        "update disclosure set name = 'x' where " + OF.format(3, "text"),
        "update disclosure set name = 'text' where " + OF.format(3, "title"),
        "update disclosure set name = 'title' where " + OF.format(3, "x"),
    ],
    "a name that is not text": [
        "update disclosure set name = cast(name as blob) where " + OF.format(3, "text")
    ],
    "letters that are not text": [
        "update disclosure set encoded = cast(encoded as blob) where " + OF.format(3, "text")
    ],
    "no time": ["update entry set at = 'yesterday' where \"index\" = 9"],
    "a time of octets": ['update entry set at = cast(at as blob) where "index" = 9'],
    "a time a millionth later": [
        'update entry set at = substr(at, 1, 25) || (9 - substr(at, 26)) where "index" = 9'
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", SWAPPED)
def test_what_stands_in_the_place_of_something_else_is_found_alike(
    filled: Store, vault: Vault, signing_key: SigningKey, what: str
) -> None:
    with closing(sqlite3.connect(str(filled._database.url.database))) as other:
        for statement in SWAPPED[what]:
            other.execute(statement)
        other.commit()
    found_alike(filled, vault, signing_key)


def test_the_time_that_a_row_gives_its_entry_is_named_where_it_was_altered(
    store: Store, make: Make, vault: Vault, signing_key: SigningKey
) -> None:
    fill(store, make, vault, signing_key)
    change(store, "update entry set at = '2026-11-20 09:00:01.5+00:00' where \"index\" = 9")
    found = found_alike(store, vault, signing_key)
    assert found.startswith("entry 9 (")
    assert "its row gives it the time 2026-11-20 09:00:01.500000+00:00" in found
