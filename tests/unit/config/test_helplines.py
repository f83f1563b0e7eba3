"""Help lines say how well they are known, and nothing from memory passes as confirmed."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.config.helplines import Certainty, help_line, help_lines


def test_every_line_can_be_reached_and_has_its_own_id() -> None:
    lines = help_lines()

    assert len({line.id for line in lines}) == len(lines)
    assert all(line.telephone or line.email or line.url for line in lines)


def test_danger_comes_first() -> None:
    assert help_lines()[0].telephone == ("999",)


def test_what_is_known_from_memory_is_not_confirmed() -> None:
    from_memory = [line for line in help_lines() if line.certainty is Certainty.MEMORY]

    assert from_memory
    assert not any(line.is_confirmed or line.checked_on for line in from_memory)


def test_every_other_line_says_when_it_was_compared_with_its_source() -> None:
    known = [line for line in help_lines() if line.certainty is not Certainty.MEMORY]

    assert all(line.is_confirmed and line.source for line in known)
    assert all(line.checked_on and line.checked_on >= date(2026, 11, 1) for line in known)


def test_a_line_is_found_by_its_id() -> None:
    assert help_line("education-support").telephone == ("08000 562 561",)
    with pytest.raises(KeyError):
        help_line("nobody")
