"""Every way to read a stretch of tokens as one word: plain, joined, possessive, and disguised."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from monitor.matching.kinds import BEGINS, LONGEST, NAME, OWNER
from monitor.matching.names import PREFIXES
from monitor.matching.text import Reading, Token
from monitor.matching.words import TITLES, is_ordinary, known_forenames

_INSIDE_NAMES = frozenset({"", " ", "-", "'", "' ", " '", "- ", " -", ". ", "."})
_INSIDE_SURNAMES = frozenset({" ", "-", "'"})
_MOST_NEIGHBOURS, _MOST_READINGS = 3, 4
_REPEAT = re.compile(r"([^\W\d_])\1{2,}")
_THRICE = re.compile(r"(.)\1\1")  # in whatever the last finds, and quicker to look for
LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "l", "€": "e", "£": "l", "+": "t", "(": "c",
}  # fmt: skip
_LEET_CHUNK = re.compile(r"(?<![\w@$!|€£+(])[\w@$!|€£+(]{2,40}(?![\w@$!|€£+(])")
LETTERS_APART = re.compile(r"(?<![^\W_])[^\W_]{1,2}(?:[ .\-_*·•|/\\,~]{1,3}[^\W_](?![^\W_])){2,40}")
_MASKED = re.compile(
    r"(?<![^\W_])(?:[^\W_]{1,20}(?:[*•●~·…%^&]{1,8}[^\W_]{1,20}){1,8}|[^\W_]{2,20}[*•●]{1,8}(?![\w*]))"
)
_MASKS = frozenset("*•●~·…%^&")
_SIGN_INSIDE = re.compile(r"[^\W_][!|+(]+[^\W_]")
_DOTS = frozenset({".", "_", "*", "·", "~", "|"})
_SIGNS = re.compile(rf"[0-9@$€£!|+({re.escape(''.join(sorted(_MASKS)))}]")
_DOT_INSIDE = re.compile(rf"[{re.escape(''.join(sorted(_DOTS)))}](?=[^\W_])")
_MASKED_BEHIND_APOSTROPHE = re.compile(r"(?<![^\W_])[^\W_]{1,3}'[^\W_]{0,20}[*]{1,6}[^\W_]{1,20}")


class Edge(NamedTuple):
    """Tokens [first, last) read as one word; `how` is empty for the plain reading."""

    first: int
    last: int
    word: str
    how: str


def plain_edges(
    tokens: list[Token],
    kinds_of: Callable[[str], int],
    known: Callable[[str], bool],
    goes_on: Callable[[str], bool],
) -> Iterable[Edge]:
    """Yield the names among tokens and runs of two to five with little or nothing between.

    `kinds_of` gives the bits NAME, OWNER and BEGINS of a word, `known` tells the names that several
    words make, and `goes_on` whether such a name may go on behind these.
    """
    for at, kinds in enumerate(map(kinds_of, [token.word for token in tokens])):
        token = tokens[at]
        if not kinds or token.hidden or len(token.word) > LONGEST:
            continue
        if kinds & NAME:
            yield Edge(at, at + 1, token.word, "")
        if kinds & OWNER and not token.owner:
            yield Edge(at, at + 1, token.word[:-1], "possessive")
        after = tokens[at + 1].word if at + 1 < len(tokens) else ""
        if after and (kinds & BEGINS or after == "s"):
            pair = token.word + after
            if goes_on(pair) or known(pair) or pair[-1] == "s" or token.word in PREFIXES:
                yield from _joined_edges(tokens, at, known, goes_on)


def _joined_edges(
    tokens: list[Token], at: int, known: Callable[[str], bool], goes_on: Callable[[str], bool]
) -> Iterable[Edge]:
    """Yield the names that the word at `at` makes with one to four words behind it."""
    joined = tokens[at].word
    prefixed = joined in PREFIXES  # "de la" leads to a surname that may be written as one word
    for last in range(at + 1, min(at + 5, len(tokens))):
        after = tokens[last]
        if after.hidden or after.gap not in _INSIDE_NAMES or len(joined) > LONGEST:
            break
        if "." in after.gap and joined not in PREFIXES:
            break
        joined += after.word
        whole = known(joined)
        if whole:
            yield Edge(at, last + 1, joined, "joined")
        if joined[-1] == "s" and not after.owner and known(joined[:-1]):
            yield Edge(at, last + 1, joined[:-1], "joined")
        prefixed = prefixed and after.word in PREFIXES
        if not (whole or prefixed or goes_on(joined)):
            break


def disguised_edges(
    reading: Reading, known: Callable[[str], bool], masked: Callable[[str], Iterable[str]]
) -> Iterable[Edge]:
    """Yield what disguised words may stand for; `known` tells names, `masked` completes gaps."""
    tokens, text = reading.tokens, reading.text
    signs = set(_SIGNS.findall(text))
    if _THRICE.search(text):
        yield from _repeats(tokens)
    if _may_be_leet(text, signs):
        yield from _leet(reading, known)
    if [len(token.word) for token in tokens].count(1) > 1:
        yield from _apart(reading, known)
    if not signs.isdisjoint(_MASKS):
        yield from _masks(reading, masked, known)
    if _DOT_INSIDE.search(text):
        yield from _dotted(tokens, known)


def _may_be_leet(text: str, signs: set[str]) -> bool:
    """Whether a digit or a sign may stand for a letter: not those that only close a word."""
    return not signs.isdisjoint("0123456789@$€£") or (
        not signs.isdisjoint("!|+(") and _SIGN_INSIDE.search(text) is not None
    )


def widened_edges(
    tokens: list[Token],
    edges: list[Edge],
    known: Callable[[str], bool],
    piece: Callable[[str], bool],
) -> Iterable[Edge]:
    """Yield disguised words joined with their neighbours to a known surname ("ap gw1lym").

    One neighbour may be any word; more ("Abd al-H*mid", "Fr0st-4bernethy") only where all are such
    pieces of surnames of the roster as `piece` knows, plain or disguised.
    """
    read: dict[int, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.last == edge.first + 1 and piece(edge.word):
            read[edge.first].append(edge.word)
    for edge in edges:
        grown = {(edge.first, edge.last, edge.word)}
        for _ in range(_MOST_NEIGHBOURS):
            wider = {step for one in grown for step in _wider(tokens, read, *one)}
            for first, last, word, _ in sorted(wider):
                if known(word):
                    yield Edge(first, last, word, edge.how)
            grown = {step[:3] for step in wider if piece(edge.word) and piece(step[3])}


def _wider(
    tokens: list[Token], read: dict[int, list[str]], first: int, last: int, word: str
) -> Iterable[tuple[int, int, str, str]]:
    """Yield tokens [first, last) with one neighbour more, their word and that neighbour's."""
    for at, gap in ((first - 1, first), (last, last)):
        if not 0 <= at < len(tokens) or tokens[gap].gap not in _INSIDE_SURNAMES:
            continue
        if tokens[at].hidden:
            continue
        for one in (tokens[at].word, *read.get(at, ())[:_MOST_READINGS]):
            if at < first:
                yield at, last, one + word, one
            else:
                yield first, last + 1, word + one, one


