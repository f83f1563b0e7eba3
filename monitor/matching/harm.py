"""Wishes of harm and insults: what is only said to people, so that a word said so is a name."""

from __future__ import annotations

from monitor.matching.text import Token
from monitor.matching.words import of_kind, word_list

_STRIKES = word_list("harm.strikes")
_HARMS = word_list("harm.harms")
_DIES = word_list("harm.dies")
_STRUCK = word_list("harm.struck")
_ONLY_PEOPLE = word_list("harm.only_people")
_ABUSE = word_list("harm.abuse")
_KNOWS = frozenset(["know", "knows", "knew", "known", "out", "find", "found", "tell", "told"])
_SOMEBODY = frozenset(["bloke", "fella", "geezer", "woman", "guy", "chap", "lady", "idiot", "git"])
_HOPES = frozenset(["hope", "hopes", "hoping", "wish", "pray"])
_POINTS_AT = frozenset(["that", "this", "you", "fucking", "old", "fat", "the"])
_ARTICLES = frozenset(["a", "an", "the", "such", "literally", "nothing"])
_NO_SUBJECT = frozenset(["the", "a", "an", "this", "my", "your"])
# What follows when a post speaks to somebody: "you are dead", "your finished", "i will find you".
_SPOKEN_TO = {
    "you": frozenset(["are", "re", "ll", "will", "better", "fucking", "absolute", "utter"]),
    "your": frozenset(["dead", "finished", "gonna", "next", "done"]),
    "youre": frozenset(["dead", "finished", "gonna", "next", "done", "a", "getting", "going"]),
    "ur": frozenset(["dead", "finished", "gonna", "next", "done", "a", "getting", "going"]),
    "i": frozenset(["will", "am", "ll", "m", "hope", "know", "swear"]),
    "im": frozenset(["gonna", "going", "coming"]),
    "we": frozenset(["will", "know", "are"]),
}


def is_harmed(
    tokens: list[Token], first: int, last: int, word: str, *, starts: bool, ends: bool
) -> bool:
    """Whether harm is done or wished to a word without an article: "should stab bishop".

    `word` is what the tokens are read as; `starts` and `ends` tell whether a clause does so there.
    """
    thing, sentence = _is_thing(word), tokens[first].sentence
    before = tokens[first - 1].word if first and tokens[first - 1].sentence == sentence else ""
    after, beyond = (*(token.word for token in tokens[last : last + 2]), "", "")[:2]
    if of_kind(word, "function"):
        return False
    if ends and (
        before in _STRIKES or (before in _HARMS and not of_kind(word, "mass", "adjective"))
    ):
        return True
    if before == "where" and after == "lives":
        return first > 1 and tokens[first - 2].word in _KNOWS
    if before in _HOPES:
        return after in _DIES or (after in {"gets", "is", "ends"} and beyond in _STRUCK)
    spoken = starts and beyond in _SPOKEN_TO.get(after, ())
    return spoken and not thing and not of_kind(word, "verb")


def _is_thing(word: str) -> bool:
    return of_kind(word, "mass", "adjective") and not of_kind(word, "count")


def is_insulted(tokens: list[Token], first: int, last: int, *, ends: bool) -> bool:
    """Whether a word is called what only people are: "winter is a liar", "that nonce bishop"."""
    ahead = [token.word for token in tokens[last : last + 5] if token.gap.strip() in {"", "'"}]
    if ahead[:1] in (["is"], ["was"]) or tokens[last - 1].owner:
        rest = ahead if tokens[last - 1].owner else ahead[1:]
        led = first > 0 and (
            tokens[first - 1].word in _NO_SUBJECT or of_kind(tokens[first - 1].word, "adjective")
        )
        if not led and rest[:1] and rest[0] in _ARTICLES:
            return not _ONLY_PEOPLE.isdisjoint(rest[1:4])
    if first == 0 or tokens[first].gap != " ":
        return False
    if tokens[first - 1].word in {"that", "this"} and ahead[:1]:
        return ahead[0] in _SOMEBODY
    if first < 2:  # noqa: PLR2004 - "that nonce bishop"
        return False
    called = tokens[first - 2].word in _POINTS_AT and tokens[first - 1].word in (
        _ONLY_PEOPLE | _ABUSE
    )
    return called and ends and not of_kind(tokens[first].word, "function")
