"""The leaf format: fixed vectors, the specification's own, and everything that it must refuse.

Long because the format is final: every way to write it wrongly is listed once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence.leaf import (
    Json,
    Leaf,
    Sealed,
    digest_of,
    open_leaf,
    read_disclosure,
    seal,
    write_time,
)
from monitor.model import NaiveTimeError

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures/evidence/vectors.json").read_text()
)
LEAVES = VECTORS["leaves"]
AT = datetime(2026, 11, 21, 8, 15, 30, 250_000, tzinfo=UTC)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: name not in {"kind", "at"}
)
KEYS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1).filter(
    lambda key: key not in {"_sd", "..."}
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants its bounds naive


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    fields = draw(st.dictionaries(NAMES, VALUES, max_size=8))
    hidden = draw(st.sets(st.sampled_from(sorted(fields)))) if fields else set()
    return Leaf(
        draw(st.from_regex(r"[a-z][a-z0-9-]{0,9}\.[a-z][a-z0-9-]{1,9}", fullmatch=True)),
        draw(MOMENTS),
        {name: value for name, value in fields.items() if name not in hidden},
        {name: value for name, value in fields.items() if name in hidden},
    )


def encoded(sealed: Sealed) -> list[str]:
    return [disclosure.encoded for disclosure in sealed.disclosures]


def a_leaf(
    public: Mapping[str, Json] | None = None, secret: Mapping[str, Json] | None = None
) -> Leaf:
    shown = {"source": "news"} if public is None else public
    return Leaf("post.captured", AT, shown, {"text": "Words"} if secret is None else secret)


# --- what was fixed for good ------------------------------------------------------------------


@pytest.mark.parametrize("vector", LEAVES, ids=lambda v: v["name"])
def test_sealing_gives_the_bytes_that_it_gave_at_the_first_release(vector: dict[str, Any]) -> None:
    salts: Iterator[bytes] = iter(bytes.fromhex(salt) for salt in vector["salts"])
    at = datetime.fromisoformat(vector["at"])
    leaf = Leaf(vector["kind"], at, vector["public"], vector["secret"])
    sealed = seal(leaf, salts=lambda: next(salts))
    assert sealed.content == b"\x01" + vector["content"].encode()
    assert sealed.leaf_hash.hex() == vector["leaf_hash"]
    found = [{"name": d.name, "encoded": d.encoded, "digest": d.digest} for d in sealed.disclosures]
    assert found == vector["disclosures"]


@pytest.mark.parametrize("vector", LEAVES, ids=lambda v: v["name"])
def test_what_was_sealed_at_the_first_release_still_opens(vector: dict[str, Any]) -> None:
    content = bytes((vector["version"],)) + vector["content"].encode()
    opened = open_leaf(content, [one["encoded"] for one in vector["disclosures"]])
    assert opened.kind == vector["kind"]
    assert write_time(opened.at) == vector["at"]
    assert opened.public == vector["public"]
    assert opened.secret == vector["secret"]
    assert opened.withheld == 0


@pytest.mark.parametrize("vector", LEAVES, ids=lambda v: v["name"])
def test_a_stranger_with_the_standard_library_reads_the_same(vector: dict[str, Any]) -> None:
    """Nothing of ours is used: this is what docs/evidence-format.md tells an engineer to do."""
    content = bytes((1,)) + vector["content"].encode()
    assert hashlib.sha256(b"\x00" + content).hexdigest() == vector["leaf_hash"]
    members = json.loads(content[1:])
    secret = {}
    for one in vector["disclosures"]:
        text = one["encoded"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        assert digest.decode() in members["_sd"]
        salt, name, value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        assert len(base64.urlsafe_b64decode(salt + "==")) == 16
        secret[name] = value
    assert secret == vector["secret"]
    own = {"kind": vector["kind"], "at": vector["at"], "_sd_alg": "sha-256"}
    assert members == {**vector["public"], **own, "_sd": members["_sd"]}


def test_the_digest_of_a_disclosure_is_that_of_rfc_9901() -> None:
    """RFC 9901, section 4.2.3: the digest is over the encoded text, not over what it decodes to."""
    family_name = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest_of(family_name) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


# --- sealing and opening ----------------------------------------------------------------------


@given(leaves())
def test_whatever_is_sealed_opens_as_it_was(leaf: Leaf) -> None:
    sealed = seal(leaf)
    opened = open_leaf(sealed.content, encoded(sealed))
    assert (opened.kind, opened.at) == (leaf.kind, leaf.at)
    assert (opened.public, opened.secret) == (leaf.public, leaf.secret)
    assert opened.withheld == 0


@given(leaves(), st.data())
def test_any_field_can_be_left_out_and_the_rest_still_opens(
    leaf: Leaf, data: st.DataObject
) -> None:
    sealed = seal(leaf)
    shown = data.draw(st.lists(st.sampled_from(sealed.disclosures or [None]), unique=True))
    opened = open_leaf(sealed.content, [one.encoded for one in shown if one])
    assert opened.secret == {one.name: leaf.secret[one.name] for one in shown if one}
    assert opened.withheld == len(leaf.secret) - len(opened.secret)


@given(leaves())
def test_no_secret_value_can_be_read_or_guessed_from_the_leaf(leaf: Leaf) -> None:
    one, other = seal(leaf), seal(leaf)
    digests = {d.digest for d in one.disclosures}
    assert not digests & {d.digest for d in other.disclosures}
    members = json.loads(one.content[1:])
    assert set(members) == {*leaf.public, "kind", "at", "_sd", "_sd_alg"}


def test_the_salt_has_128_bits_from_the_operating_system() -> None:
    salts = set()
    for _ in range(50):
        text = seal(a_leaf()).disclosures[0].encoded
        salts.add(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[0])
    assert len(salts) == 50
    assert {len(base64.urlsafe_b64decode(salt + "==")) for salt in salts} == {16}


def test_the_order_in_which_fields_are_given_changes_nothing() -> None:
    def salts() -> bytes:
        return bytes(16)

    forwards = a_leaf({"a": 1, "b": 2}, {"c": 3, "d": 4})
    backwards = a_leaf({"b": 2, "a": 1}, {"d": 4, "c": 3})
    assert seal(forwards, salts=salts) == seal(backwards, salts=salts)


def test_a_time_in_another_zone_is_sealed_in_utc() -> None:
    summer = timezone(timedelta(hours=1))
    leaf = Leaf("post.captured", datetime(2026, 6, 1, 9, 0, tzinfo=summer), {}, {})
    assert b'"at":"2026-06-01T08:00:00.000000Z"' in seal(leaf).content


def test_a_time_without_a_zone_cannot_be_sealed() -> None:
    with pytest.raises(NaiveTimeError):
        Leaf("post.captured", datetime(2026, 6, 1), {}, {})  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.5, "float cannot be sealed"),
        (float("nan"), "float cannot be sealed"),
        (2**53, "too large"),
        (-(2**53), "too large"),
        (AT, "datetime cannot be sealed"),
        (b"bytes", "bytes cannot be sealed"),
        ({"caf\u00e9": 1}, "printable ASCII"),
        ({"_sd": []}, "cannot be a name"),
        ({1: "one"}, "cannot be a name"),
        ([{"deep": ["x", 0.5]}], "field.0..deep.1"),
    ],
)
def test_values_that_not_every_reader_reads_alike_are_refused(value: Any, says: str) -> None:
    for leaf in (a_leaf(public={"field": value}), a_leaf(secret={"field": value})):
        with pytest.raises(EvidenceError, match=says):
            seal(leaf)


@pytest.mark.parametrize("value", ["\ud83d", ["\udc00"], {"inner": "a\ud800b"}])
def test_half_of_a_surrogate_pair_is_refused_by_name(value: Any) -> None:
    for leaf in (a_leaf(public={"field": value}), a_leaf(secret={"field": value})):
        with pytest.raises(EvidenceError, match="half of a surrogate pair"):
            seal(leaf)


def test_nesting_has_a_limit() -> None:
    deep: Any = 0
    for _ in range(16):
        deep = [deep]
    assert open_leaf(seal(a_leaf(public={"field": deep})).content, []).public == {"field": deep}
    with pytest.raises(EvidenceError, match="nested more than 16 deep"):
        seal(a_leaf(public={"field": [deep]}))


@pytest.mark.parametrize("name", ["", "Text", "1st", "_sd", "_sd_alg", "kind", "at", "é", "a" * 65])
def test_names_that_a_field_cannot_have_are_refused(name: str) -> None:
    for leaf in (a_leaf(public={name: 1}), a_leaf(secret={name: 1})):
        with pytest.raises(EvidenceError, match=re.escape(repr(name))):
            seal(leaf)


@pytest.mark.parametrize(
    "kind", ["", "post", "Post.captured", "post.", ".x", "a.b c", "a." + "b" * 64]
)
def test_a_kind_must_look_like_one(kind: str) -> None:
    with pytest.raises(EvidenceError, match="not a kind of entry"):
        seal(Leaf(kind, AT, {}, {}))


def test_a_field_is_public_or_secret_and_never_both() -> None:
    with pytest.raises(EvidenceError, match="'text' is both public and secret"):
        seal(a_leaf({"text": "a"}, {"text": "b"}))


def test_sizes_are_bounded() -> None:
    with pytest.raises(EvidenceError, match="over the 65536 allowed"):
        seal(a_leaf(public={"place": "x" * 65_536}))
    with pytest.raises(EvidenceError, match="too long to seal"):
        seal(a_leaf(secret={"text": "x" * 12_700_000}))
    with pytest.raises(EvidenceError, match="257 secret fields"):
        seal(a_leaf(secret={f"f{n}": n for n in range(257)}))
    long = a_leaf(secret={"text": "\u0001" * 1_000_000})
    sealed = seal(long)
    assert open_leaf(sealed.content, encoded(sealed)).secret == long.secret


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(65)])
def test_a_salt_that_is_too_short_is_refused(salt: bytes) -> None:
    with pytest.raises(EvidenceError, match="a salt has"):
        seal(a_leaf(), salts=lambda: salt)


# --- what must not open -----------------------------------------------------------------------


@given(leaves(), st.data())
def test_a_flipped_bit_in_a_disclosure_never_opens(leaf: Leaf, data: st.DataObject) -> None:
    sealed = seal(leaf)
    texts = encoded(sealed)
    if not texts:
        return
    which = data.draw(st.integers(0, len(texts) - 1))
    octets = bytearray(texts[which].encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    texts[which] = octets.decode("latin-1")
    with pytest.raises(EvidenceError):
        open_leaf(sealed.content, texts)


def test_a_changed_disclosure_is_named() -> None:
    sealed, other = seal(a_leaf()), seal(a_leaf(secret={"text": "Other words"}))
    with pytest.raises(EvidenceError, match="field 'text' is not what was sealed"):
        open_leaf(sealed.content, encoded(other))


def test_a_disclosure_given_twice_is_refused() -> None:
    sealed = seal(a_leaf())
    with pytest.raises(EvidenceError, match="not what was sealed"):
        open_leaf(sealed.content, encoded(sealed) * 2)


def rewritten(old: bytes, new: bytes) -> bytes:
    content = seal(a_leaf({"source": "news", "n": 1}, {})).content
    assert content.count(old) == 1
    return content.replace(old, new)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "begins with nothing"),
        (b"\x02{}", "begins with 02"),
        (b"{}", "begins with 7b"),
        (b"\x01", "not JSON"),
        (b"\x01{}", "lacks kind"),
        (b"\x01[]", "lacks kind"),
        (b"\x01" + b"[" * 60_000, "not JSON"),
        (b"\x01" + b" " * 65_536, "longer than"),
        (rewritten(b'"n":1', b'"n":1.0'), "not whole"),
        (rewritten(b'"n":1', b'"n":1e2'), "not whole"),
        (rewritten(b'"n":1', b'"n":NaN'), "not whole"),
        (rewritten(b'"n":1', b'"n":-0'), "canonical"),
        (rewritten(b'"n":1', b'"n":9007199254740992'), "too large"),
        (rewritten(b'"n":1', b'"n":' + b"9" * 5000), "too large"),
        (rewritten(b'"n":1', b'"n": 1'), "canonical"),
        (rewritten(b'"n":1', b'"n":1,"n":1'), "canonical"),
        (rewritten(b'"n":1', b'"N":1'), "with the name 'N'"),
        (rewritten(b'"n":1', b'"n":{"_sd":1}'), "cannot be a name"),
        (rewritten(b'"n":1', b'"n":' + b"[" * 17 + b"]" * 17), "nested more than"),
        (rewritten(b"news", b"\\u006eews"), "canonical"),
        (rewritten(b"news", b"\\ud800"), "surrogate"),
        (rewritten(b"news", b"\xff"), "not JSON"),
        (rewritten(b'"_sd":[]', b'"_sd":[1]'), "digests of the entry"),
        (rewritten(b'"_sd":[]', b'"_sd":["short"]'), "digests of the entry"),
        (rewritten(b'"_sd":[]', b'"_sd":{}'), "no list of at most 256 digests"),
        (rewritten(b"sha-256", b"sha-512"), "lacks kind"),
        (rewritten(b"post.captured", b"post"), "no kind of entry"),
        (rewritten(b"2026-11-21T", b"2026-02-30T"), "not a time"),
        (rewritten(b".250000Z", b".25Z"), "not a time"),
        (rewritten(b".250000Z", b".250000+00:00"), "not a time"),
        (seal(a_leaf()).content + b" ", "canonical"),
        (seal(a_leaf()).content + b"1", "goes on after its end"),
    ],
)
def test_bytes_that_are_not_a_leaf_are_refused_with_a_reason(content: bytes, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        open_leaf(content, [])


def disclosure(written: str) -> str:
    return base64.urlsafe_b64encode(written.encode()).rstrip(b"=").decode()


SALT = "A" * 22
QUESTIONS = disclosure(f'["{SALT}","name","?????"]')
assert "_" in QUESTIONS, "written in the other alphabet it would differ"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "****",
        "A",
        "AA==",
        "WyJ+",
        "é",
        QUESTIONS.replace("_", "/"),
        QUESTIONS[:8] + "****" + QUESTIONS[8:],
        QUESTIONS + "\n\n\n\n",
        disclosure("{}"),
        disclosure('["a"]'),
        disclosure(f'["{SALT}",1,2]'),
        disclosure(f'["{SALT}","Name",2]'),
        disclosure(f'["{SALT}","kind",2]'),
        disclosure(f'["{SALT}","name",2.5]'),
        disclosure(f'["{SALT}", "name",2]'),
        disclosure(f'["{SALT}","name",{{"a":1,"a":1}}]'),
        disclosure(f'["{SALT}","name",{{"_sd":1}}]'),
        disclosure(f'["{SALT}","name",2]]'),
        disclosure('["short","name",2]'),
        disclosure(f'["{"A" * 90}","name",2]'),
    ],
)
def test_a_malformed_disclosure_is_refused_even_where_the_leaf_commits_to_it(text: str) -> None:
    with pytest.raises(EvidenceError):
        read_disclosure(text)
    if not text.isascii():
        return
    content = rewritten(b'"_sd":[]', f'"_sd":["{digest_of(text)}"]'.encode())
    assert open_leaf(content, []).withheld == 1
    with pytest.raises(EvidenceError):
        open_leaf(content, [text])


def test_two_disclosures_of_one_name_or_of_a_public_name_are_refused() -> None:
    for texts in (
        [disclosure(f'["{SALT}","name",1]'), disclosure(f'["{SALT}","name",2]')],
        [disclosure(f'["{SALT}","source",1]')],
    ):
        digests = json.dumps(sorted(map(digest_of, texts)), separators=(",", ":"))
        content = rewritten(b'"_sd":[]', f'"_sd":{digests}'.encode())
        with pytest.raises(EvidenceError, match="stands in the entry twice"):
            open_leaf(content, texts)


def test_digests_must_be_sorted_and_unique() -> None:
    digests = [digest_of("a"), digest_of("b")]
    for listed in (sorted(digests, reverse=True), [digests[0]] * 2):
        written = json.dumps(listed, separators=(",", ":"))
        with pytest.raises(EvidenceError, match="not sorted and unique"):
            open_leaf(rewritten(b'"_sd":[]', f'"_sd":{written}'.encode()), [])