def _repeats(tokens: list[Token]) -> Iterable[Edge]:
    for at, token in enumerate(tokens):
        if token.hidden or len(token.word) > LONGEST * 4 or not _REPEAT.search(token.word):
            continue
        for kept in (r"\1", r"\1\1"):
            word = _REPEAT.sub(kept, token.word)
            yield Edge(at, at + 1, word, "repeat")
            if word[-1] == "s":
                yield Edge(at, at + 1, word[:-1], "repeat")


def _covered(tokens: list[Token], start: int, end: int) -> tuple[int, int] | None:
    """Return the tokens [first, last) that a stretch of characters touches, none of them hidden."""
    first = _first_after(tokens, start)
    last = first
    while last < len(tokens) and tokens[last].start < end:
        if tokens[last].hidden:
            return None
        last += 1
    return (first, last) if last > first else None


def _first_after(tokens: list[Token], start: int) -> int:
    low, high = 0, len(tokens)
    while low < high:
        middle = (low + high) // 2
        if tokens[middle].end <= start:
            low = middle + 1
        else:
            high = middle
    return low


def _leet(reading: Reading, known: Callable[[str], bool]) -> Iterable[Edge]:
    for found in _LEET_CHUNK.finditer(reading.text):
        chunk = found[0].rstrip("!+(|").lstrip("!+|(")
        if chunk.isalpha() or not any(sign.isalpha() for sign in chunk) or "_" in chunk:
            continue
        start = found.start() + found[0].find(chunk)
        for one in "il":
            table = {**LEET, "1": one, "!": one, "|": one}
            word = "".join(table.get(sign, sign) for sign in chunk)
            for form in (word, word[:-1] if word.endswith("s") else ""):
                if form.isalpha() and (known(form) or form in TITLES):
                    cover = _covered(reading.tokens, start, start + len(chunk))
                    if cover is not None:
                        yield Edge(*cover, form, "leet")


