"""When to ask again: Retry-After as servers write it, and the space between two requests."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from monitor.clock import Clock

LONGEST = timedelta(hours=24)
"""No server may silence a source for more than a day."""
UNSAID = timedelta(minutes=5)
"""The wait after a 429 that does not say how long."""
_HOSTS_REMEMBERED = 4096
_DIGITS = re.compile(r"[0-9]{1,12}")


def retry_after(value: str, *, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for, from nothing up to a day; None if unreadable.

    The header holds seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    value = value.strip()
    if _DIGITS.fullmatch(value):
        return min(timedelta(seconds=int(value)), LONGEST)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return max(timedelta(), min(moment - now, LONGEST))


@dataclass(slots=True)
class _Lane:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = float("-inf")
    users: int = 0


class Spacing:
    """Lets one request at a time pass to a host, with a pause between two of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()

    @asynccontextmanager
    async def turn(self, host: str, *, seconds: float) -> AsyncIterator[None]:
        """Hold the host's lane for one request, at least `seconds` after the last one began."""
        lane = self._lane(host)
        lane.users += 1
        try:
            async with lane.lock:
                wait = lane.free_at - self._clock.monotonic()
                if wait > 0:
                    await self._clock.sleep(wait)
                lane.free_at = self._clock.monotonic() + seconds
                yield
        finally:
            lane.users -= 1

    def _lane(self, host: str) -> _Lane:
        lane = self._lanes.setdefault(host, _Lane())
        self._lanes.move_to_end(host)
        if len(self._lanes) > _HOSTS_REMEMBERED:
            idle = next((name for name, lane in self._lanes.items() if not lane.users), host)
            if idle != host:
                del self._lanes[idle]
        return lane
