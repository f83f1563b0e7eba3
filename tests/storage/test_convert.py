"""What a row gives back is what was put in."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.model import Flag, Grade, Reason, Scores, Severity
from monitor.storage.convert import grade_row, stored_grade


def test_a_grade_keeps_its_faint_flags_apart_from_the_others() -> None:
    grade = Grade(
        Severity.ABUSIVE,
        unsure=True,
        scores=Scores(0.25, 0.5, 0.25),
        flags=frozenset({Flag.WELFARE, Flag.MILD}),
        faint=frozenset({Flag.WELFARE}),
        reasons=(Reason(0, 3, "you", 0.5),),
        model="a model",
    )
    row = grade_row(grade, 7, datetime(2026, 11, 20, tzinfo=UTC), 9)
    row.id = 1
    assert stored_grade(row).grade == grade