def _apart(  # noqa: C901 - begins and ends of words in one run of letters
    reading: Reading, known: Callable[[str], bool]
) -> Iterable[Edge]:
    """Yield words whose letters stand apart: "o k a f o r", "o.k.a.f.o.r", "m r. y . o . u"."""
    for found in LETTERS_APART.finditer(reading.text):
        cover = _covered(reading.tokens, *found.span())
        if cover is None:
            continue
        first, last = cover
        letters = [token.word for token in reading.tokens[first:last]]
        whole = "".join(letters)
        if is_ordinary(whole) and not known(whole):
            continue  # "b r o k e n" is no "bro Ken"
        starts = {0: 0}
        for step, letter in enumerate(letters):
            starts[starts_at(starts) + len(letter)] = step + 1
        for begin, at in starts.items():
            for end in range(min(len(whole), begin + LONGEST), begin + 2, -1):
                if end not in starts:
                    continue
                word = whole[begin:end]
                if not (known(word) or (word in TITLES and begin == 0)):
                    continue
                if _fits_apart(reading.tokens, first + at, first + starts[end], first, last, known):
                    yield Edge(first + at, first + starts[end], word, "spaced")
        for title in TITLES:
            if whole.startswith(title) and len(title) in starts and known(whole[len(title) :]):
                yield Edge(first, first + starts[len(title)], title, "spaced")


def starts_at(starts: dict[int, int]) -> int:
    return max(starts)


def _fits_apart(
    tokens: list[Token], begin: int, end: int, first: int, last: int, known: Callable[[str], bool]
) -> bool:
    """Whether letters [begin, end) of a run make a word of their own."""
    before = "".join(token.word for token in tokens[first:begin])
    after = "".join(token.word for token in tokens[end:last])

    def is_word(word: str) -> bool:
        return (
            not word
            or known(word)
            or word in TITLES
            or is_ordinary(word)
            or word in known_forenames()
        )

    widths = [len(token.gap) for token in tokens[first + 1 : last]]
    if len(set(widths)) > 1:
        wide = {first, last} | {
            at for at in range(first + 1, last) if len(tokens[at].gap) > min(widths)
        }
        return begin in wide and end in wide
    return is_word(before) and is_word(after)


def _masks(
    reading: Reading, masked: Callable[[str], Iterable[str]], known: Callable[[str], bool]
) -> Iterable[Edge]:
    tokens = reading.tokens

    def piece(word: str) -> bool:
        return word in PREFIXES or known(word)

    for found in _MASKED.finditer(reading.text):
        pattern = "".join(sign if sign.isalnum() else "*" for sign in found[0])
        seen = sum(sign != "*" for sign in pattern)
        if len(pattern) > LONGEST or seen < 3 or seen * 2 < len(pattern):  # noqa: PLR2004
            continue
        cover = _covered(reading.tokens, *found.span())
        if cover is not None:
            for first, longer in ((cover[0], pattern), *_led(tokens, cover[0], pattern, piece)):
                for word in masked(longer):
                    yield Edge(first, cover[1], word, "masked")
    # An apostrophe may stand beside the mask: "n'd**ye".
    for found in _MASKED_BEHIND_APOSTROPHE.finditer(reading.text):
        pattern = "".join(sign if sign.isalnum() else "*" for sign in found[0].replace("'", ""))
        cover = _covered(reading.tokens, *found.span())
        if cover is not None and sum(sign != "*" for sign in pattern) * 2 >= len(pattern):
            for word in masked(pattern):
                yield Edge(*cover, word, "masked")


def _led(
    tokens: list[Token], first: int, pattern: str, piece: Callable[[str], bool]
) -> Iterable[tuple[int, str]]:
    """Yield the masked word with what leads to it: "van der v*lde", "mac an t-s*oir"."""
    for at in range(first - 1, max(-1, first - _MOST_NEIGHBOURS - 1), -1):
        if not piece(tokens[at].word) or tokens[at + 1].gap not in _INSIDE_SURNAMES:
            return
        pattern = tokens[at].word + pattern
        yield at, pattern


def _dotted(tokens: list[Token], known: Callable[[str], bool]) -> Iterable[Edge]:
    """Yield words broken by signs without a gap ("oka.for", "ok-a-for")."""
    for at in range(len(tokens) - 1):
        if tokens[at].hidden:
            continue
        joined = tokens[at].word
        for last in range(at + 1, min(at + 6, len(tokens))):
            if tokens[last].gap not in _DOTS or tokens[last].hidden:
                break
            joined += tokens[last].word
            if len(joined) >= 5 and known(joined):  # noqa: PLR2004
                yield Edge(at, last + 1, joined, "spaced")
