"""How long to wait after failures: longer each time, never in step with others, never for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

DOUBLINGS = 30
"""More doublings change nothing: two to the thirtieth of the shortest wait is past every cap."""


def next_delay(
    failures: int, *, base: timedelta, cap: timedelta, random: Callable[[], float]
) -> timedelta:
    """The wait before the next try after this many failures in a row.

    The wait doubles from `base` up to `cap`, and stays there however often the other side fails:
    a source that comes back after a year is read again. `random` gives numbers from 0 up to 1; half
    of the wait hangs on it, so that sources that failed together do not return together.

    Raises:
        ValueError: `base` or `cap` is not positive; a wait of nothing would be a busy loop.
    """
    if base <= timedelta() or cap <= timedelta():
        raise ValueError("a wait has to last")
    doublings = min(max(failures - 1, 0), DOUBLINGS)
    longest = min(base * (1 << doublings), cap)
    return longest / 2 + longest / 2 * random()
