"""Signs that a name is a tradesman's of the town, somebody's in a story, or a costume."""

from __future__ import annotations

from typing import Final

from monitor.matching.strangers import TRADES
from monitor.matching.text import Token
from monitor.matching.words import word_list

_PAIRS: Final = frozenset(tuple(pair.split("-")) for pair in word_list("trades.pairs"))
_STORIES: Final = frozenset(tuple(title.split("-")) for title in word_list("trades.stories"))
_LONGEST_TITLE: Final = max(map(len, _STORIES))
_WORKS: Final = word_list("trades.works")
_LEADS: Final = frozenset(["the", "a", "our", "my", "your", "their", "is", "was", "local", "same"])
_FROM: Final = frozenset(["from", "in", "off", "of"])
_MINE: Final = frozenset(["my", "our", "mine", "ours", "mums", "nans", "mam", "mum", "the", "next"])
_BESIDE: Final = 5
_PUT_ON: Final = word_list("trades.put_on")
_REACH: Final = 4


def works_elsewhere(tokens: list[Token], first: int, last: int, *, wide: bool) -> bool:
    """Whether a trade of two words belongs to a name: "Mr Hope the chimney sweep".

    With `wide`, where only a place ties the post to a school, any trade in the sentence does, and
    so does work for a price: "cut mine back lovely, £90".
    """
    here = tokens[first].sentence
    sentence = [at for at, token in enumerate(tokens) if token.sentence == here]
    pairs = [at for at in sentence[:-1] if (tokens[at].word, tokens[at + 1].word) in _PAIRS]
    if any(last <= at < last + _BESIDE and _is_led(tokens, last, at) for at in pairs):
        return True
    traded = any(tokens[at].word in TRADES and not first <= at < last for at in sentence)
    return wide and (bool(pairs) or traded or _is_paid(tokens, last))


def _is_led(tokens: list[Token], last: int, at: int) -> bool:
    """Whether only small words, a comma or a bracket stand between a name and its trade."""
    return all(tokens[step].word in _LEADS for step in range(last, at))


def _is_paid(tokens: list[Token], last: int) -> bool:
    """Whether work on somebody's house or garden is done for money: "did our gutters, 40 quid"."""
    words = [token.word for token in tokens[last : last + 2]]
    if len(words) < 2 or words[0] not in _WORKS or words[1] not in _MINE:  # noqa: PLR2004
        return False
    return any(
        "£" in token.gap or token.word in {"quid", "pound", "pounds", "cash", "invoice", "quote"}
        for token in tokens[last:]
    )


def is_character(tokens: list[Token], last: int) -> bool:
    """Whether the title of a film, book or game follows: "woody from toy story"."""
    if last + 1 >= len(tokens) or tokens[last].word not in _FROM:
        return False
    shortest = 1 if tokens[last].word == "from" else 2
    begin = last + 1 + (tokens[last + 1].word in {"the", "disneys"})
    words = tuple(token.word for token in tokens[begin : begin + _LONGEST_TITLE])
    return any(words[:length] in _STORIES for length in range(shortest, len(words) + 1))


def is_costume(tokens: list[Token], first: int) -> bool:
    """Whether somebody comes as a name, so that it may be a figure's: "came as woody"."""
    if not first or tokens[first - 1].word != "as":
        return False
    before = tokens[max(0, first - _REACH) : first - 1]
    return any(
        token.word in _PUT_ON and token.sentence == tokens[first].sentence for token in before
    )


def wears_costume(tokens: list[Token], last: int) -> bool:
    """Whether whoever is named before comes as somebody else: "gary came dressed as a pirate"."""
    ahead = [token.word for token in tokens[last : last + _REACH] if not token.gap.strip()]
    return ahead[:1] != [] and ahead[0] in _PUT_ON and "as" in ahead
