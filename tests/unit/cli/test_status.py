"""What in a status needs a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.cli.service import STALE, helpers, troubles

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def status(**changes: Any) -> dict[str, object]:
    """A status in which all is well, but for what is changed."""
    well: dict[str, object] = {
        "state": "running",
        "written_at": NOW.isoformat(),
        "health": [],
        "grader_trouble": [],
        "config_trouble": [],
        "sources": [{"name": "news", "failures": 0, "stopped": False, "last_error": ""}],
        "channels": [],
        "clock_synchronised": True,
    }
    return well | changes


def test_a_second_opinion_that_is_not_to_be_had_needs_nobody() -> None:
    away = {"model": "small", "answered_at": "", "last_error": "it refuses connections"}
    assert troubles(status(second_opinion=away), now=NOW) == []


def test_pictures_that_fail_are_seen_and_need_nobody() -> None:
    failing = {"hosts": "news.example", "last_error": "Chromium does not start"}
    found = status(pictures=failing)
    assert troubles(found, now=NOW) == []
    assert helpers(found) == ["pictures of pages: news.example; Chromium does not start"]


def test_a_service_that_is_well_needs_nobody() -> None:
    assert troubles(status(), now=NOW) == []


def test_a_clock_that_cannot_be_judged_is_no_trouble() -> None:
    assert troubles(status(clock_synchronised=None), now=NOW) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "stopped"}, "not running"),
        ({"health": ["the schedule stands still"]}, "the schedule stands still"),
        ({"grader_trouble": ["it grades otherwise"]}, "it grades otherwise"),
        ({"config_trouble": ["config.toml: mail: unknown key"]}, "unknown key"),
        ({"clock_synchronised": False}, "not synchronised"),
        (
            {"channels": [{"name": "mail", "since": "08:00", "last_error": "refused"}]},
            "channel mail: nothing taken since 08:00: refused",
        ),
        (
            {"unstamped": 4, "authorities": [{"name": "one", "last_error": "one answered 503"}]},
            "time-stamp authority one: one answered 503; 4 checkpoints wait for a stamp",
        ),
        (
            {"sources": [{"name": "a", "failures": 3, "stopped": True, "last_error": "401"}]},
            "source a: stopped: 401",
        ),
    ],
)
def test_each_trouble_is_said(changes: dict[str, Any], said: str) -> None:
    (found,) = troubles(status(**changes), now=NOW)
    assert said in found


def test_a_service_that_has_written_nothing_for_minutes_is_not_believed() -> None:
    late = NOW + STALE + timedelta(seconds=1)
    (found,) = troubles(status(), now=late)
    assert "not been heard of" in found
    assert troubles(status(), now=NOW + STALE) == []
