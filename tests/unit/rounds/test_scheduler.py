"""The schedule forgives lateness, a clock that is set back, and a job laid again while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.scheduler import Scheduler

LONG = 5.0


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    made = Scheduler()
    made.start()
    yield made
    made.stop()


def next_run(scheduler: Scheduler, name: str) -> datetime:
    found: datetime = scheduler._scheduler.get_job(name).next_run_time
    return found


async def test_what_was_due_long_ago_is_done_at_once(scheduler: Scheduler) -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    scheduler.once("turn", datetime.now(UTC) - timedelta(days=3), work)
    await asyncio.wait_for(done.wait(), LONG)


async def test_a_lambda_that_gives_a_coroutine_is_awaited_too(scheduler: Scheduler) -> None:
    done = asyncio.Event()

    async def work(event: asyncio.Event) -> None:
        event.set()

    scheduler.once("turn", datetime.now(UTC), lambda: work(done))
    await asyncio.wait_for(done.wait(), LONG)


async def test_a_job_laid_again_while_it_runs_is_not_dropped(scheduler: Scheduler) -> None:
    begun, finish, second = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await finish.wait()

    async def again() -> None:
        second.set()

    scheduler.once("turn", datetime.now(UTC), slow)
    await asyncio.wait_for(begun.wait(), LONG)
    scheduler.once("turn", datetime.now(UTC), again)
    await asyncio.wait_for(second.wait(), LONG)
    finish.set()


async def test_a_second_call_under_one_name_replaces_the_first(scheduler: Scheduler) -> None:
    ran = []
    done = asyncio.Event()

    async def first() -> None:
        ran.append("first")

    async def second() -> None:
        ran.append("second")
        done.set()

    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    scheduler.once("turn", soon, first)
    scheduler.once("turn", soon, second)
    await asyncio.wait_for(done.wait(), LONG)
    assert ran == ["second"]


async def test_laid_anew_a_repeated_job_counts_from_the_clock_as_it_is_now(
    scheduler: Scheduler,
) -> None:
    async def work() -> None: ...

    # A trigger made while the clock was a year ahead would first fire in a year.
    scheduler.every("escalate", timedelta(days=365), work)
    trigger, _work = scheduler._repeats["escalate"]
    before = next_run(scheduler, "escalate")
    scheduler.again()
    assert trigger() is not trigger()
    assert next_run(scheduler, "escalate") > before


async def test_stopping_leaves_what_runs_to_its_end(scheduler: Scheduler) -> None:
    begun, finish, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await finish.wait()
        ended.set()

    scheduler.once("turn", datetime.now(UTC), slow)
    await asyncio.wait_for(begun.wait(), LONG)
    scheduler.stop()
    finish.set()
    await asyncio.wait_for(ended.wait(), LONG)


async def test_a_daily_job_keeps_the_schools_hour_over_the_change_to_summer_time(
    scheduler: Scheduler,
) -> None:
    async def work() -> None: ...

    zone = ZoneInfo("Europe/London")
    scheduler.daily("digest", time(7, 30), zone, work)
    trigger, _work = scheduler._repeats["digest"]
    day_before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    due = trigger().get_next_fire_time(None, day_before)
    assert due.astimezone(zone).time() == time(7, 30)
    assert due.astimezone(UTC).time() == time(6, 30)
