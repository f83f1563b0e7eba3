"""Thirty alerts with their reasons marked, for readers to say whether those words decided."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from monitor.grading.grader import Grader
from monitor.grading.question import Question, spans_of
from monitor.model import Severity
from training.rows import kept_apart, lines

if TYPE_CHECKING:
    from monitor.model import Grade

    _Graded = tuple[Severity, dict[str, Any]]

ALERTS = 30
SEED = 41
"""Of the set that outsiders read; whoever works on the reasons looks at others."""
_HALVES = {Severity.THREATENING: ALERTS // 2, Severity.ABUSIVE: ALERTS - ALERTS // 2}
ASKED = """\
The words between « and » are what the program gives as its reason for the grade. For each
alert, say yes or no: do these words, with the name and nothing else of the text, show why it was
graded so? Judge the marks and not the grade: where you would have graded otherwise, say whether
they show what the program took it for. Say no where a telling word was passed by, where a phrase
is cut so that it cannot be understood, or where a long text is marked whole.
"""


def shown(text: str, grade: Grade) -> str:
    """Return the text with every reason between guillemets."""
    for reason in sorted(grade.reasons, key=lambda each: -each.start):
        text = f"{text[: reason.start]}«{text[reason.start : reason.end]}»{text[reason.end :]}"
    return text


def marked(seed: int = SEED) -> str:
    """Return the question to readers, and a numbered list: grade, towards whom, the marked text.

    The texts are drawn from the files that nobody trains on, half threatening, half abusive, as
    the shipped model grades them, right or wrong. No other seed draws a text of the set of `SEED`.
    """
    grader = Grader.load()
    rows = [row for file in kept_apart() for row in lines(file)]
    graded = [(_said(grader, row), row) for row in rows]
    chosen = _drawn(graded, SEED)
    if seed != SEED:
        theirs = [row["text"] for _, row in chosen]
        chosen = _drawn([each for each in graded if each[1]["text"] not in theirs], seed)
    told = [ASKED]
    for number, (said, row) in enumerate(chosen, 1):
        text = shown(row["text"], grader.grade(_question(row)))
        told.append(f"{number}. {said.value} towards {row['mention']}\n   {text}\n")
    return "\n".join(told)


def _question(row: dict[str, Any]) -> Question:
    return Question(row["text"], spans_of(row["text"], row["mention"]))


def _said(grader: Grader, row: dict[str, Any]) -> Severity:
    return grader.grade(_question(row), reasons=False).severity


def _drawn(graded: list[_Graded], seed: int) -> list[_Graded]:
    """Return the first alerts of both grades, in an order that the seed decides."""
    shuffled = list(graded)
    random.Random(seed).shuffle(shuffled)
    wanted = dict(_HALVES)
    chosen = []
    for said, row in shuffled:
        if wanted.get(said):
            wanted[said] -= 1
            chosen.append((said, row))
    return chosen
