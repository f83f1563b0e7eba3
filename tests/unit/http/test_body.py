"""Bodies: compressed, cut, padded, bombed, in chunks of every size."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MalformedError
from monitor.http.body import Body

TEXT = b"The fair was a great success. " * 40


def _raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


def _read(encoding: str, wire: bytes, size: int = 7, cap: int = 10_000) -> bytes:
    body = Body(encoding, wire_bytes=cap, body_bytes=cap)
    for start in range(0, len(wire), size):
        body.feed(wire[start : start + size])
    return body.end()


WIRES = {
    "identity": ("", TEXT),
    "gzip": ("gzip", gzip.compress(TEXT)),
    "two members": ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    "an empty member": ("gzip", gzip.compress(b"") + gzip.compress(TEXT)),
    "padding": ("gzip", gzip.compress(TEXT) + b"\0" * 20),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", _raw_deflate(TEXT)),
}


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("size", [1, 2, 3, 64, 10_000])
def test_a_body_is_the_same_however_it_arrives(name: str, size: int) -> None:
    encoding, wire = WIRES[name]
    assert _read(encoding, wire, size) == TEXT


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_no_body_is_an_empty_body(encoding: str) -> None:
    assert _read(encoding, b"") == b""


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [
        ("gzip", gzip.compress(TEXT)[:-1]),
        ("gzip", gzip.compress(TEXT)[:20]),
        ("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:20]),
        ("gzip", b"plain text"),
        ("gzip", b"\x1f"),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("deflate", b"x"),
        ("gzip", gzip.compress(b"") * 150),
    ],
)
def test_broken_compression_is_malformed(encoding: str, wire: bytes) -> None:
    with pytest.raises(MalformedError):
        _read(encoding, wire)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_compression_that_was_not_asked_for_is_malformed(encoding: str) -> None:
    with pytest.raises(MalformedError):
        _read(encoding, b"x")


def test_the_cap_holds_for_what_comes_over_the_wire() -> None:
    assert len(_read("", b"x" * 10_000)) == 10_000
    with pytest.raises(MalformedError, match="longer than 10000"):
        _read("", b"x" * 10_001)


def test_the_cap_holds_for_what_it_expands_to() -> None:
    assert len(_read("gzip", gzip.compress(b"x" * 10_000))) == 10_000
    with pytest.raises(MalformedError, match="expands to more than 10000"):
        _read("gzip", gzip.compress(b"x" * 10_001))


def test_a_bomb_is_not_expanded_past_the_cap() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    body = Body("gzip", wire_bytes=1_000_000, body_bytes=10_000)
    with pytest.raises(MalformedError):
        body.feed(bomb)
    assert len(body._content) == 10_001


@given(text=st.binary(max_size=300), size=st.integers(1, 50), flip=st.none() | st.integers(0, 400))
def test_a_damaged_body_is_malformed_or_what_was_sent(
    text: bytes, size: int, flip: int | None
) -> None:
    wire = bytearray(gzip.compress(text, mtime=0))
    if flip is not None:
        wire[flip % len(wire)] ^= 0x55
    try:
        read = _read("gzip", bytes(wire), size)
    except MalformedError:
        assert flip is not None
    else:
        assert read == text
