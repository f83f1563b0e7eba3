"""Whether the word behind a name is a word, or more of a longer name that is somebody else's.

Case says nothing here. A word is more of a name where it is no English word, nor nearly one, has no
ending of a verb, and stands where a name may end.
"""

from __future__ import annotations

from monitor.matching import strangers
from monitor.matching.names import is_unusual
from monitor.matching.text import Token
from monitor.matching.words import (
    common_surnames,
    english,
    is_english,
    is_ordinary,
    known_forenames,
    of_kind,
    word_list,
)

_ACTED_ON = word_list("longer.acted_on")
_ACTS = frozenset(["is", "was", "has", "had", "said", "says", "will", "who"])
_SHORTEST = 4
_NEAR = 8


def follows_longer_name(tokens: list[Token], last: int, surname: str) -> str:
    """Return "no", "maybe" or "yes": whether the word after a name makes it a longer name.

    An unusual surname is its bearer's whatever follows, but for a hyphen and a common surname.
    """
    if last >= len(tokens):
        return "no"
    after = tokens[last]
    if after.gap == "-":
        return "yes"
    if after.gap != " " or tokens[last - 1].owner or after.hidden or after.tag:
        return "no"
    if after.word in common_surnames() and not is_ordinary(after.word):
        return "yes"
    return "no" if is_unusual(surname) else _is_more_of_it(tokens, last)


def another_surname(tokens: list[Token], last: int) -> bool:
    """Whether a common surname follows a forename directly, so that it is another person's."""
    if last >= len(tokens) or tokens[last].gap != " " or tokens[last - 1].owner:
        return False
    word = tokens[last].word
    return word in common_surnames() and not of_kind(word, "function", "verb", "adverb", "chat")


def unknown_surname(tokens: list[Token], last: int) -> str:
    """Return "no", "maybe" or "yes": whether a surname follows a forename: "Tom Frostick's"."""
    if last >= len(tokens) or tokens[last].gap != " " or tokens[last - 1].owner:
        return "no"
    return "no" if tokens[last].hidden or tokens[last].tag else _is_more_of_it(tokens, last)


def _is_more_of_it(tokens: list[Token], at: int) -> str:
    """Return "no", "maybe" or "yes": whether the word at `at` is a name, not what somebody does."""
    word = tokens[at].word
    if len(word) < _SHORTEST or not strangers.reads_as_name(word) or _is_foreign(tokens, at):
        return "no"
    known = word in english().names
    if at + 1 >= len(tokens):
        return "yes" if known or tokens[at].owner else "maybe"
    after = tokens[at + 1]
    goes_on = after.gap == " " and after.sentence == tokens[at].sentence and not tokens[at].owner
    if goes_on and after.word in _ACTED_ON:
        return "no"
    return "yes" if known or tokens[at].owner or after.word in _ACTS else "maybe"


def _is_foreign(tokens: list[Token], at: int) -> bool:
    """Whether so few words around are English, names apart, that nobody can tell."""
    near = [
        token.word
        for token in (*tokens[max(0, at - _NEAR) : at], *tokens[at + 1 : at + 1 + _NEAR])
        if not (token.word in known_forenames() or token.word in common_surnames())
    ]
    return sum(is_english(word) for word in near) * 2 < len(near)
