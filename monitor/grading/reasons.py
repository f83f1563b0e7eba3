"""Finds the words that decided a grade: the fewest clauses that by themselves still bring it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.grading.influence import Influence, log_odds
from monitor.grading.phrases import clauses_of, joined, phrases_of, runs_of, sentences_of, words_of
from monitor.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.grading.influence import ScoreEach
    from monitor.grading.phrases import Words
    from monitor.grading.question import Question
    from monitor.model import Severity

MOST_REASONS = 6
"""Spans that are told; a clause with the name in its middle is two of them."""
MOST_CLAUSES = 4
MOST_UNITS = 10
"""Phrases that a text is measured by; of more, the shortest neighbours are joined."""
MOST_BLOCKS = 8
"""Parts that a longer text is first measured by."""
SEARCHED = 40
"""Words that are measured by phrases; a longer text is first narrowed to its gravest clauses."""
READ_WHOLE = 120
"""Words that are narrowed part by part; of a longer text first the gravest stretch is taken."""
MOST_STRETCHES = 40
HOLDS = 0.7
"""Share of the whole text's log-odds that the deciding words bring by themselves."""
LEFT = 0.25
"""Share that may be left to the text without them."""
LEAST = 0.05
"""A clause with less of the influence than this share is never added."""
STRONG = 0.05
"""A clause with this share of the strongest one's influence is told too."""
WHOLE = 20
"""Words of a text that may be told whole."""
LEANING = 2
"""Sentences of so short a text that are told together: one leans on the other, whichever of them
moved the grade ("His boy plays at the rec. Children fall off swings.")."""
MOST_TOLD = 0.8
"""Share of a longer text that is told, where less of it still brings the grade."""


def reasons_for(
    question: Question, severity: Severity, score_each: ScoreEach, least: float
) -> tuple[Reason, ...]:
    """Return the deciding words, the strongest first, at most `MOST_REASONS`.

    `least` is the probability from which on the grade is given. Offsets are code points of
    `question.text`; the weights are shares of the measured influence (log-odds of the grade) and
    add up to at most 1. Words inside the target's own name are never a reason, since the model
    does not see them; words that only join others are none by themselves.
    """
    words = words_of(question)
    if not any(word.telling for word in words):
        return ()
    read = Influence(question, severity, score_each)
    clauses = clauses_of(question, _narrowed(question, words, read))
    phrases = _at_most([phrases_of(clause) for clause in clauses], MOST_UNITS)
    shares = iter(read.shares([phrase for own in phrases for phrase in own]))
    value = [sum(next(shares) for _ in own) for own in phrases]
    choice = _Choice(clauses, value, read, log_odds(least))
    leaning = len(words) <= WHOLE and len(sentences_of(question, words)) <= LEANING
    kept = dict(enumerate(clauses)) if leaning else {n: clauses[n] for n in choice.clauses_told()}
    return _told(question.text, kept, value)


