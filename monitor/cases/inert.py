"""Makes what strangers wrote harmless to show: bounded, printable, masked where asked, unlinked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

_ZERO_WIDTH_JOINER = "\u200d"
_LINE_ENDS = frozenset("\n\r\v\f\x85\u2028\u2029")
_MARKS_KEPT = 4
"""Combining marks after one letter that a language may need; a flood of them is cut."""

_LINES_KEPT = 40
_CUT = "… [cut here; all of it is kept as evidence]"

_WORDS_SHOWN = 12
_DOTS_SHOWN = 6
_DOT = "·"
"""A middle dot, because screen readers pass over it; they say "bullet" for every •."""

_SPACED_OUT = re.compile(r"(?<!\S)\w(?:\s+\w){2,}(?!\S)")
_DOT_THAT_LINKS = re.compile(r"(?<=[^\s.])\.(?=[^\W\d_]{2,})")
_URL_LIMIT = 500
_PATH_AS_IS = "/%:=&?~+!$,;@()*'"


def inert(text: str, *, limit: int, lines: bool = False) -> str:
    """Return at most `limit` code points of `text` that can only be read.

    Control characters, direction overrides, and invisible characters go; halves of surrogate pairs
    and private characters become U+FFFD; floods of combining marks are cut. Line breaks become
    spaces unless `lines`, which keeps up to 40 lines. The work is bounded by `limit`, not by the
    length of the text.
    """
    head = text[: limit * 4]
    shown = "".join(_printable(head))
    if lines:
        rows = [" ".join(row.split()) for row in shown.split("\n")]
        kept = [row for at, row in enumerate(rows) if row or (at and rows[at - 1])]
        whole = len(kept) <= _LINES_KEPT
        shown = "\n".join(kept[:_LINES_KEPT]).strip()
    else:
        shown, whole = " ".join(shown.split()), True
    if len(shown) <= limit and whole and len(head) == len(text):
        return shown
    return f"{shown[:limit].rstrip()}{_CUT if lines else '…'}"


def _printable(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if letter in _LINE_ENDS:
            kept.append("\n")
        elif letter == _ZERO_WIDTH_JOINER:
            # Families of emoji are joined by it; between letters it only hides things.
            if kept and unicodedata.category(kept[-1]) in {"So", "Sk", "Mn"}:
                kept.append(letter)
        elif kind in {"Cs", "Co", "Cn"}:
            kept.append("\N{REPLACEMENT CHARACTER}")
        elif kind[0] == "Z" or letter == "\t":
            kept.append(" ")
        elif kind not in {"Cc", "Cf"} and marks <= _MARKS_KEPT:
            kept.append(letter)
    return kept


def masked(words: str) -> str:
    """Return words as initials and dots: "kill you 🔪" becomes "k··· y·· [emoji]".

    A word keeps its first letter, with that letter's combining marks, and a leading # or @; every
    further character is a dot, six at most, so that a length never identifies a word. Digits are
    dots from the first on (they may be an address or a number). A run of pictures is "[emoji]".
    Letters that were spaced out ("k i l l") are one word. Twelve words at most.
    """
    plain = inert(words, limit=400)
    joined = _SPACED_OUT.sub(lambda found: "".join(found.group().split()), plain)
    pieces = joined.split()
    shown = " ".join(_masked_word(piece) for piece in pieces[:_WORDS_SHOWN])
    return f"{shown} …" if len(pieces) > _WORDS_SHOWN else shown


def _masked_word(word: str) -> str:
    shown, dots, letters = "", 0, 0
    for letter in word:
        kind = unicodedata.category(letter)
        if kind in {"Mn", "Me", "Mc"}:
            if letters == 1 and not dots and kind != "Me" and letter != "\ufe0f":
                shown += letter
        elif kind in {"So", "Sk"} or letter == _ZERO_WIDTH_JOINER:
            shown = shown.removesuffix("[emoji]") + "[emoji]"
        elif not letters and not dots and letter in "#@":
            shown += letter
        elif kind[0] == "L" and not letters:
            shown, letters = shown + letter, 1
        elif dots < _DOTS_SHOWN:
            shown, dots, letters = shown + _DOT, dots + 1, letters + (kind[0] == "L")
    return shown


def unlinked(text: str) -> str:
    """The text with addresses in it written so that no mail program makes a link of them."""
    return _DOT_THAT_LINKS.sub("[.]", text.replace("://", "[:]//"))


@dataclass(frozen=True, slots=True)
class Place:
    """An address as it may be shown; `href` is empty where it must not become a link."""

    shown: str
    href: str = ""


def place(url: str) -> Place:
    """Say how an address may be shown: as a link only when it is plain http(s) and ordinary.

    An address with a user name in it, letters beyond ASCII or punycode in its host, blanks,
    control characters, or more than 500 characters is written out with its dots in brackets.
    """
    safe = _ordinary(url.strip()) if len(url) <= _URL_LIMIT else None
    if safe is not None:
        return Place(shown=safe, href=safe)
    defanged = re.sub(r"(?i)^http", "hxxp", inert(url, limit=_URL_LIMIT))
    return Place(shown=defanged.replace(":", "[:]").replace(".", "[.]"))


def _ordinary(url: str) -> str | None:
    """The address with its path in percent-encoding, or None where it is not an ordinary one."""
    if any(not letter.isprintable() or letter in " <>\"'\\`{}|^" for letter in url):
        return None
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return None
    ordinary_host = host.isascii() and "@" not in parts.netloc and "xn--" not in host
    if parts.scheme not in {"http", "https"} or not host or not ordinary_host:
        return None
    return urlunsplit(
        (
            parts.scheme,
            parts.netloc,
            quote(parts.path, safe=_PATH_AS_IS),
            quote(parts.query, safe=_PATH_AS_IS),
            quote(parts.fragment, safe=_PATH_AS_IS),
        )
    )
