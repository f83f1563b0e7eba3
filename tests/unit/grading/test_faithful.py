"""The measure of reasons: words that decide score well, words that do not score badly."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from monitor.grading.grader import Grader
from monitor.grading.question import Question
from monitor.model import Grade, Reason, Severity
from training.faithful import faithfulness
from training.marked import ALERTS, ASKED, marked

ROWS: list[dict[str, Any]] = [
    {"text": "Mr Kay will be stabbed. The bus was late.", "mention": "Mr Kay"},
    {"text": "Mr Kay runs the chess club.", "mention": "Mr Kay"},
]


class Blunt:
    """Finds a threat in one word, and tells whatever it was bidden to as its reason."""

    def __init__(self, told: str) -> None:
        self.told = told

    def grade(self, question: Question, *, reasons: bool = True) -> Grade:
        """Grade one text."""
        start = question.text.find(self.told) if reasons else -1
        why = (Reason(start, start + len(self.told), self.told, 1.0),) if start >= 0 else ()
        hit = "stabbed" in question.text
        severity = Severity.THREATENING if hit else Severity.NEUTRAL
        return Grade(severity, unsure=False, scores=None, flags=frozenset(), reasons=why)


def measured(told: str) -> dict[str, float]:
    return faithfulness(cast("Grader", Blunt(told)), ROWS)


def test_words_that_decide_bring_the_grade_alone_and_take_it_with_them() -> None:
    found = measured("will be stabbed")
    assert found["alerts"] == 1
    assert (found["same grade"], found["an alert"], found["milder without"]) == (1, 1, 1)
    assert found["words told"] == pytest.approx(3 / 7)
    assert found["told whole"] == 0


def test_words_that_do_not_decide_neither_bring_the_grade_nor_take_it() -> None:
    found = measured("The bus was late")
    assert (found["same grade"], found["an alert"], found["milder without"]) == (0, 0, 0)


def test_where_nothing_is_an_alert_nothing_is_divided_by_nothing() -> None:
    assert faithfulness(cast("Grader", Blunt("x")), ROWS[1:])["alerts"] == 0


def test_the_question_to_readers_stands_before_thirty_alerts_of_both_kinds() -> None:
    printed = marked(seed=5)
    assert printed.startswith(ASKED)
    assert len(re.findall(r"^\d+\. threatening towards ", printed, re.MULTILINE)) == ALERTS // 2
    assert len(re.findall(r"^\d+\. abusive towards ", printed, re.MULTILINE)) == ALERTS // 2
    assert printed.count("«") >= ALERTS
    assert printed != marked(seed=6)


def test_whoever_works_on_reasons_sees_no_text_of_the_set_that_outsiders_read() -> None:
    def towards(printed: str) -> set[str]:
        plain = printed.replace("«", "").replace("»", "").splitlines()
        return {line.strip() for line in plain if line.startswith("   ")}

    theirs = towards(marked())
    assert len(theirs) == ALERTS
    assert not theirs & towards(marked(seed=5))
