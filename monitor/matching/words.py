"""What the matcher knows of language: words by kind, common surnames, forenames, titles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_SUFFIXES = (
    ("ies", "y"), ("ied", "y"), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("es", ""), ("es", "e"),
    ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("er", ""), ("er", "e"),
    ("est", ""), ("est", "e"), ("ly", ""), ("in", ""), ("ers", ""), ("ers", "e"), ("ings", ""),
    ("ness", ""), ("less", ""), ("ful", ""), ("able", ""), ("y", ""), ("y", "e"), ("ish", ""),
    ("ation", "e"), ("ment", ""), ("ments", ""),
)  # fmt: skip


_LONGEST_WORD = 40
_RUN = re.compile(r"(.)\1{2,}")


_PLAIN_ENDINGS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ied", "y"), ("ing", ""),
    ("ing", "e"),
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORT_WORD = 6


class English(NamedTuple):
    """What `english.txt` knows beyond `words.txt`: words, and proper names that are no words."""

    words: frozenset[str]
    names: frozenset[str]


class Lexicon(NamedTuple):
    """Ordinary words by kind ("function", "verb", "count", "mass", …) and all together."""

    kinds: dict[str, frozenset[str]]
    words: frozenset[str]


def _lines(name: str) -> list[str]:
    text = files("monitor.data").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def lexicon() -> Lexicon:
    kinds: dict[str, set[str]] = {}
    kind = ""
    for line in _lines("words.txt"):
        if line.startswith("["):
            kind = line.strip("[]")
            kinds.setdefault(kind, set())
        else:
            kinds[kind].update(line.split())
    return Lexicon(
        {name: frozenset(words) for name, words in kinds.items()},
        frozenset().union(*kinds.values()),
    )


@cache
def word_list(name: str) -> frozenset[str]:
    """Return one section of `wordlists.txt`: lists too long to stand in the code that uses them."""
    found: set[str] = set()
    section = ""
    for line in _lines("wordlists.txt"):
        if line.startswith("["):
            section = line.strip("[]")
        elif section == name:
            found.update(line.split())
    if not found:
        raise KeyError(name)
    return frozenset(found)


@cache
def common_surnames() -> frozenset[str]:
    """Surnames that many people bear, from `surnames.txt`."""
    return frozenset(word for line in _lines("surnames.txt") for word in line.split())


@cache
def known_forenames() -> frozenset[str]:
    """Every forename and short form that the program has heard of, folded and without gaps."""
    listed = {word for line in _lines("forenames.txt") for word in line.split()}
    for full, forms in nickname_lines():
        listed.add(full)
        listed.update(forms)
    return frozenset(listed)


@cache
def nickname_lines() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(full form, its other forms) a line of `nicknames.txt`, gaps inside a form removed."""
    from monitor.matching.normalise import fold  # noqa: PLC0415 - the fold needs no words

    rows = []
    for line in _lines("nicknames.txt"):
        full, _, forms = line.partition(":")
        rows.append(
            (
                fold(full).replace(" ", ""),
                tuple(
                    fold(form).strip().replace(" ", "").replace("-", "")
                    for form in forms.split(",")
                ),
            )
        )
    return tuple(rows)


def is_word(word: str) -> bool:
    """Whether a folded word itself stands in `words.txt`, not only by an ending."""
    return word in lexicon().words


@lru_cache(maxsize=65_536)
def is_ordinary(word: str) -> bool:
    """Whether a folded word is ordinary English, itself or by a regular ending."""
    if len(word) > _LONGEST_WORD:
        return False
    words = lexicon().words
    if word in words or word.isdigit():
        return True
    once = _RUN.sub(r"\1", word)
    if once != word and (once in words or _RUN.sub(r"\1\1", word) in words):
        return True
    return any(
        len(word) > len(ending) + 2
        and word.endswith(ending)
        and (word[: -len(ending)] + base in words or _undoubled(word[: -len(ending)]) in words)
        for ending, base in _SUFFIXES
    )


@cache
def english() -> English:
    """Return the large list, read when first asked for: some 76,000 words."""
    before, _, names = "\n".join(_lines("english.txt")).partition("[names]")
    return English(frozenset(before.replace("[words]", "").split()), frozenset(names.split()))


@lru_cache(maxsize=16_384)
def is_english(word: str) -> bool:
    """Whether a folded word is English, be it a rare word that may well be an unusual surname."""
    words = english().words
    once = _RUN.sub(r"\1", word)
    return (
        is_ordinary(word)
        or word in words
        or (once != word and once in words)
        or any(
            word.endswith(ending)
            and (word[: -len(ending)] + base in words or _undoubled(word[: -len(ending)]) in words)
            for ending, base in _PLAIN_ENDINGS
        )
    )


@lru_cache(maxsize=16_384)
def is_misspelt(word: str) -> bool:
    """Whether one slip behind the first letter makes an English word of this: "wnats", "hollored".

    Short words are near to too many others, so for them only those of `words.txt` count.
    """
    few, many = lexicon().words, frozenset[str]()
    if len(word) > _SHORT_WORD:
        many = english().words
    stems = [word] + [
        word[: -len(ending)] + base for ending, base in _PLAIN_ENDINGS if word.endswith(ending)
    ]
    if any(slip in few or slip in many for stem in stems for slip in _slips(stem, 1)):
        return True
    # Across the border of stem and ending: "prepaerd", "joiend".
    if many and any(is_english(_swapped(word, at)) for at in range(1, len(word) - 1)):
        return True
    return any(
        word[-length:] in _slipped_endings()
        and any(word[:-length] + base in few or word[:-length] + base in many for base in ("", "e"))
        for length in (2, 3, 4)
    )


def _slips(word: str, kept: int) -> Iterator[str]:
    """Yield what one letter too many, too few, wrong or swapped makes of a word.

    The first `kept` letters stay, though the first two may be swapped.
    """
    yield word[1::-1] + word[2:]
    for at in range(kept, len(word) + 1):
        head, tail, rest = word[:at], word[at:], word[at + 1 :]
        yield head + rest
        yield _swapped(word, at)
        for letter in _LETTERS:
            yield head + letter + tail
            yield head + letter + rest


def _swapped(word: str, at: int) -> str:
    return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]


@cache
def _slipped_endings() -> frozenset[str]:
    return frozenset(slip for ending in ("ed", "es", "ing") for slip in _slips(ending, 0))


def _undoubled(stem: str) -> str:
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else ""  # noqa: PLR2004 - "runn"


def of_kind(word: str, *kinds: str) -> bool:
    """Whether a folded word stands in one of these sections of `words.txt`."""
    table = lexicon().kinds
    return any(word in table[kind] for kind in kinds)


MALE = word_list("words.male")
FEMALE = word_list("words.female")
NEUTRAL = word_list("words.neutral")
TITLES = MALE | FEMALE | NEUTRAL
# Titles that some languages put behind the name.
TITLES_BEHIND = frozenset(
    [
        "sahab",
        "sahib",
        "ji",
        "laoshi",
        "sensei",
        "bey",
        "hanim",
        "sir",
        "miss",
        "madam",
        "bhai",
        "maam",
        "ustad",
    ]
)


def gender(title: str) -> str:
    """Return "m", "f" or "" for a folded title."""
    if title in MALE:
        return "m"
    return "f" if title in FEMALE else ""


def fold_title(title: str) -> str:
    """Return a roster's title as posts are read: "Mr." is "mr"."""
    return title.strip().strip(".").lower()


@cache
def celebrities() -> frozenset[str]:
    """Full names of the famous, folded; without a tie to the school they are not ours."""
    return frozenset(_lines("celebrities.txt"))