@dataclass(frozen=True)
class _Choice:
    """What is chosen from: clauses, the influence of each, and what brings the grade."""

    clauses: list[Words]
    value: list[float]
    read: Influence
    least: float

    def clauses_told(self) -> list[int]:
        """Add clauses until they bring the grade by themselves, and the rest no longer does."""
        value = self.value
        telling = (n for n in range(len(value)) if any(word.telling for word in self.clauses[n]))
        order = sorted(telling, key=lambda n: -value[n])
        worth = LEAST * sum(max(0.0, each) for each in value)
        chosen = order[:1]
        while len(chosen) < MOST_CLAUSES and (lacking := self._lacking(chosen)) > 0:
            others = [n for n in order if n not in chosen and value[n] > worth]
            self._read_all([*chosen, n] for n in others)
            best = min(others, key=lambda n: self._lacking([*chosen, n]), default=None)
            if best is None or self._lacking([*chosen, best]) >= lacking:
                break
            chosen.append(best)
        bar = STRONG * max(value, default=0.0)
        chosen += [n for n in order if n not in chosen and value[n] >= bar > 0]
        return sorted(self._fewer(chosen[:MOST_CLAUSES]))

    def _fewer(self, chosen: list[int]) -> list[int]:
        """Leave out the weakest clauses of a text that would be told nearly whole, if it can be."""
        size = sum(map(len, self.clauses))
        enough = min(self.least, self.read.bare(joined(self.clauses)))
        weakest = sorted(chosen, key=lambda n: self.value[n])
        while len(weakest) > 1 and size > WHOLE:
            told = sum(len(self.clauses[n]) for n in weakest)
            fewer, _ = self._sides(weakest[1:])
            if told <= MOST_TOLD * size or self.read.bare(fewer) < enough:
                break
            weakest = weakest[1:]
        return weakest

    def _between(self, share: float) -> float:
        """Return the log-odds at a share of the way from an empty text to the whole."""
        nothing, whole = self.read.of(()), self.read.of(joined(self.clauses))
        return nothing + share * (whole - nothing)

    def _lacking(self, chosen: list[int]) -> float:
        """Return by how much the chosen clauses fall short of the grade, or the rest still has it.

        Log-odds: 0 where the chosen bring enough of the whole, and the grade, and the rest neither.
        """
        with_them, rest = self._sides(chosen)
        whole = self.read.bare(joined(self.clauses))
        return (
            max(0.0, self._between(HOLDS) - self.read.of(with_them))
            + max(0.0, self.read.of(rest) - self._between(LEFT))
            + max(0.0, min(whole, self.least) - self.read.bare(with_them))
            + max(0.0, self.read.bare(rest) - self.least)
        )

    def _read_all(self, choices: Iterable[list[int]]) -> None:
        self.read.read([side for chosen in choices for side in self._sides(chosen)])

    def _sides(self, chosen: list[int]) -> tuple[Words, Words]:
        """Return the words of the chosen clauses, and those of all others."""
        with_them = joined(clause for n, clause in enumerate(self.clauses) if n in chosen)
        rest = joined(clause for n, clause in enumerate(self.clauses) if n not in chosen)
        return with_them, rest


def _narrowed(question: Question, words: Words, read: Influence) -> Words:
    """Return about `SEARCHED` words at most: the clauses of a long text that count most."""
    if len(words) > READ_WHOLE:
        words = _gravest_stretch(clauses_of(question, words), read)
    while len(words) > SEARCHED:
        (blocks,) = _at_most([clauses_of(question, words)], MOST_BLOCKS)
        value = read.shares(blocks)
        taken: list[int] = []
        for n in sorted(range(len(blocks)), key=lambda n: -value[n]):
            room = SEARCHED - sum(len(blocks[m]) for m in taken)
            if not taken or (value[n] > 0 and len(blocks[n]) <= room):
                taken.append(n)
        if len(taken) == len(blocks):
            break
        words = joined(blocks[n] for n in sorted(taken))
    return words


def _gravest_stretch(clauses: list[Words], read: Influence) -> Words:
    """Read overlapping stretches of a long text each alone; return the gravest."""
    stretches: list[Words] = []
    for start in range(0, len(clauses), -(-len(clauses) // MOST_STRETCHES)):
        end, size = start, 0
        while end < len(clauses) and (end == start or size + len(clauses[end]) <= READ_WHOLE):
            size += len(clauses[end])
            end += 1
        stretches.append(joined(clauses[start:end]))
        if end == len(clauses):
            break
    read.read(stretches)
    return max(stretches, key=read.of)


def _at_most(clauses: list[list[Words]], most: int) -> list[list[Words]]:
    """Join the shortest neighbours inside a clause until there are at most `most` parts in all."""
    while sum(map(len, clauses)) > most:
        pairs = [
            (len(parts[at]) + len(parts[at + 1]), n, at)
            for n, parts in enumerate(clauses)
            for at in range(len(parts) - 1)
        ]
        if not pairs:
            break
        _, n, at = min(pairs)
        clauses[n][at : at + 2] = [clauses[n][at] + clauses[n][at + 1]]
    return clauses


def _told(text: str, kept: dict[int, Words], value: list[float]) -> tuple[Reason, ...]:
    """Return the spans of the chosen clauses, less pieces of words that only join others."""
    total = sum(max(0.0, each) for each in value) or 1.0
    reasons = []
    for n, words in kept.items():
        runs = runs_of(words)
        if len(runs) > 1:
            runs = [run for run in runs if any(word.telling for word in run)]
        size = sum(map(len, runs))
        for run in runs:
            start, end = run[0].span[0], run[-1].span[1]
            weight = max(0.0, value[n]) / total * len(run) / size
            reasons.append(Reason(start, end, text[start:end], round(weight, 4)))
    reasons.sort(key=lambda reason: -reason.weight)
    return tuple(reasons[:MOST_REASONS])
