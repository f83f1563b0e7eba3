"""Whether school is held on a day: weekday, no bank holiday of the nation, inside a term."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache

from monitor.config.schools import TermConfig

_SATURDAY = 5


class Nation(StrEnum):
    """Whose bank holidays are kept."""

    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"


_SUBDIVISIONS = {
    Nation.ENGLAND: "ENG",
    Nation.WALES: "WLS",
    Nation.SCOTLAND: "SCT",
    Nation.NORTHERN_IRELAND: "NIR",
}


@lru_cache(maxsize=32)
def bank_holidays(nation: Nation, year: int) -> frozenset[date]:
    """The bank holidays of one year (source: the `holidays` package, ISO 3166-2:GB)."""
    # Imported late: it costs start-up time, and a command such as `match` never asks.
    from holidays import country_holidays  # noqa: PLC0415

    return frozenset(country_holidays("GB", subdiv=_SUBDIVISIONS[nation], years=year))


def is_school_day(day: date, nation: Nation, terms: Sequence[TermConfig]) -> bool:
    """Without any terms, every weekday that is no bank holiday counts."""
    if day.weekday() >= _SATURDAY or day in bank_holidays(nation, day.year):
        return False
    return not terms or any(term.first_day <= day <= term.last_day for term in terms)
