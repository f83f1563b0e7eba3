"""The JSON lines of the command `grade`."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.grading.lines import LineError, read_line, write_line
from monitor.model import Flag, Grade, Reason, Scope, Scores, Severity


def test_a_line_becomes_a_question_with_every_occurrence_as_target() -> None:
    identity, question = read_line(
        {"id": "7", "text": "Mr Kay, Mr Kay!", "mention": "Mr Kay", "title": "t", "scope": "school"}
    )
    assert identity == "7"
    assert question.spans == ((0, 6), (8, 14))
    assert (question.title, question.thread, question.scope) == ("t", "", Scope.SCHOOL)


def test_null_for_an_optional_part_is_as_good_as_leaving_it_out() -> None:
    line = {"id": 1, "text": "x", "mention": "x", "title": None, "thread": None, "scope": None}
    assert read_line(line)[1].scope is Scope.OPEN


def test_a_mention_in_another_case_is_found() -> None:
    assert read_line({"id": 1, "text": "MR KAY out", "mention": "Mr Kay"})[1].spans == ((0, 6),)


def test_a_mention_that_stands_nowhere_is_graded_all_the_same() -> None:
    assert read_line({"id": 1, "text": "", "mention": "Mr Kay"})[1].spans == ()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ([], "object"),
        ({"text": "a", "mention": "a"}, "id"),
        ({"id": True, "text": "a", "mention": "a"}, "id"),
        ({"id": 1, "mention": "a"}, "text: is missing"),
        ({"id": 1, "text": 5, "mention": "a"}, "text: must be text"),
        ({"id": 1, "text": "secret words"}, "mention: is missing"),
        ({"id": 1, "text": "a", "mention": "a", "thread": 3}, "thread"),
        ({"id": 1, "text": "a", "mention": "a", "scope": "moon"}, "scope"),
    ],
)
def test_a_bad_line_says_what_is_wrong_without_quoting_the_text(line: Any, complaint: str) -> None:
    with pytest.raises(LineError, match=complaint) as caught:
        read_line(line)
    assert "secret words" not in str(caught.value)


def test_a_grade_is_written_with_plain_values_in_a_fixed_order() -> None:
    grade = Grade(
        Severity.ABUSIVE,
        unsure=True,
        scores=Scores(0.12344, 0.6, 0.27656),
        flags=frozenset({Flag.SEXUAL, Flag.ALLEGATION}),
        reasons=(Reason(0, 3, "oaf", 0.9),),
    )
    assert write_line("x", grade) == {
        "id": "x",
        "grade": "abusive",
        "unsure": True,
        "scores": {"threatening": 0.1234, "abusive": 0.6, "neutral": 0.2766},
        "flags": ["allegation", "sexual"],
        "reasons": [{"start": 0, "end": 3, "text": "oaf", "weight": 0.9}],
    }
