"""The file of what is said only of people: its classes of words and, by section, its patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from monitor.matching.words import word_list

STUFF: Final = "stuff"
"""The kind of what stands without an article anyway: stuffs, feelings, plants and days."""
_FILE: Final = "of_people.txt"


def says(section: str, line: str, *, led: bool = False) -> bool:
    """Whether a pattern of the section is in a line as `sayings` writes it, with the name as X.

    With `led` only the patterns count that begin with the name.
    """
    if section not in sections():
        return False
    from_name, anywhere = _patterns(section)
    at = line.index("X ")
    begins = at - 2 if line.startswith("< ", at - 2) else at
    if from_name.match(line, begins) is not None:
        return True
    return not led and anywhere.search(line) is not None


@cache
def sections() -> dict[str, list[str]]:
    """Return the rows of each section."""
    found: dict[str, list[str]] = {}
    text = files("monitor.data").joinpath(_FILE).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            rows = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            rows.append(line)
    return found


@cache
def classes() -> dict[str, tuple[str, ...]]:
    """Return the words of each class, classes and lists inside it put in their place."""
    found: dict[str, tuple[str, ...]] = {}
    for row in sections()["classes"]:
        name, *words = row.split()
        whole: dict[str, None] = {}
        for word in words:
            whole.update(dict.fromkeys(_members(word, found)))
        found[name] = tuple(whole)
    return found


def _members(word: str, found: dict[str, tuple[str, ...]]) -> Iterable[str]:
    """Return the words that a word of a class stands for: itself, a class or a list."""
    if word[0] == "@":
        return sorted(word_list(word[1:]))
    return found[word[1:]] if word[0] == "$" else (word,)


@cache
def topics() -> tuple[str, ...]:
    """Return the classes of things that a section "not …" or "never …" speaks of."""
    topics = (name.partition(" ")[2] for name in sections() if " " in name)
    return tuple(dict.fromkeys(topic for topic in topics if topic != STUFF))


@cache
def _patterns(section: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns that begin with the name, and the others, each made one."""
    rows = sections()[section]
    led = [row for row in rows if row.startswith(("< X ", "X "))]
    others = [row for row in rows if row not in led]
    return (
        re.compile(
            "|".join("(?:< )?" * row.startswith("X ") + _pattern(row) for row in led) or "(?!)"
        ),
        re.compile(f"(?<![^ ])(?:{'|'.join(map(_pattern, others)) or '(?!)'})"),
    )


def _pattern(row: str) -> str:
    return "".join(map(_part, row.split()))


def _part(part: str) -> str:
    """Return one part of a pattern as an expression that ends in a space."""
    if part == ",":
        return "(?:> < )?"
    if part.startswith("!"):
        return f"(?!(?:{_choice(part[1:])}) )"
    often = part[-1] if part[-1] in "?*+" else ""
    return f"(?:(?:{_choice(part.removesuffix(often))}) ){often}"


def _choice(part: str) -> str:
    words: dict[str, None] = {}
    for word in part.split("|"):
        words.update(dict.fromkeys(classes()[word[1:]] if word[0] == "$" else (word,)))
    return "|".join(map(_word, sorted(words, key=len, reverse=True)))


def _word(word: str) -> str:
    if word.startswith("~"):
        return f"[a-z]+{re.escape(word[1:])}"
    return re.escape(word.replace("_", " ")).replace("%", "[^ <>]+")
