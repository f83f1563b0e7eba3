"""Posts as bytes for the gate: small letters and gaps, and the signs of a disguise."""

# ruff: noqa: PLR2004 - the numbers of bytes are their names here
from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, count, product
from operator import add
from string import ascii_lowercase

from ahocorasick_rs import BytesAhoCorasick, Implementation

from monitor.matching.edges import LEET
from monitor.matching.normalise import fold

INSIDE, MASKED, APART, VOWEL = 1, 2, 4, 8

# What each byte becomes: letters small, the apostrophe and "_" themselves, all else a gap.
_FLAT = bytes(
    byte + 32 if 65 <= byte <= 90
    else byte if 97 <= byte <= 122 or 48 <= byte <= 57 or byte in b"'_"
    else 32
    for byte in range(256)
)  # fmt: skip
# The kind of each byte: vowel that is also a word, letter, digit, sign for a letter, or itself.
_KINDS = bytes(
    ord("v") if byte in b"aiouAIOU"
    else ord("a") if 65 <= byte <= 90 or 97 <= byte <= 122
    else ord("1") if 48 <= byte <= 57
    else ord("!") if byte in b"@$!|+("
    else byte if byte in b".-_*/,"
    else 32
    for byte in range(256)
)  # fmt: skip
# Signs of a disguise by the kinds of bytes; "a" stands for both kinds of letter.
_SIGNS = {
    INSIDE: ("a1", "1a", "a!a", " !a", "a.a"),
    MASKED: ("a*",),
    APART: (
        " a a ", "  a  ", ".a.", "-a-", "_a_", "*a*", " . a . ", ". a. ", " - a - ", "   a   ",
        "/a/", ", a, ", "a a.", "a. a ",
    ),
}  # fmt: skip
_EDGES = " .-_*/,!"  # what may stand before, or behind, an initial
_VOWELS = (
    *(edge + rest for edge in _EDGES for rest in ("v. a", "v. v", "v.a", "v.v")),
    *(rest + edge for edge in _EDGES for rest in (", v", ",v")),
)
# Bytes that only stand in what `bytes_of` may have to fold; told apart from all others.
_FOLDABLE = bytes(0xC2 <= byte <= 0xEF or byte in {0x84, 0x85, 0x9D, 0xF3} for byte in range(256))
_BREAK = "\0\0"  # two gaps, so that every text has one of its own on either side
WORD_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_")
_LETTERS_OF_OTHERS = bytes(byte for byte in range(256) if not 0xC2 <= byte <= 0xEF)
_ODD_SIGN = re.compile(rb"\xe2(?!\x80[\x90-\x9f\xa6]|[\x86-\x8f\x94-\x9e].)", re.DOTALL)
# An apostrophe that opens a quotation, or stands before more than a contraction ("d'Emma", the R in
# "Okafor'R. Khan"): 's is always one, 't is behind an n, 'm behind I, 'd behind these.
_HAD = b"".join(
    b"(?<! %s')" % word for word in b"i he she we they you it that who there how what where".split()
)
OPENING = re.compile(
    rb"'(?:(?<![a-z0-9_]')[a-z0-9]|(?!(?:re|ve|ll)\b)[a-z0-9]{2}"
    rb"|(?:[^stdm]|(?<!n')t|(?<! i')m|" + _HAD + rb"d)(?<=[a-z])(?![a-z0-9_']))"
)
RUNS = re.compile(r"([a-z])\1{2,}")
_find_runs = BytesAhoCorasick(
    [letter.encode() * 3 for letter in ascii_lowercase], implementation=Implementation.DFA
).find_matches_as_indexes
_LONGEST_CHUNK = 60
_SIGN_FOR_LETTER = re.compile(f"[{re.escape(''.join(LEET))}.|]")
_CLOSING = "!+(|.,?;:)\"'"
_READ = {*LEET, ".", "|"}
# Such a sign, unless it closes its piece, as it does in most posts: these are not cut into pieces.
_SIGN_IN_PIECE = re.compile(
    f"[{re.escape(''.join(_READ))}]"
    f"(?:(?<=[{re.escape(''.join(_READ - {*_CLOSING}))}])"
    rf"|(?=[{re.escape(_CLOSING)}]{{0,{_LONGEST_CHUNK}}}+[^\s{re.escape(_CLOSING)}]))"
)
_REACH = 96
_LEET_TABLES = {one: str.maketrans({**LEET, "1": one, "!": one, "|": one, ".": ""}) for one in "il"}


def bytes_of(text: str) -> bytes:
    """Return the text as bytes; letters that are not plain ASCII ones are folded first."""
    if text.isascii():
        return text.encode()
    raw = text.encode("utf-8", "replace")
    if raw.translate(None, _LETTERS_OF_OTHERS):
        # Joiners and variation signs among emoji, curly quotes and dashes are no letters.
        raw = raw.replace(b"\xef\xb8\x8f", b"").replace(b"\xe2\x80\x8d", b"")
        raw = raw.replace(b"\xe2\x80\x99", b"'").replace(b"\xe2\x80\x98", b"'")
        left = raw.translate(None, _LETTERS_OF_OTHERS)
        if left.strip(b"\xe2") or _ODD_SIGN.search(raw):
            return fold(text).encode("ascii", "replace")
    if b"\xf0\x9d" in raw or b"\xf0\x9f\x84" in raw or b"\xf0\x9f\x85" in raw or b"\xf3" in raw:
        return fold(text).encode("ascii", "replace")
    return raw


