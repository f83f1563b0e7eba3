"""A report keeps the tables that it cannot make again, with the model that they are of."""

from __future__ import annotations

from typing import Any

import pytest

from training import tables
from training.published import kept, kept_rows

PAGE = """
Model `grader-1 aaa`.

### The held part of the training texts

| on the held part | value |
| --- | --: |
| recall | 0.800 |

### Beside simpler graders

| grader | macro-F1 |
| --- | --: |
| a word list | 0.262 |
| **this grader** | 0.854 |

### Trade-off of the threat threshold

| threshold |
"""
SET: dict[str, Any] = {
    "macro-F1": 0.9,
    "recall threatening": 0.95,
    "neutral called threatening": 0.01,
    "neutral called hostile": 0.02,
}
NEWER: dict[str, Any] = {"model": "grader-2 bbb", "staffcheck-dev": SET}


@pytest.fixture(autouse=True)
def without_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where nobody has trained: no file of the training is there."""
    monkeypatch.setattr(tables, "_kept", lambda _name: None)


def test_a_section_stays_with_the_model_that_the_page_was_of() -> None:
    held = kept(PAGE, tables.HELD)
    assert held.startswith("Measured with model `grader-1 aaa`.")
    assert "| recall | 0.800 |" in held
    assert "Beside" not in held
    again = f"Model `grader-3 ccc`.\n\n### {tables.HELD}\n\n{held}\n\n### {tables.BESIDE}\n"
    assert kept(again, tables.HELD) == held


def test_a_page_without_a_section_keeps_none() -> None:
    assert kept("", tables.HELD) == ""
    assert kept_rows("", tables.BESIDE, tables.OURS) == ("", [])


def test_simpler_graders_stay_and_our_own_row_is_new_however_often_it_is_reported() -> None:
    once = tables._beside(NEWER, PAGE)
    assert "beside model `grader-1 aaa`; the last row is model `grader-2 bbb`" in once
    assert "| a word list | 0.262 |" in once
    assert "0.854" not in once
    assert once.count(tables.OURS) == 1
    page = f"Model `grader-2 bbb`.\n\n### {tables.BESIDE}\n\n{once}\n\n### Next\n"
    twice = tables._beside({**NEWER, "model": "grader-3 ccc"}, page)
    assert twice == once.replace("grader-2 bbb", "grader-3 ccc")
