"""A field of a post made ready for the rules: tokens, sentences, and the parts that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.matching.normalise import Folded
from monitor.matching.words import TITLES

_WORDS = re.compile(r"([^\W_]+)")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]+"
    r"|(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}/[^\s<>\"]*"
)
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_ACCOUNT = re.compile(r"(?<![\w.])@[\w.-]+(?:@[\w.-]+)?")
_CHUNK = re.compile(r"(?<![\w.@#-])\w[\w.]{0,80}")
_LONG_CHUNK = re.compile(r"(?<![\w.@#-])\w[\w.]{4,80}")
_HASHTAG = re.compile(r"#(\w+)")
_QUOTE_MARK = re.compile(r"^[>|\s]*")
_CLOSING = re.compile(
    r"^(?:(?:kind|kindest|best|warm|warmest|with kind|with best)\s+(?:regards|wishes)|regards|"
    r"(?:yours\s+)?(?:sincerely|faithfully|truly)|many thanks|best|thanks|cheers|yours)[\s,.!]*$"
)
_CLOSING_INSIDE = re.compile(
    r"(?:\b(?:kind|kindest|best|warm|warmest)\s+regards\b|\byours\s+(?:sincerely|faithfully)\b)[\s,.]*"
)
_CONTACT = re.compile(
    r"\b(?:tel|telephone|phone|mob|mobile|direct line|direct dial|fax|ext|e-?mail|web|www)\b"
    r"|\b0\d[\d\s]{7,}|\+44[\d\s]{8,}|[\w.%+-]{1,64}@[a-z0-9-]{1,63}\."
)
_JOINED_TITLES = frozenset(["mr", "mrs", "miss", "ms", "mx", "dr", "sir"])
_LONGEST_SIGNATURE_LINE = 70
_MOST_SIGNATURE_LINES = 8


class Token(NamedTuple):
    """A word of the folded text; `gap` is what stands between it and the word before.

    `hidden` words (addresses, accounts, signatures) are nobody's name. `tag` words stand in a
    hashtag. `owner` is true where "'s" follows, `glued` where two names stood in one word.
    Case is gone: no rule can ask for it.
    """

    word: str
    start: int
    end: int
    gap: str
    sentence: int = 0
    hidden: bool = False
    tag: bool = False
    owner: bool = False
    glued: bool = False


class Span(NamedTuple):
    """A piece of folded text with its words, such as an address or an account."""

    start: int
    end: int
    text: str


class Reading:
    """One field of one post, folded and cut up once for every rule."""

    __slots__ = (
        "_cover",
        "accounts",
        "emails",
        "folded",
        "hashtags",
        "signatures",
        "text",
        "tokens",
        "urls",
    )  # fmt: skip

    def __init__(self, original: str) -> None:
        self.folded = Folded(original)
        text = self.text = self.folded.text
        self.urls = _spans(_URL, text) if "/" in text or "www." in text else ()
        self.emails = _spans(_EMAIL, text) if "@" in text else ()
        self.accounts = _spans(_ACCOUNT, text) if "@" in text else ()
        self.hashtags = _spans(_HASHTAG, text) if "#" in text else ()
        hidden = [*self.urls, *self.emails, *self.accounts]
        self._cover = _cover(len(text), hidden) if hidden else None
        if "_" in text:
            hidden.extend(_underscored(self._chunks(_CHUNK)))
        self.signatures = _signatures(text)
        hidden.extend(self.signatures)
        self.tokens = _tokens(self.folded, hidden, self.hashtags)

    def chunk_texts(self) -> list[str]:
        """Return what `chunks` yields and what stands in addresses, as texts alone."""
        return _LONG_CHUNK.findall(self.text)

    def chunks(self) -> Iterator[re.Match[str]]:
        """Yield the pieces of at least five letters, digits, "_" and dots outside addresses."""
        return self._chunks(_LONG_CHUNK)

    def _chunks(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        for found in pattern.finditer(self.text):
            if self._cover is None or not self._cover[found.start()]:
                yield found


def _spans(pattern: re.Pattern[str], text: str) -> tuple[Span, ...]:
    return tuple(Span(*found.span(), found[0]) for found in pattern.finditer(text))


def _underscored(chunks: Iterator[re.Match[str]]) -> list[Span]:
    """Return words joined by underscores: names of accounts. "_Okafor_", "Mr_Pugh" are none."""
    joined = [(found, [piece for piece in found[0].split("_") if piece]) for found in chunks]
    return [
        Span(*found.span(), found[0])
        for found, pieces in joined
        if "_" in found[0].strip("_")
        and all(len(piece) > 1 for piece in pieces)
        and not (len(pieces) == 2 and pieces[0] in _JOINED_TITLES)  # noqa: PLR2004
    ]


def _cover(length: int, hidden: list[Span]) -> bytearray:
    """Return a byte for each character: 1 where it lies in one of the spans."""
    cover = bytearray(length)
    for span in hidden:
        cover[span.start : span.end] = b"\x01" * (span.end - span.start)
    return cover


def _tokens(folded: Folded, hidden: list[Span], tags: tuple[Span, ...]) -> list[Token]:
    cover = _marks(len(folded.text), hidden, tags)
    # Gap, word, gap, word, …, gap.
    pieces = _WORDS.split(folded.text)
    tokens: list[Token] = []
    end, sentence = 0, 0
    for gap, word in zip(pieces[::2], pieces[1::2], strict=False):  # what follows the last word
        start = end + len(gap)
        end = start + len(word)
        if gap != " " and tokens:
            if word == "s" and gap == "'":
                tokens[-1] = tokens[-1]._replace(owner=True)
                continue
            if _breaks(tokens[-1].word, gap):
                sentence += 1
        mark = cover[start] if cover else 0
        # Made without the call of Token: there is one for every word of every post.
        tokens.append(tuple.__new__(Token, (
            word, start, end, gap, sentence, mark == 1, mark == 2, False, False,  # noqa: PLR2004
        )))  # fmt: skip
    return tokens


def _marks(length: int, hidden: list[Span], tags: tuple[Span, ...]) -> bytearray | None:
    """Return for each character 1 where it is hidden, 2 in a hashtag; None where nothing is."""
    if not hidden and not tags:
        return None
    cover = _cover(length, hidden)
    for span in tags:
        if not cover[span.start]:
            cover[span.start : span.end] = b"\x02" * (span.end - span.start)
    return cover


def _breaks(before: str, gap: str) -> bool:
    """Whether a sentence ends in this gap."""
    if gap == " ":
        return False
    if "\n" in gap:
        return True
    if gap.startswith(".") and (before in TITLES or len(before) == 1):
        return False
    return any(sign in gap for sign in ("!", "?", "…")) or ". " in gap or gap.count(".") > 1


def _signatures(text: str) -> list[Span]:
    """Return the e-mail signatures: after "--", after a closing, and blocks with a number below."""
    found = []
    closing = _CLOSING_INSIDE.search(text) if "regards" in text or "yours" in text else None
    if closing is not None:
        stop = text.find("\n", closing.end())
        stop = min(len(text) if stop < 0 else stop, closing.end() + 160)
        found.append(Span(closing.start(), stop, ""))
    if "\n" not in text:
        return found
    lines, at = [], 0
    for line in text.split("\n"):
        lines.append((at, at + len(line), _QUOTE_MARK.sub("", line).rstrip(" '\"")))
        at += len(line) + 1
    number = 0
    while number < len(lines):
        bare = lines[number][2]
        if bare in {"-", "--", "---", "__", "___"} or _CLOSING.match(bare):
            last = _signature_end(lines, number + 1)
            if last > number:
                found.append(Span(lines[number][0], lines[last][1], ""))
                number = last
        number += 1
    found.extend(_contact_block(lines))
    return found


def _signature_end(lines: list[tuple[int, int, str]], first: int) -> int:
    """Return the last line of a signature that starts on `first`, else `first - 1`."""
    last, taken, number = first - 1, 0, first
    while number < len(lines) and taken < _MOST_SIGNATURE_LINES:
        bare = lines[number][2]
        if len(bare) > _LONGEST_SIGNATURE_LINE or (not bare and taken):
            break
        if bare:
            last, taken = number, taken + 1
        number += 1
    return last


def _contact_block(lines: list[tuple[int, int, str]]) -> list[Span]:
    """Return a last block of short lines, one of them a number or an address."""
    last = len(lines) - 1
    while last >= 0 and not lines[last][2]:
        last -= 1
    first = last
    while first > 0 and lines[first - 1][2] and len(lines[first - 1][2]) <= _LONGEST_SIGNATURE_LINE:
        first -= 1
    block = lines[first : last + 1]
    if (
        1 < len(block) <= _MOST_SIGNATURE_LINES
        and any(_CONTACT.search(line[2]) for line in block[1:])
        and all(not line[2].endswith(("!", "?")) for line in block)
    ):
        return [Span(block[0][0], block[-1][1], "")]
    return []