def joined(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """Return the texts as `bytes_of` gives each, two gaps between, and where each ends.

    An end counts from the start of the flattened whole, both gaps included: between one end and
    the next stands what `flatten` makes of that text alone.
    """
    whole = _BREAK.join(texts)
    if whole.count("\0") == len(_BREAK) * (len(texts) - 1):
        raw = whole.encode("utf-8", "replace")
        pieces = raw.split(_BREAK.encode())
        if not whole.isascii():
            ends = _ends_of(pieces)
            marks = raw.translate(_FOLDABLE)
            at = marks.find(1)
            changed = at >= 0
            while at >= 0:
                number = bisect_right(ends, at)
                pieces[number] = bytes_of(texts[number])
                at = marks.find(1, ends[number])
            if changed:
                raw = _BREAK.encode().join(pieces)
    else:
        pieces = [bytes_of(text) for text in texts]
        raw = _BREAK.encode().join(pieces)
    return raw, _ends_of(pieces)


def _ends_of(pieces: list[bytes]) -> list[int]:
    return list(map(add, accumulate(map(len, pieces)), count(2, 2)))


def texts_with(sign: bytes, flat: bytes, ends: list[int]) -> Iterable[int]:
    """Yield the numbers of the texts in a flattened whole in which a byte stands."""
    at = flat.find(sign)
    while at >= 0:
        number = bisect_right(ends, at)
        yield number
        at = flat.find(sign, ends[number])


def flatten(raw: bytes) -> bytes:
    """Return small letters, digits and gaps, with a gap at both ends."""
    return b" " + raw.translate(_FLAT) + b" "


def first_word(rest: bytes) -> bytes:
    words = rest.split(None, 1)
    return words[0] if words else b""


def last_word(flat: bytes, start: int) -> bytes:
    words = flat[max(0, start - _REACH) : start].rsplit(None, 1)
    return words[-1] if words else b""


def kinds_of(raw: bytes) -> bytes:
    """Return the kind of each byte, with a gap at both ends, as `signs` are written."""
    return b" " + raw.translate(_KINDS) + b" "


def sign_kinds() -> dict[bytes, int]:
    """Return the signs of a disguise with each letter as either kind of letter."""
    signs: dict[bytes, int] = {}
    for kind, shapes in _SIGNS.items():
        for shape in shapes:
            for letters in product("av", repeat=shape.count("a")):
                pieces = iter(letters)
                one = "".join(next(pieces) if sign == "a" else sign for sign in shape)
                signs[one.encode()] = signs.get(one.encode(), 0) | kind
    for shape in _VOWELS:
        signs[shape.encode()] = signs.get(shape.encode(), 0) | VOWEL
    return signs


def undisguised(text: str) -> Iterable[str]:
    """Yield a folded text with its signs and repeats read as letters, where that changes it."""
    if _SIGN_IN_PIECE.search(text):
        chunks = text.split()
        if any(_SIGN_FOR_LETTER.search(core) for core in _cores(chunks)):
            for one in "il" if any(sign in text for sign in "1!|") else "i":
                yield _read(chunks, one, _CLOSING)
            if any(sign in text for sign in "@$€£"):
                yield _read(chunks, "i", _CLOSING + "@$€£")
    if not _find_runs(text.encode("ascii", "replace")):
        return
    for kept in (r"\1", r"\1\1"):
        shown = RUNS.sub(kept, text)
        yield shown
        yield shown.translate(_LEET_TABLES["i"])


def decoded(text: str) -> Iterable[str]:
    """Yield the words that pieces with digits or signs inside may stand for."""
    if not _SIGN_IN_PIECE.search(text):
        return
    for core in _cores(text.split()):
        if 2 < len(core) <= _LONGEST_CHUNK and _SIGN_FOR_LETTER.search(core):
            for one in "il":
                word = core.translate(_LEET_TABLES[one])
                yield word
                yield word.removesuffix("s")


def _cores(chunks: Iterable[str]) -> list[str]:
    """Return the pieces that are not only letters, without the signs around them."""
    return [chunk.strip(_CLOSING) for chunk in chunks if not chunk.isalpha()]


def _read(chunks: Iterable[str], one: str, closing: str) -> str:
    """Return pieces without gaps with their signs read as letters, but for closing ones."""
    table, read = _LEET_TABLES[one], []
    for chunk in chunks:
        if chunk.isalpha() or len(chunk) > _LONGEST_CHUNK:
            read.append(chunk)
        else:
            core = chunk.rstrip(closing)
            read.append(core.lstrip(_CLOSING).translate(table) + " " + chunk[len(core) :])
    return " ".join(read)
