"""When school is held, and how long records are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.config.schema import Config
from monitor.config.sections import RetentionConfig

if TYPE_CHECKING:
    Read = Callable[..., Config]
    Write = Callable[..., Path]


# --- days -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "nation", "is_held"),
    [
        pytest.param("2026-11-20", "england", True, id="a Friday in term"),
        pytest.param("2026-11-21", "england", False, id="a Saturday"),
        pytest.param("2026-10-28", "england", False, id="half-term"),
        pytest.param("2026-11-30", "england", True, id="St Andrew's in England"),
        pytest.param("2026-11-30", "scotland", False, id="St Andrew's in Scotland"),
        pytest.param("2027-03-17", "england", True, id="St Patrick's in England"),
        pytest.param("2027-03-17", "northern-ireland", False, id="St Patrick's in Ulster"),
        pytest.param("2026-09-02", "wales", True, id="the first day"),
        pytest.param("2026-09-01", "wales", False, id="the day before"),
        pytest.param("2026-12-18", "wales", True, id="the last day"),
        pytest.param("2026-12-21", "wales", False, id="the day after"),
    ],
)
def test_a_school_day_is_a_weekday_of_a_term_that_is_no_bank_holiday(
    day: str, nation: str, is_held: bool, read: Read, write: Write
) -> None:
    terms = "".join(
        f"\n[[terms]]\nfirst_day = {first}\nlast_day = {last}\n"
        for first, last in (
            ("2026-09-02", "2026-10-23"),
            ("2026-11-02", "2026-12-18"),
            ("2027-01-04", "2027-04-01"),
        )
    )
    path = write(terms, replace={"[[schools]]": f'nation = "{nation}"\n[[schools]]'})

    assert read(path).is_school_day(date.fromisoformat(day)) is is_held


def test_without_terms_every_weekday_counts_but_bank_holidays(read: Read, fixtures: Path) -> None:
    config = read(fixtures / "good.toml")

    assert config.is_school_day(date(2026, 10, 28))
    assert not config.is_school_day(date(2026, 12, 25))


@pytest.mark.parametrize(
    "addition",
    [
        "[[terms]]\nfirst_day = 2026-09-02\nlast_day = 2026-09-02",
        "[lawful]\ndpia_date = 2026-11-21",
        f'[lawful]\napproved_by = "{"a" * 300}"',
    ],
    ids=["a term of one day", "an assessment made today", "three hundred letters"],
)
def test_the_last_value_that_is_allowed_is_allowed(addition: str, read: Read, write: Write) -> None:
    assert read(write(addition)).warnings == ()


# --- how long ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "years", "closed", "until"),
    [
        ("08-31", 1, "2026-11-21", "2028-08-31"),
        ("08-31", 1, "2026-08-31", "2027-08-31"),
        ("08-31", 0, "2026-09-01", "2027-08-31"),
        ("02-29", 1, "2026-11-21", "2028-02-29"),
        ("02-29", 0, "2026-11-21", "2027-02-28"),
    ],
)
def test_abuse_is_kept_to_the_end_of_the_school_year_and_then_some(
    ends: str, years: int, closed: str, until: str
) -> None:
    retention = RetentionConfig(
        school_year_ends=ends,
        abusive_years_after_school_year=years,
        abusive_years_after_school_year_because="test",
    )

    assert retention.abusive_until(date.fromisoformat(closed)) == date.fromisoformat(until)


def test_a_period_of_ones_own_is_taken_with_its_reason(read: Read, write: Write) -> None:
    path = write('[retention]\nneutral_days = 30\nneutral_days_because = "Governors, 8 September"')

    assert read(path).retention.neutral_days == 30
