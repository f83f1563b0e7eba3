"""Takes names and addresses out of a text, and says which words may be some that it left in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from monitor.matching.normalise import fold
from monitor.matching.roster import Roster
from monitor.matching.words import common_surnames, is_ordinary, known_forenames

_SHORTEST: Final = 2
_DIGITS: Final = 3
_NO_NAMES: Final = frozenset({"link", "mr", "mrs", "ms", "mx", "miss", "dr", "sir"})
_GAP: Final = 3
"""Most characters (spaces, points, dashes) between two words of one name."""

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_OWNED: Final = re.compile(r"['\u2019]s?$")
_STARTS: Final = ".!?\u2026:\n\"'\u2018\u201c("
"""What a capital letter after it says nothing about."""
_BEFORE: Final = 12
_STREET: Final = (
    r"(?:road|rd|street|st|lane|ln|avenue|ave|close|drive|crescent|cres|court|place|terrace|"
    r"gardens|grove|row|mews|square|way|walk)"
)
_ENDINGS: Final = "com|uk|org|net|school|io|me|ly|gg|tv|edu|info|example|co"
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), stand_in)
    for pattern, stand_in in (
        (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "an e-mail address"),
        (r"(?:https?://|www\.)\S+", "a link"),
        (
            rf"(?<![\w@.])[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,4}}\.(?:{_ENDINGS})\b(?:/\S*)?",
            "a link",
        ),
        (r"(?<!\w)(?:[@]|/?\bu/)[\w.-]*\w", "@somebody"),
        (r"(?<!\w)\+?\d(?:[ ().-]{0,2}\d){6,14}(?!\w)", "a telephone number"),
        (r"\b[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}\b", "a postcode"),
        (r"\b[a-z]{2}\d{2} ?[a-z]{3}\b", "a number plate"),
        (rf"\b\d{{1,4}}[a-z]?,? (?:[\w']+ ){{1,3}}{_STREET}\b\.?", "an address"),
    )
)
_NAMED_STREET: Final = re.compile(
    r"\b(?:[A-Z][\w']+ ){1,3}(?:" + "|".join(
        word.title() for word in _STREET[3:-1].split("|") if word not in {"way", "walk", "place"}
    ) + r")\b"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StandIns:
    """What is written for somebody else of the roster, for a school, and for any other person."""

    staff: str = "[NAME]"
    school: str = "[SCHOOL]"
    other: str = "[NAME]"


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what is known to be a name or an address.

    `doubtful` are words left in it that may be one: unknown ones, and numbers, each once.
    """

    text: str
    doubtful: tuple[str, ...] = ()


@dataclass(slots=True)
class _Phrases:
    """Names of several words, found by their first."""

    known: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)

    def add(self, name: str, stand_in: str) -> None:
        words = tuple(_folded(word) for word in _WORD.findall(name))
        if words:
            self.known.setdefault(words[0], []).append((words, stand_in))

    def at(self, tokens: list[re.Match[str]], start: int) -> tuple[int, str]:
        """How many tokens from `start` on are a known name, the longest, and its stand-in."""
        found = (0, "")
        for words, stand_in in self.known.get(_folded(tokens[start].group()), ()):
            if len(words) > found[0] and self._stands(words, tokens[start : start + len(words)]):
                found = len(words), stand_in
        return found

    @staticmethod
    def _stands(words: tuple[str, ...], tokens: list[re.Match[str]]) -> bool:
        near = all(b.start() - a.end() <= _GAP for a, b in pairwise(tokens))
        return near and words == tuple(_folded(token.group()) for token in tokens)


