"""How far the deciding words decide: graded with them alone, and graded without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.grading.influence import only
from monitor.grading.phrases import names_of, words_of
from monitor.grading.question import Question, spans_of
from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.grading.grader import Grader
    from monitor.grading.phrases import Words
    from monitor.model import Grade

_GRAVITY = (Severity.NEUTRAL, Severity.ABUSIVE, Severity.THREATENING)


@dataclass(frozen=True)
class Marked:
    """One alert: its grade, that of its deciding words alone, and that of the rest."""

    said: Severity
    alone: Severity
    rest: Severity
    words: int
    told: int


def marked_words(question: Question, grade: Grade) -> tuple[Words, Words]:
    """Return the words of a text inside the reasons of its grade, and all others."""
    inside, others = [], []
    for word in words_of(question):
        held = any(each.start < word.span[1] and word.span[0] < each.end for each in grade.reasons)
        (inside if held else others).append(word)
    return tuple(inside), tuple(others)


def measured(grader: Grader, row: dict[str, Any]) -> Marked | None:
    """Grade a row, its deciding words alone and the rest; None for what is neutral."""
    text = row["text"]
    question = Question(
        text,
        spans_of(text, row["mention"]),
        title=row.get("title", ""),
        thread=row.get("thread", ""),
    )
    if grader.grade(question, reasons=False).severity is Severity.NEUTRAL:
        return None
    grade = grader.grade(question)
    told, rest = marked_words(question, grade)
    names = names_of(question)

    def again(words: Words) -> Severity:
        return grader.grade(only(question, words, names), reasons=False).severity

    return Marked(grade.severity, again(told), again(rest), len(told) + len(rest), len(told))


def faithfulness(grader: Grader, rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Return shares of the alerts among `rows` (after DeYoung et al., ACL 2020).

    `same grade` and `an alert`: what the deciding words bring by themselves; `milder without`:
    those whose grade falls when they are taken out; `words told`: their share of the text.
    """
    found = [each for each in (measured(grader, row) for row in rows) if each]
    count = max(1, len(found))
    return {
        "alerts": float(len(found)),
        "same grade": sum(each.alone is each.said for each in found) / count,
        "an alert": sum(each.alone is not Severity.NEUTRAL for each in found) / count,
        "milder without": sum(_milder(each) for each in found) / count,
        "words told": sum(each.told / max(1, each.words) for each in found) / count,
        "told whole": sum(each.told == each.words for each in found) / count,
    }


def _milder(each: Marked) -> bool:
    return _GRAVITY.index(each.rest) < _GRAVITY.index(each.said)
