"""Measures what pieces of a text do to its grade, by reading the text with only some of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.grading.phrases import joined, names_of, runs_of, with_signs
from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from monitor.grading.phrases import Words
    from monitor.grading.question import Question, Span
    from monitor.model import Scores

    ScoreEach = Callable[[Sequence[Question]], list[Scores]]

CALM = " . The cake stall is on Saturday."
"""Few words with nothing around them look menacing by themselves, and so does an empty text: what
is read alone is read a second time beside this sentence, and the mean counts."""


class Influence:
    """One text and one grade; remembers what was read, so that nothing is read twice."""

    def __init__(self, question: Question, severity: Severity, score_each: ScoreEach) -> None:
        self._question = question
        self._severity = severity
        self._score_each = score_each
        self._names = names_of(question)
        self._known: dict[Words, tuple[float, float]] = {}

    def read(self, wanted: Iterable[Words]) -> None:
        """Read the text with only these words, each of those wanted; all in one go."""
        fresh = list(dict.fromkeys(words for words in wanted if words not in self._known))
        if not fresh:
            return
        bare = [only(self._question, words, self._names) for words in fresh]
        calm = [replace(asked, text=asked.text + CALM) for asked in bare]
        odds = [self._odds(scores) for scores in self._score_each([*bare, *calm])]
        for words, alone, beside in zip(fresh, odds[: len(fresh)], odds[len(fresh) :], strict=True):
            self._known[words] = (alone, (alone + beside) / 2)

    def bare(self, words: Words) -> float:
        """Return the log-odds of the grade where the text is nothing but these words."""
        self.read([words])
        return self._known[words][0]

    def of(self, words: Words) -> float:
        """Return the same, half of it measured beside `CALM`."""
        self.read([words])
        return self._known[words][1]

    def shares(self, parts: list[Words]) -> list[float]:
        """Return what each part adds to the log-odds, on average over many surroundings.

        The parts are taken as a ring. Each run of neighbours on it is read alone; a part counts by
        what each run gains as it joins it, from the left and from the right: n² - n + 2 readings
        for n parts. So where a text says a thing twice, or by two clauses together, both count
        (Shapley's value, approximated by the orders that go round the ring instead of all).
        """
        size = len(parts)

        def ring(start: int, length: int) -> Words:
            taken = {(start + step) % size for step in range(length)}
            return joined(part for n, part in enumerate(parts) if n in taken)

        self.read([ring(start, length) for start in range(size) for length in range(size + 1)])
        gains = []
        for n in range(size):
            gained = 0.0
            for length in range(size):
                gained += self.of(ring(n - length, length + 1)) - self.of(ring(n - length, length))
                gained += self.of(ring(n, length + 1)) - self.of(ring(n + 1, length))
            gains.append(gained / (2 * size))
        return gains

    def _odds(self, scores: Scores) -> float:
        """Return how strongly the scores say the grade; abuse is everything that is not neutral."""
        return log_odds(
            {
                Severity.THREATENING: scores.threatening,
                Severity.ABUSIVE: scores.threatening + scores.abusive,
            }.get(self._severity, scores.neutral)
        )


def log_odds(chance: float) -> float:
    """Return the logarithm of the odds, of chances within 0.0001 and 0.9999."""
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance))


def only(question: Question, words: Words, names: list[Span]) -> Question:
    """Return the question with nothing but these words, their punctuation, and the target's name.

    `names` are `names_of(question)`. A name stays once in each place where some stood between,
    before or after these words.
    """
    text = question.text
    pieces: list[tuple[Span, Span | None]] = []
    passed = 0
    for run in runs_of(words):
        if run[0].names > passed:
            name = names[run[0].names - 1]
            pieces.append((with_signs(text, *name), name))
            passed = run[0].names
        pieces.append((with_signs(text, run[0].span[0], run[-1].span[1]), None))
    if len(names) > passed:
        pieces.append((with_signs(text, *names[passed]), names[passed]))
    return _made_of(question, pieces)


def _made_of(question: Question, pieces: list[tuple[Span, Span | None]]) -> Question:
    """Put pieces of the text together, each with the name that is in it; spans move along."""
    kept: list[str] = []
    spans: list[Span] = []
    insulting: list[Span] = []
    size = reached = 0
    for (first, end), name in pieces:
        start = max(first, reached)
        if start >= end:
            continue
        moved = size - start
        if name:
            spans.append((max(name[0], start) + moved, name[1] + moved))
        inside = ((max(a, start), min(b, end)) for a, b in question.insulting)
        insulting += [(a + moved, b + moved) for a, b in inside if a < b]
        kept.append(question.text[start:end])
        size += end - start + 1
        reached = end
    return replace(question, text=" ".join(kept), spans=tuple(spans), insulting=tuple(insulting))
