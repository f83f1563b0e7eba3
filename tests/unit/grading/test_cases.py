"""The labelled mentions that the project wrote itself: their form, and what is kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitor.grading.question import spans_of
from training.rows import FLAGS, GRADES, Forbidden, kept_apart, learned, lines

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {"id", "text", "mention", "label", "flags", "pair", "lang", "thread", "category"}


def _texts(files: list[Path]) -> list[dict[str, Any]]:
    return [row for file in files for row in lines(file)]


@pytest.mark.parametrize("file", [*learned(), *kept_apart()], ids=lambda file: file.stem)
def test_every_case_can_be_read_towards_its_mention(file: Path) -> None:
    for row in lines(file):
        assert row.keys() <= FIELDS, row["id"]
        assert row["label"] in GRADES, row["id"]
        assert set(row.get("flags", ())) <= set(FLAGS), row["id"]
        assert spans_of(row["text"], row["mention"]), row["id"]


def test_no_two_cases_share_an_id() -> None:
    ids = [row["id"] for row in _texts([*learned(), *kept_apart()])]
    assert len(ids) == len(set(ids))


def test_training_takes_no_file_that_is_kept_apart() -> None:
    apart = {file.stem for file in kept_apart()}
    assert {"held-ordinary", "held-mixed"} <= apart
    assert not apart & {file.stem for file in learned()}


def test_every_text_kept_apart_is_barred_from_training() -> None:
    rows = _texts(kept_apart())
    barred = Forbidden((row["text"], row["mention"]) for row in rows)
    assert all(barred.near(row["text"], row["mention"]) for row in rows)


def test_the_mixed_file_holds_enough_of_every_grade() -> None:
    labels = [row["label"] for row in _texts(kept_apart()) if "category" in row]
    assert len(labels) >= 200
    assert min(labels.count(grade) for grade in GRADES) >= 60
