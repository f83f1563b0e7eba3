"""Divides a text into words, phrases and clauses, so that reasons are whole pieces of language."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from monitor.grading.words import BREAKING, ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from monitor.grading.question import Question, Span

LEAST = 3
"""Words of what stands between two commas, or before a joining word, to be a clause."""
TOGETHER = 9
"""Words of neighbouring pieces of a sentence that are rather one clause than two."""
MOST = 16
"""Words of a clause; a longer one is cut between phrases."""
SPELT = 4
"""Single letters in a row that are one word."""
SYMBOLS = "\u2000"
"""Beyond it stand punctuation of print and symbols; letters there are letters by their kind."""
_PUNCTUATION = ".,;:!?\"'()[]{}<>\u2018\u2019\u201c\u201d\u2026-\u2013\u2014"
_WORD = re.compile(r"\S+")
_OWNER = re.compile(r"['\u2019]?s\b")
_END = re.compile(r"[.!?;:\n\u2026\u2014\u2013]")
_PAUSE = re.compile(r"[,()\"\u201c\u201d/-]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word or run of emoji of a text.

    `span`: where it stands; `place`: which word of the text it is; `names`: how many of the places
    that name the target stand before it; `telling`: whether it says anything by itself.
    """

    span: Span
    place: int
    names: int
    telling: bool


Words = tuple[Word, ...]
"""Some words of a text in its order: a phrase, a clause, or several of them."""


def names_of(question: Question) -> list[Span]:
    """Return the places that name the target, in order, what touches joined."""
    joined_spans: list[Span] = []
    for start, end in sorted(question.spans):
        first, last = max(0, start), min(end, len(question.text))
        if joined_spans and first <= joined_spans[-1][1]:
            joined_spans[-1] = (joined_spans[-1][0], max(last, joined_spans[-1][1]))
        elif first < last:
            joined_spans.append((first, last))
    return joined_spans


def words_of(question: Question) -> Words:
    """Return the words and emoji, without the target's name and without punctuation."""
    text = _nameless(question)
    spans = []
    for found in _WORD.finditer(text):
        word = found.group()
        start = found.start() + len(word) - len(word.lstrip(_PUNCTUATION))
        bare = word.strip(_PUNCTUATION)
        owner = bare == "s" and start and text[start - 1] != question.text[start - 1]
        owner = owner or (bare == "s" and text[start - 1 : start] in ("'", "\u2019"))
        if not owner and any(map(_says, bare)):
            spans.append((start, start + len(bare)))
    starts = [start for start, _ in names_of(question)]
    return tuple(
        Word(span, place, bisect_left(starts, span[0]), telling=_tells(text[slice(*span)]))
        for place, span in enumerate(_spelt_out(spans))
    )


def sentences_of(question: Question, words: Words) -> list[Words]:
    """Divide words where a sentence ends."""
    text = _nameless(question)
    return _cut(words, lambda a, b: bool(_END.search(_between(text, a, b))))


def clauses_of(question: Question, words: Words) -> list[Words]:
    """Divide words where a sentence ends, or where it pauses between pieces long enough.

    A clause is a whole sentence where that has at most `TOGETHER` words.
    """
    text = _nameless(question)
    found: list[Words] = []
    for sentence in sentences_of(question, words):
        pieces: list[Words] = []
        for piece in _cut(sentence, lambda a, b: _pauses(text, a, b)):
            last = pieces[-1] if pieces else ()
            small = min(len(piece), len(last)) < LEAST or len(piece) + len(last) <= TOGETHER
            if last and small:
                pieces[-1] = last + piece
            else:
                pieces.append(piece)
        found += [part for clause in pieces for part in _shorter(clause)]
    return found


def phrases_of(clause: Words) -> list[Words]:
    """Divide a clause before each word that only joins, where one that tells stands before it.

    So a phrase is what leads up to telling words, and these: "to find", "not a clue" (the chinks
    and chunks of Liberman and Church, 1992). Joining words at the end belong to the last phrase:
    "waiting for you".
    """
    phrases = _cut(clause, lambda a, b: a.telling and not b.telling)
    if len(phrases) > 1 and not any(word.telling for word in phrases[-1]):
        last = phrases.pop()
        phrases[-1] += last
    return phrases


def runs_of(words: Words) -> list[Words]:
    """Divide words where the target's name, or a word that is not among them, stands between."""
    return _cut(words, lambda a, b: b.place != a.place + 1 or b.names != a.names)


def joined(pieces: Iterable[Words]) -> Words:
    """Return several pieces as one, in the given order."""
    return tuple(word for piece in pieces for word in piece)


def with_signs(text: str, start: int, end: int) -> Span:
    """Widen a span by the punctuation that touches it, and by the "'s" of an owner."""
    while start and text[start - 1] in _PUNCTUATION:
        start -= 1
    owner = _OWNER.match(text, end)
    end = owner.end() if owner else end
    while end < len(text) and text[end] in _PUNCTUATION:
        end += 1
    return start, end


def _nameless(question: Question) -> str:
    shown = list(question.text)
    for start, end in names_of(question):
        shown[start:end] = " " * (end - start)
    return "".join(shown)


def _says(character: str) -> bool:
    """Say whether a character is a letter, a digit or a symbol such as an emoji."""
    return character.isalnum() or (character > SYMBOLS and character not in _PUNCTUATION)


def _tells(word: str) -> bool:
    return word.lower().replace("\u2019", "'") not in ENGLISH


def _spelt_out(spans: list[Span]) -> Iterator[Span]:
    """Join letters that are set apart ("k i l l"), which say nothing one by one."""
    for single, letters in groupby(spans, lambda span: span[1] - span[0] == 1):
        run = list(letters)
        if single and len(run) >= SPELT:
            yield (run[0][0], run[-1][1])
        else:
            yield from run


def _between(text: str, a: Word, b: Word) -> str:
    return text[a.span[1] : b.span[0]]


def _pauses(text: str, a: Word, b: Word) -> bool:
    after_symbol = text[a.span[1] - 1] > SYMBOLS > text[b.span[0]]
    joins = text[slice(*b.span)].lower() in BREAKING
    return after_symbol or joins or bool(_PAUSE.search(_between(text, a, b)))


def _cut(words: Words, here: Callable[[Word, Word], bool]) -> list[Words]:
    """Divide words between each two of which `here` holds."""
    if not words:
        return []
    places = [n for n in range(1, len(words)) if here(words[n - 1], words[n])]
    ends = [*places, len(words)]
    return [words[start:end] for start, end in zip([0, *places], ends, strict=True)]


def _shorter(clause: Words) -> list[Words]:
    """Return the clause, or parts of at most about `MOST` words, cut between phrases if can be."""
    if len(clause) <= MOST:
        return [clause]
    size = len(clause) / -(-len(clause) // MOST)
    parts: list[Words] = []
    for phrase in phrases_of(clause):
        for start in range(0, len(phrase), MOST):
            piece = phrase[start : start + MOST]
            if parts and len(parts[-1]) + len(piece) / 2 <= size:
                parts[-1] += piece
            else:
                parts.append(piece)
    return parts
