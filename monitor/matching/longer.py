"""Whether the word behind a name is a word, or more of a longer name that is somebody else's.

Case says nothing here. A word is more of a name where it is no English word, nor nearly one, has no
ending of a verb, and stands where a name may end.
"""

from __future__ import annotations

from monitor.matching import strangers
from monitor.matching.names import is_unusual
from monitor.matching.text import Token
from monitor.matching.words import (
    celebrities,
    common_surnames,
    english,
    is_english,
    is_ordinary,
    known_forenames,
    of_kind,
    word_list,
)

_ACTED_ON = word_list("longer.acted_on")
_TOWARDS = word_list("longer.towards")
_ACTS = word_list("longer.acts")
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
    """Whether a surname that many bear follows a forename, or one that makes somebody famous."""
    if not _follows(tokens, last):
        return False
    word = tokens[last].word
    if f"{tokens[last - 1].word} {word}" in celebrities():
        return True
    several = word[-1] == "s" and word[:-1] in common_surnames() and not is_english(word)
    return several or (
        word in common_surnames() and not of_kind(word, "function", "verb", "adverb", "chat")
    )


def unknown_surname(tokens: list[Token], last: int) -> str:
    """Return "no", "maybe" or "yes": whether a surname follows a forename: "Tom Frostick's"."""
    if not _follows(tokens, last) or tokens[last].hidden or tokens[last].tag:
        return "no"
    if tokens[last].owner and not is_ordinary(tokens[last].word):
        return "yes"
    return _is_more_of_it(tokens, last)


def _follows(tokens: list[Token], last: int) -> bool:
    return last < len(tokens) and tokens[last].gap == " " and not tokens[last - 1].owner


def _is_more_of_it(tokens: list[Token], at: int) -> str:
    """Return "no", "maybe" or "yes": whether the word at `at` is a name, not what somebody does."""
    word = tokens[at].word
    if len(word) < _SHORTEST or not strangers.reads_as_name(word) or _is_foreign(tokens, at):
        return "no"
    known = word in english().names
    if tokens[at].owner:
        return "yes"
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is None or after.gap != " " or after.sentence != tokens[at].sentence:
        return "yes" if known else "maybe"
    if after.word in _ACTED_ON:
        return "maybe" if known else "no"
    if after.word in _ACTS:
        return "yes"
    return "yes" if known and after.word not in _TOWARDS else "maybe"


def _is_foreign(tokens: list[Token], at: int) -> bool:
    """Whether so few words around are English, names apart, that nobody can tell."""
    near = [
        token.word
        for token in (*tokens[max(0, at - _NEAR) : at], *tokens[at + 1 : at + 1 + _NEAR])
        if not (token.word in known_forenames() or token.word in common_surnames())
    ]
    return sum(is_english(word) for word in near) * 2 < len(near)
