"""Thirty alerts with their reasons marked, for readers to say whether those words decided."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from monitor.grading.grader import Grader
from monitor.grading.question import Question, spans_of
from monitor.model import Severity
from training.rows import kept_apart, lines

if TYPE_CHECKING:
    from monitor.model import Grade

ALERTS = 30
SEED = 29


def shown(text: str, grade: Grade) -> str:
    """Return the text with every reason between guillemets."""
    for reason in sorted(grade.reasons, key=lambda each: -each.start):
        text = f"{text[: reason.start]}«{text[reason.start : reason.end]}»{text[reason.end :]}"
    return text


def marked() -> str:
    """Return a numbered list: grade, whom it is towards, the text with its reasons marked.

    The texts are drawn from the files that nobody trains on, half threatening, half abusive, as
    the shipped model grades them, right or wrong.
    """
    grader = Grader.load()
    rows = [row for file in kept_apart() for row in lines(file)]
    random.Random(SEED).shuffle(rows)
    wanted = {Severity.THREATENING: ALERTS // 2, Severity.ABUSIVE: ALERTS - ALERTS // 2}
    told = []
    for row in rows:
        question = Question(row["text"], spans_of(row["text"], row["mention"]))
        said = grader.grade(question, reasons=False).severity
        if wanted.get(said):
            wanted[said] -= 1
            text = shown(row["text"], grader.grade(question))
            told.append(f"{len(told) + 1}. {said.value} towards {row['mention']}\n   {text}\n")
    return "\n".join(told)
