"""Finds the words that decided a grade: what changes without them, and what they say alone."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.model import Reason, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.grading.question import Question, Span
    from monitor.model import Scores

    ScoreEach = Callable[[Sequence[Question]], list[Scores]]

MOST_REASONS = 5
MOST_WORDS = 48
"""Longer texts are first searched in stretches; the gravest one is then searched by words."""
COARSE = 12
"""Parts into which a text is first divided."""
STRONG = 4
"""Parts whose single words are then measured."""
RUN = 3
"""Neighbouring words that are measured together too."""
LEAST_SHARE = 0.2
"""A word counts when it moves the grade by at least this share of the strongest word."""
_WORD = re.compile(r"\S+")
_PUNCTUATION = ".,;:!?\"'()[]{}<>\u2018\u2019\u201c\u201d\u2026-\u2013\u2014"


def reasons_for(
    question: Question, severity: Severity, score_each: ScoreEach
) -> tuple[Reason, ...]:
    """Return the deciding words, the strongest first, at most `MOST_REASONS`.

    Offsets are code points of `question.text`; the weights are shares of the measured influence
    (log-odds of the grade: lost without the words, plus gained by them alone) and add up to at
    most 1. Words inside the target's own name are never a reason, since the model does not
    see them.
    """
    words = _words(question)
    if not words:
        return ()
    if len(words) > MOST_WORDS:
        question, words = _gravest_stretch(question, words, severity, score_each)
    parts = _divided(words, COARSE)
    if len(parts) < len(words):
        influence = _influences(question, parts, severity, score_each)
        strong = sorted(range(len(parts)), key=lambda n: -influence[n])[:STRONG]
        words = [word for n in sorted(strong) if influence[n] > 0 for word in parts[n]]
    return _joined(question.text, words, _of_words(question, words, severity, score_each))


def _words(question: Question) -> list[Span]:
    """Return the spans of words and emoji, without the target's name and without punctuation."""
    shown = list(question.text)
    for start, end in question.spans:
        shown[max(0, start) : end] = " " * len(shown[max(0, start) : end])
    words = []
    for found in _WORD.finditer("".join(shown)):
        word = found.group()
        start = found.start() + len(word) - len(word.lstrip(_PUNCTUATION))
        bare = word.strip(_PUNCTUATION)
        owner = bare == "s" and question.text[max(0, start - 1) : start] in ("'", "\u2019")
        if not owner and any(c.isalnum() or c > "\u2000" for c in bare):
            words.append((start, start + len(bare)))
    return words


def _divided(words: list[Span], most: int) -> list[list[Span]]:
    """Divide words into at most `most` neighbouring parts of equal size."""
    size = math.ceil(len(words) / most)
    return [words[n : n + size] for n in range(0, len(words), size)]


def _of_words(
    question: Question, words: list[Span], severity: Severity, score_each: ScoreEach
) -> list[float]:
    """Return the influence of each word, alone and with its neighbours.

    Where a text says a thing twice, or by two words together, no single word changes the grade:
    so half of a word's influence is what the runs of `RUN` neighbours with it bring, a word each.
    """
    if not words:
        return []
    runs = [[word] for word in words]
    runs += [words[n : n + RUN] for n in range(len(words) - RUN + 1)] if len(words) > RUN else []
    found = _influences(question, runs, severity, score_each)
    own, together = found[: len(words)], found[len(words) :]
    if not together:
        return own
    result = []
    for n, alone in enumerate(own):
        with_it = together[max(0, n - RUN + 1) : n + 1]
        result.append(0.5 * alone + 0.5 * sum(with_it) / (RUN * len(with_it)))
    # The strongest run is shown whole: "in the head" is read where "head" alone would be passed by.
    best = max(range(len(together)), key=together.__getitem__)
    for n in range(best, best + RUN):
        result[n] = max(result[n], LEAST_SHARE * max(result))
    return result


def _influences(
    question: Question, parts: list[list[Span]], severity: Severity, score_each: ScoreEach
) -> list[float]:
    """Return of each part what is lost without it, and what it says with everything else gone."""
    outer = (0, len(question.text))
    asked = [question, _left_out(question, [outer])]
    asked += [_left_out(question, part) for part in parts]
    asked += [_only(question, part[0][0], part[-1][1]) for part in parts]
    whole, nothing, *others = (_log_odds(each, severity) for each in score_each(asked))
    lost, alone = others[: len(parts)], others[len(parts) :]
    return [
        (whole - without) + max(0.0, only - nothing)
        for without, only in zip(lost, alone, strict=True)
    ]


def _left_out(question: Question, part: list[Span]) -> Question:
    """Blank the words of `part`, all but characters of the target's name; offsets stay."""
    first, last = part[0][0], part[-1][1]
    named = {
        n
        for start, end in question.spans
        if start < last and first < end
        for n in range(max(start, first), min(end, last))
    }
    text = question.text
    blanked = "".join(text[n] if n in named else " " for n in range(first, last))
    return replace(question, text=text[:first] + blanked + text[last:])


def _log_odds(scores: Scores, severity: Severity) -> float:
    """Return how strongly the scores say `severity`; abuse is everything that is not neutral."""
    chance = {
        Severity.THREATENING: scores.threatening,
        Severity.ABUSIVE: scores.threatening + scores.abusive,
    }.get(severity, scores.neutral)
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance))


def _gravest_stretch(
    question: Question, words: list[Span], severity: Severity, score_each: ScoreEach
) -> tuple[Question, list[Span]]:
    """Read stretches of a long text each alone; return the question cut down to the strongest."""
    size = MOST_WORDS // 2
    stretches = [words[n : n + size] for n in range(0, len(words), size)]
    alone = [_only(question, stretch[0][0], stretch[-1][1]) for stretch in stretches]
    scored = score_each(alone)
    best = max(range(len(scored)), key=lambda n: _log_odds(scored[n], severity))
    return alone[best], stretches[best]


def _only(question: Question, start: int, end: int) -> Question:
    """Blank everything outside the stretch."""
    text = question.text
    kept = " " * start + text[start:end] + " " * (len(text) - end)
    return replace(
        question, text=kept, spans=tuple(s for s in question.spans if start <= s[0] < end)
    )


def _joined(text: str, words: list[Span], influence: list[float]) -> tuple[Reason, ...]:
    """Join neighbouring strong words into phrases and keep the strongest phrases."""
    strongest = max(influence, default=0.0)
    if strongest <= 0:
        return ()
    total = sum(value for value in influence if value > 0)
    phrases: list[tuple[int, int, float]] = []
    previous = -2
    for n, (span, value) in enumerate(zip(words, influence, strict=True)):
        if value < LEAST_SHARE * strongest:
            continue
        between = text[phrases[-1][1] : span[0]] if phrases else ""
        near = n == previous + 1 and phrases and not any(c.isalnum() for c in between)
        if near:
            phrases[-1] = (phrases[-1][0], span[1], phrases[-1][2] + value)
        else:
            phrases.append((*span, value))
        previous = n
    phrases.sort(key=lambda phrase: -phrase[2])
    return tuple(
        Reason(start, end, text[start:end], round(value / total, 4))
        for start, end, value in phrases[:MOST_REASONS]
    )
