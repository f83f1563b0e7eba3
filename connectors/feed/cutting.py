"""Looks at a feed's bytes before any parser does: finds its items, and what would choke a parser.

Everything here is linear in the length of the body, whatever stands in it.
"""

from __future__ import annotations

import re
from array import array
from sys import byteorder

MOST_ATTRIBUTES = 256
"""feedparser's work grows with the square of the attributes of one tag; real tags have ten."""
MOST_NESTED = 1_000
MOST_TAGS = 20_000
"""In one item; feedparser takes ten microseconds for each, and a long article has hundreds."""

_ITEM = re.compile(
    rb"<!--|<!\[CDATA\["
    rb"|<(?:[A-Za-z_][\w.\-]{0,40}:)?(?P<start>item|entry)(?=[\s/>])"
    rb"|</(?:[A-Za-z_][\w.\-]{0,40}:)?(?P<end>item|entry)\s{0,40}>",
    re.IGNORECASE,
)
_TAG = re.compile(
    rb"<!--|<!\[CDATA\["
    rb"|</?[A-Za-z_:](?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+"
)
_OPENED = re.compile(rb"<(?:[\w.\-]{1,40}:)?(?:item|entry)\b", re.IGNORECASE)
_ELEMENT = re.compile(rb"<\w")
_QUOTED = re.compile(rb"\"[^\"]*+\"|'[^']*+'")
_LONG_TAG = 2 * MOST_ATTRIBUTES
_ENTITY = re.compile(rb"<!ENTITY(?P<declared>[^>]{0,2000})", re.IGNORECASE)
_NESTED = re.compile(rb"&(?!#)|\bSYSTEM\b|\bPUBLIC\b")
_CLOSED = re.compile(rb"</(?:[\w.\-]{1,40}:)?(?:rss|feed|rdf|channel)\s{0,40}>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]0{0,20}(?P<hex>[0-9a-fA-F]+)|0{0,20}(?P<decimal>[0-9]+));?")
_LONGEST_REFERENCE = 8
_HEAD = 2_000
_ODD_ENCODING = re.compile(rb"(?<=encoding=)(['\"])[^'\"\n]*?[\x80-\xff][^'\"\n]*+\1")
_UNFIT = bytes(each for each in range(32) if each not in b"\t\n\r\x0e\x0f\x1b")
"""Control characters that XML forbids; the three left out switch alphabets in Japanese mail."""
_BLANKED = bytes.maketrans(_UNFIT, b" " * len(_UNFIT))
_WIDE_STARTS = (
    # The four bytes of a first "<", with and without a byte order mark.
    (b"\xff\xfe\x00\x00", 4, "little"),
    (b"\x00\x00\xfe\xff", 4, "big"),
    (b"<\x00\x00\x00", 4, "little"),
    (b"\x00\x00\x00<", 4, "big"),
    (b"\xff\xfe", 2, "little"),
    (b"\xfe\xff", 2, "big"),
    (b"<\x00", 2, "little"),
    (b"\x00<", 2, "big"),
)


