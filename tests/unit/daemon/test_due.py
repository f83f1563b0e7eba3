"""When a source is to be asked, whatever the clock did since its last turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.pipeline import FUTURE_LIMIT
from monitor.storage.records import SourceState
from monitor.turns import due as when_due

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def state(*, attempted: timedelta, due: timedelta | None, stopped: bool = False) -> SourceState:
    """A source asked so long before now (negative) or after it, and due then."""
    return SourceState(
        "news",
        "feed",
        last_attempt_at=NOW + attempted,
        next_due_at=None if due is None else NOW + due,
        stopped=stopped,
    )


def test_a_source_that_is_not_due_yet_waits_for_its_time() -> None:
    assert when_due(state(attempted=-MINUTE, due=14 * MINUTE), NOW) == NOW + 14 * MINUTE


@pytest.mark.parametrize(
    "given",
    [
        None,
        state(attempted=-20 * MINUTE, due=-5 * MINUTE),
        state(attempted=-MINUTE, due=timedelta()),
        state(attempted=-MINUTE, due=None),
    ],
    ids=["never asked", "overdue", "due now", "never planned"],
)
def test_a_source_without_a_time_ahead_is_asked_now(given: SourceState | None) -> None:
    assert when_due(given, NOW) is None


def test_a_source_that_was_stopped_is_asked_after_a_restart_or_a_reload() -> None:
    assert when_due(state(attempted=-MINUTE, due=14 * MINUTE, stopped=True), NOW) is None


def test_a_source_asked_in_the_future_is_asked_now_since_the_clock_went_back() -> None:
    assert when_due(state(attempted=60 * MINUTE, due=75 * MINUTE), NOW) is None


def test_a_time_beyond_every_wait_was_set_by_another_clock() -> None:
    assert when_due(state(attempted=-MINUTE, due=FUTURE_LIMIT + MINUTE), NOW) is None
    assert when_due(state(attempted=-MINUTE, due=FUTURE_LIMIT), NOW) is not None
