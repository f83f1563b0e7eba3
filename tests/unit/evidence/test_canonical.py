"""The quick reader and writer of the log's JSON, held against the exact ones."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence import canonical as form

TEXT = st.text(st.characters(codec="utf-8"))
FLAT = st.none() | st.booleans() | st.integers(-form.MAX_INTEGER, form.MAX_INTEGER) | TEXT
NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
VALUES = st.recursive(
    FLAT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)


@given(VALUES)
def test_the_quick_writer_writes_what_the_exact_one_writes(value: form.Json) -> None:
    assert form._quick_write(value) == form.canonical(value, "it")


def test_the_quick_writer_agrees_on_every_character_of_unicode() -> None:
    for start in range(0, 0x110000, 0x800):
        if start != 0xD800:  # the surrogates are exactly one such block
            text = "".join(map(chr, range(start, start + 0x800)))
            assert form._quick_write(text) == form.canonical(text, "it")
            assert form.read(form.canonical(text, "it"), "it") == text


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_what_the_quick_reader_reads_the_exact_one_reads_alike(written: bytes) -> None:
    try:
        quick = form._quick_read(written)
    except (ValueError, msgspec.MsgspecError):
        return
    try:
        assert form._read_exactly(written.strip(b" \t\r\n"), "it") == quick
    except EvidenceError:  # then it must not pass for canonical either
        with pytest.raises(EvidenceError):
            form.check_canonical([(quick, written, "it")])


@pytest.mark.parametrize(
    "written",
    [b'{"a":1.5}', b'{"a":1.0}', b'{"a":1e3}', b'{"a":NaN}', b'{"a":9007199254740993}'],
)
def test_numbers_that_readers_disagree_about_are_refused(written: bytes) -> None:
    with pytest.raises(EvidenceError):
        form.read(written, "it")


@pytest.mark.parametrize(
    "written",
    [b'{"a":-0}', b'{"a":1,"a":2}', b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":"\\u0061"}', b"[1] "],
)
def test_a_second_way_of_writing_is_refused(written: bytes) -> None:
    value = form.read(written, "it")
    with pytest.raises(EvidenceError, match="canonical"):
        form.check_canonical([(value, written, "it")])


def test_deep_values_are_read_and_checked_by_the_exact_reader() -> None:
    deep: form.Json = 1
    for _ in range(form.MAX_DEPTH):
        deep = [deep]
    written = form.canonical(deep, "it")
    assert form.read(written, "it") == deep
    form.check_canonical([(deep, written, "it")])