def narrow(body: bytes) -> tuple[bytes, int]:
    """The body with one byte for each unit of its encoding, and the length of a unit in bytes.

    UTF-16 and UTF-32 are brought to one byte a unit, with a question mark for what is not ASCII;
    all other encodings of feeds keep ASCII as it is. An offset times the unit is an offset in
    `body`.
    """
    for start, unit, order in _WIDE_STARTS:
        if body.startswith(start):
            units = array("H" if unit == 2 else "I", body[: len(body) // unit * unit])  # noqa: PLR2004 - bytes of UTF-16
            if order != byteorder:
                units.byteswap()
            return bytes(each if each < 128 else 63 for each in units), unit  # noqa: PLR2004 - ASCII ends there
    return body, 1


def readable(body: bytes, unit: int, content_type: str) -> tuple[bytes, str]:
    """A copy for the parser, and the content type that fits it.

    One character that XML forbids, in one comment under one post, would otherwise make feedparser
    give up on all of them. Wide encodings become UTF-8: without a mark it does not see them.
    """
    if unit > 1:
        body = body.decode(_wide_encoding(body, unit), "replace").encode()
        content_type = "application/xml; charset=utf-8"
    body = _REFERENCE.sub(_fit, body.translate(_BLANKED))
    # feedparser stumbles over the name of an encoding that is not ASCII itself.
    return _ODD_ENCODING.sub(b'"utf-8"', body[:_HEAD]) + body[_HEAD:], content_type


def _wide_encoding(body: bytes, unit: int) -> str:
    marked = body.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
    order = "" if marked else "-le" if body.startswith(b"<") else "-be"
    return f"utf-{8 * unit}{order}"


def _fit(reference: re.Match[bytes]) -> bytes:
    """A character reference, or that of the replacement character where XML has no such one."""
    digits, base = (reference["hex"], 16) if reference["hex"] else (reference["decimal"], 10)
    code = int(digits, base) if len(digits) <= _LONGEST_REFERENCE else 0
    fits = code in {9, 10, 13} or 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF  # noqa: PLR2004 - XML 1.0, production 2
    return reference.group() if fits else b"&#xFFFD;"


def danger(text: bytes) -> str:
    """Why a narrowed body must not be given to a parser; empty where it may."""
    element = _ELEMENT.search(text)
    for entity in _ENTITY.finditer(text, 0, element.start() if element else len(text)):
        if _NESTED.search(entity["declared"]):
            return "declares entities made of other entities"
    position = depth = tags = 0
    while (tag := _TAG.search(text, position)) is not None:
        position = _skip(text, tag)
        found = tag.group()
        if len(found) > _LONG_TAG and _attributes(found) > MOST_ATTRIBUTES:
            return f"has a tag with more than {MOST_ATTRIBUTES} attributes"
        if found.startswith(b"</"):
            depth = max(depth - 1, 0)
        elif _OPENED.match(found):
            depth = tags = 0  # many small items are not one large one
        elif not found.startswith(b"<!"):
            depth, tags = depth + (not found.endswith(b"/")), tags + 1
        if depth > MOST_NESTED or tags > MOST_TAGS:
            return f"has more than {MOST_TAGS} tags in one place, or {MOST_NESTED} in one another"
    return ""


def weed(text: bytes) -> tuple[bytes, int]:
    """A body without the items that would choke a parser, and how many those were.

    Whoever may write one comment could otherwise hide all the others. Blanks take the items'
    place, so that every offset stays. Nothing is weeded where items cannot be told apart.
    """
    spans = item_spans(text)
    hostile = [(start, end) for start, end in spans if danger(text[start:end])]
    kept = bytearray(text)
    for start, end in hostile:
        kept[start:end] = b" " * (end - start)
    return bytes(kept), len(hostile)


def _attributes(tag: bytes) -> int:
    bare = _QUOTED.sub(b" ", tag)
    return max(bare.count(b"="), len(bare.split()))


def _skip(text: bytes, mark: re.Match[bytes]) -> int:
    """Where to go on: after a comment or CDATA section, which end the search if they do not end."""
    terminator = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}.get(mark.group().upper())
    if terminator is None:
        return mark.end()
    end = text.find(terminator, mark.end())
    return len(text) if end < 0 else end + len(terminator)


def item_spans(text: bytes) -> list[tuple[int, int]]:
    """Where the items of a narrowed body stand, as (start, end), in their order.

    Empty where one has no end of its own: then a span could be somebody else's.
    """
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    position = 0
    while (mark := _ITEM.search(text, position)) is not None:
        position = _skip(text, mark)
        if mark["start"]:
            if opened is not None:
                return []
            closing = text.find(b">", mark.end())
            if closing < 0:
                return []
            position = closing + 1
            opened = mark.start()
            if text[closing - 1 : closing] == b"/":
                spans.append((opened, position))
                opened = None
        elif mark["end"]:
            if opened is None:
                return []
            spans.append((opened, position))
            opened = None
    return spans if opened is None else []


def is_closed(text: bytes) -> bool:
    """Whether the end of a feed was seen: otherwise it was cut off on its way."""
    return _CLOSED.search(text[-4096:]) is not None
