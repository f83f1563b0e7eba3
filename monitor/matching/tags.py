"""Hashtags and run-together words cut into the words they are made of."""

from __future__ import annotations

import re
from collections.abc import Callable

from monitor.matching.index import Index
from monitor.matching.names import is_unusual
from monitor.matching.text import Reading, Token
from monitor.matching.words import TITLES, is_ordinary, is_word, known_forenames

_LONGEST = 60
_SHORTEST_REST = 5
_SHORTEST_SLIP = 5
_SHORTEST_BROKEN = 5
_DIVIDED = re.compile(r"^-[ \t]{0,2}\n?[ \t]{0,4}$")
_TITLES_IN_TAGS = ("miss", "mrs", "mr", "ms", "sir", "dr")


def split_tags(reading: Reading, index: Index) -> None:
    """Replace run-together tokens of a reading by their words, where all of them are known."""

    def is_name(word: str) -> bool:
        return index.has_surname(word) or word in index.forenames

    forenames = known_forenames()
    glued = [
        number
        for number, token in enumerate(reading.tokens)
        if 5 < len(token.word) <= _LONGEST  # noqa: PLR2004
        and not token.hidden
        and (token.tag or not (token.word in forenames or is_ordinary(token.word)))
    ]
    for number in reversed(glued):
        token = reading.tokens[number]
        pieces = _split(token, is_name, index)
        if len(pieces) > 1:
            reading.tokens[number : number + 1] = pieces


def join_broken(reading: Reading, index: Index) -> None:
    """Join a surname that a hyphen divides, at the end of a line too: "Featherstone-haugh".

    Not before a forename: "Okwu-osa, Adaeze" could be anything.
    """
    if "-" not in reading.text:
        return
    tokens, forenames = reading.tokens, known_forenames()
    for number in range(len(tokens) - 1, 0, -1):
        rest = tokens[number]
        if rest.gap[:1] != "-":
            continue
        first = tokens[number - 1]
        whole = first.word + rest.word
        after = tokens[number + 1].word if number + 1 < len(tokens) else ""
        if (
            _DIVIDED.match(rest.gap)
            and len(whole) >= _SHORTEST_BROKEN
            and not (first.hidden or rest.hidden or first.owner or first.tag or rest.tag)
            and index.has_surname(whole)
            and len(index.parts(whole)) == 1
            and (is_unusual(whole) or "\n" in rest.gap)
            and not (after and (after in forenames or after in index.forenames))
        ):
            tokens[number - 1 : number + 1] = [
                first._replace(word=whole, end=rest.end, owner=rest.owner)
            ]


def _split(token: Token, is_name: Callable[[str], bool], index: Index) -> list[Token]:
    word = token.word
    if is_name(word):
        return [token]
    pieces = _cut(word, is_name, index) if token.tag else cut_name(word, index)
    if len(pieces) < 2:  # noqa: PLR2004
        return [token]
    found, at = [], token.start
    for number, piece in enumerate(pieces):
        found.append(
            token._replace(
                glued=not token.tag, word=piece, start=at, end=at + len(piece),
                gap=token.gap if number == 0 else "",
                owner=token.owner and number == len(pieces) - 1,
            )
        )  # fmt: skip
        at += len(piece)
    return found


def _cut(word: str, is_name: Callable[[str], bool], index: Index) -> list[str]:
    """Return the fewest known words that make up a hashtag; nothing where it cannot be cut."""
    best: list[tuple[int, int] | None] = [None] * (len(word) + 1)
    best[0] = (0, 0)
    for end in range(1, len(word) + 1):
        for begin in range(max(0, end - 24), end):
            cost = best[begin]
            piece = word[begin:end]
            if cost is None:
                continue
            price = _price(piece, is_name)
            here = best[end]
            if price and (here is None or cost[0] + price < here[0]):
                best[end] = (cost[0] + price, begin)
    if best[-1] is None:
        return _cut_behind_title(word, best) or _cut_behind_forename(word, best, index)
    return _pieces(word, best, len(word))


def _cut_behind_title(word: str, best: list[tuple[int, int] | None]) -> list[str]:
    """Cut a hashtag that ends in a word nobody knows behind a title: "sack|miss|okafer|out"."""
    for at in range(len(word) - _SHORTEST_REST - 1):
        for title in _TITLES_IN_TAGS:
            rest = word[at + len(title) :]
            if best[at] is None or not word.startswith(title, at) or len(rest) < _SHORTEST_REST:
                continue
            name = rest.removesuffix("out")
            out = [name, "out"] if name != rest and len(name) >= _SHORTEST_REST else [rest]
            return [*_pieces(word, best, at), title, *out]
    return []


def _cut_behind_forename(word: str, best: list[tuple[int, int] | None], index: Index) -> list[str]:
    """Cut a hashtag that ends in a slip in a full name: "adaeze|okwousa|out"."""
    for at in range(len(word) - _SHORTEST_SLIP - 1):
        for end in range(at + 3, len(word) - _SHORTEST_SLIP + 1) if best[at] else ():
            if word[at:end] in index.forenames:
                for slip in slips_at_the_end(word[end:]):
                    if any(index.named(name, word[at:end]) for name in index.near(slip)):
                        out = word[end + len(slip) :]
                        return [
                            *_pieces(word, best, at),
                            word[at:end],
                            slip,
                            *([out] if out else []),
                        ]
    return []


def slips_at_the_end(rest: str) -> list[str]:
    """Return what may be a surname written wrongly at the end of a hashtag."""
    whole = (rest, rest.removesuffix("out"))
    return [slip for slip in dict.fromkeys(whole) if len(slip) >= _SHORTEST_SLIP]


def _pieces(word: str, best: list[tuple[int, int] | None], end: int) -> list[str]:
    """Return the words that make up the first `end` letters most cheaply."""
    pieces = []
    while end:
        step = best[end]
        assert step is not None
        pieces.append(word[step[1] : end])
        end = step[1]
    return pieces[::-1]


def _price(piece: str, is_name: Callable[[str], bool]) -> int:
    if piece.isdigit():
        return 3
    if is_name(piece) and len(piece) > 2:  # noqa: PLR2004
        return 1 if len(piece) > 3 else 3  # noqa: PLR2004
    if piece in TITLES and len(piece) > 1:
        return 2
    if len(piece) > 2 and (is_ordinary(piece) or piece in known_forenames()):  # noqa: PLR2004
        return 2
    small = piece in {"a", "i", "s"} or (len(piece) == 2 and is_word(piece))  # noqa: PLR2004
    return 5 if small else 0


def cut_name(word: str, index: Index) -> list[str]:
    """Return a title or forename and the surname that a word is made of ("mrhill", "danrose")."""
    for cut in range(2, len(word) - 2):
        head, tail = word[:cut], word[cut:]
        if not (index.has_surname(tail) or index.has_surname(tail.removesuffix("s"))):
            continue
        if head in TITLES or (head in known_forenames() and len(head) > 2):  # noqa: PLR2004
            return [head, tail]
    return []