class Masker:
    """Masks the people of a roster, their schools, and whatever looks like anybody's address."""

    def __init__(
        self,
        roster: Roster,
        stand_ins: StandIns | None = None,
        *,
        apart: tuple[str, str] = ("", ""),
    ) -> None:
        """`apart` is the id of one person or school, and what is written for them alone."""
        self._use = stand_ins or StandIns()
        self._phrases = _Phrases()
        self._parts: dict[str, str] = {}
        self._apart = apart
        for school in roster.schools:
            shown = (
                school.name,
                *school.aliases,
                *school.handles,
                *school.hashtags,
                *school.places,
            )
            for name in shown:
                self._phrases.add(name, self._written(school.id, self._use.school))
            for person in school.staff:
                stand_in = self._written(person.id, self._use.staff)
                aliases = (alias.text for alias in person.aliases)
                for name in (person.name, *aliases, *person.handles):
                    self._phrases.add(name, stand_in)
                self._take(person.name, stand_in)

    def _written(self, identity: str, usual: str) -> str:
        return self._apart[1] if identity == self._apart[0] else usual

    def _take(self, name: str, stand_in: str) -> None:
        """Let each part of a name stand for the whole; of several people's, for the one apart."""
        for each in _WORD.findall(name):
            word = _folded(each)
            if len(word) >= _SHORTEST and self._parts.get(word) != self._apart[1]:
                self._parts[word] = stand_in

    def mask(self, text: str, more: Iterable[str] = ()) -> Masked:
        """Mask a text; `more` are words that a person found to be names too.

        A part of a name that is an ordinary word as well ("will", "cook") is masked only where it
        is written with a capital. Stand-ins in the text stay as they are.
        """
        for pattern, stand_in in _PATTERNS:
            text = pattern.sub(stand_in, text)
        text = _NAMED_STREET.sub("an address", text)
        extra = {_folded(word) for word in more}
        pieces, doubtful, at = [], dict[str, None](), 0
        for start, end, stand_in in self._found(text, extra, doubtful):
            pieces += [text[at:start], stand_in]
            at = end
        flat = "".join((*pieces, text[at:]))
        for each in {self._use.staff, self._use.other, self._apart[1]} - {""}:
            flat = re.sub(rf"{re.escape(each)}(?:[ -]{re.escape(each)})+", each, flat)
        return Masked(flat, tuple(doubtful))

    def _found(
        self, text: str, extra: set[str], doubtful: dict[str, None]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, stand-in) of each name; note the words that may be one."""
        tokens = list(_WORD.finditer(text))
        n = 0
        while n < len(tokens):
            count, stand_in = self._phrases.at(tokens, n)
            if count == 1 and not self._is_meant(tokens[n].group()):
                count = 0
            if not count:
                stand_in = self._alone(tokens[n], text, extra, doubtful)
            if stand_in:
                last = tokens[n + max(0, count - 1)]
                owned = _OWNED.search(last.group())
                yield tokens[n].start(), last.end() - (len(owned.group()) if owned else 0), stand_in
            n += max(1, count)

    def _alone(
        self, token: re.Match[str], text: str, extra: set[str], doubtful: dict[str, None]
    ) -> str:
        """Give the stand-in for one word, or note that it may need one."""
        word, folded = token.group(), _folded(token.group())
        if folded in extra:
            return self._use.other
        if folded in self._parts and self._is_meant(word):
            return self._parts[folded]
        capital = word[:1].isupper() and not word.isupper()
        before = text[max(0, token.start() - _BEFORE) : token.start()].rstrip(" \t")
        inside = capital and bool(before) and before[-1] not in _STARTS
        named = folded in known_forenames() or folded in common_surnames()
        if named and (inside or not is_ordinary(folded)):
            return self._use.other
        if folded in _NO_NAMES:
            return ""
        unknown = len(folded) > _SHORTEST and not is_ordinary(folded)
        if inside or unknown or sum(letter.isdigit() for letter in word) >= _DIGITS:
            doubtful[word] = None
        return ""

    @staticmethod
    def _is_meant(word: str) -> bool:
        return not word.islower() or not is_ordinary(_folded(word))


def _folded(word: str) -> str:
    return _OWNED.sub("", fold(word))
