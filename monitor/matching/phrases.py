"""The words of a roster entry as tokens are cut, and whether they can stand alone."""

from __future__ import annotations

import re

from monitor.matching.normalise import fold
from monitor.matching.words import (
    common_surnames,
    is_ordinary,
    is_word,
    known_forenames,
    of_kind,
    word_list,
)

_WORDS = re.compile(r"[^\W_]+")
_KINDS = word_list("phrases.kinds")
_COMMON_SCHOOLS = word_list("phrases.common_schools")
_SHORTEST_ACRONYM = 3
_SHORTEST_ALIAS = 5


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a phrase as tokens are cut: "St. Mary's" is ("st", "mary")."""
    return tuple(_WORDS.findall(re.sub(r"'s\b", "", fold(text))))


def school_ways(text: str) -> tuple[tuple[str, ...], ...]:
    """Return how a school's name is written: "St Mary's" is also "St Marys"."""
    ways = [words_of(text)]
    if "'s" in fold(text):
        ways.append(tuple(_WORDS.findall(fold(text).replace("'s", "s"))))
    return tuple(dict.fromkeys(way for way in ways if way))


def handle_key(handle: str) -> str:
    """Return an account's name as it is looked up: without "@", address and case."""
    return fold(handle).strip().lstrip("@").rstrip("/.").rpartition("/")[2].lstrip("@")


def is_distinctive_school(words: tuple[str, ...]) -> bool:
    """Whether a school's name or alias needs no place, handle or hashtag beside it."""
    core = [word for word in words if word not in _KINDS]
    if words[0] in {"st", "saint", "sts", "saints"} or not core:
        return False
    if all(word in _COMMON_SCHOOLS for word in core):
        return False
    if len(words) == 1 and len(words[0]) < _SHORTEST_ACRONYM:
        return False
    if any((not is_ordinary(word) or _is_place_like(word)) and _is_no_name(word) for word in core):
        return True
    return len(core) > 1 and (len(words) > len(core) or not any(map(_is_plain, core)))


def _is_place_like(word: str) -> bool:
    """Whether only a double ending makes a word English ("Saltings", of "salt")."""
    return word.endswith("ings") and not is_word(word) and not is_word(word[:-1])


def _is_plain(word: str) -> bool:
    """Whether a word of a school's name says little: names and words of many schools do."""
    return word in _COMMON_SCHOOLS or of_kind(word, "function") or not _is_no_name(word)


def _is_no_name(word: str) -> bool:
    return word not in known_forenames() and word not in common_surnames()


def is_odd(word: str) -> bool:
    """Whether a word is neither English nor a name that many bear."""
    return not is_ordinary(word) and _is_no_name(word)


def is_distinctive_alias(words: tuple[str, ...]) -> bool:
    """Whether a person's alias can only mean one person: a word in it is no name and no word."""
    if len(words) == 1:
        word = words[0]
        return len(word) >= _SHORTEST_ALIAS and not is_ordinary(word) and _is_no_name(word)
    english = word_list("words.english_titles")
    return any(
        len(word) > 2  # noqa: PLR2004
        and not is_word(word)
        and word not in common_surnames()
        and word not in word_list("names.common_forenames")
        for word in words
        if word not in english
    )


def is_distinctive_alias_of(words: tuple[str, ...], name: str) -> bool:
    """Whether an alias can only mean the bearer of a name.

    A title before a part of the own surname ("Mr Hamid" of Yusuf Abd al-Hamid) is a title and a
    surname, which means nobody without a tie, however rare.
    """
    if not is_distinctive_alias(words):
        return False
    if len(words) == 1 or words[0] not in word_list("words.english_titles"):
        return True
    own = words_of(name)
    return "".join(words[1:]) not in {"".join(own[at:]) for at in range(1, len(own))}


def role_ways(role: str) -> tuple[tuple[str, ...], ...]:
    """Return the ways in which a role is written: "head of year 9", "hoy9"."""
    text = " ".join(words_of(role))
    ways = [text]
    found = re.search(r"\b(?:year|yr) ?(\d+)\b", text)
    if found:
        digits, before, after = found[1], text[: found.start()], text[found.end() :]
        for year in ("year {}", "yr {}", "y {}", "year{}", "yr{}", "y{}"):
            ways.append(before + year.format(digits) + after)  # noqa: PERF401
        if before.strip() == "head of" and not after:
            ways += [f"hoy {digits}", f"hoy{digits}"]
    for one, other in (
        ("headteacher", "head teacher"), ("caretaker", "care taker"), ("sixth form", "6th form"),
        ("deputy head", "deputy headteacher"), ("deputy headteacher", "deputy head teacher"),
        ("assistant head", "assistant headteacher"), ("pe", "p e"), ("senco", "sendco"),
        ("maths", "math"), ("maths", "mathematics"),
    ):  # fmt: skip
        for old, new in ((one, other), (other, one)):
            swapped = re.sub(rf"\b{old}\b", new, text)
            if swapped != text:
                ways.append(swapped)
    return tuple(dict.fromkeys(tuple(way.split()) for way in ways if way.strip()))
