"""The parts of the service that stand for as long as it runs: sending, stamping, asking, picturing.

Each works until the service stops. What goes wrong in one is logged or shown, and tried again: none
of them ends because a database or a server was away for a while.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor.clock import Clock
from monitor.errors import StaffMentionsError, fault
from monitor.rounds import Rounds

OUTBOX_SECONDS = 15.0
STAMP_SECONDS = 60.0
READER_SECONDS = 60.0
PICTURE_SECONDS = 30.0


async def rest(stop: asyncio.Event, seconds: float, *alarms: asyncio.Event) -> None:
    """Wait so long, or until the service stops or an alarm rings."""
    bells = [asyncio.create_task(event.wait()) for event in (stop, *alarms)]
    await asyncio.wait(bells, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for bell in bells:
        bell.cancel()


@dataclass(slots=True)
class Standing:
    """The standing parts over one set of rounds; each coroutine returns when `stop` is set."""

    rounds: Rounds
    clock: Clock
    stop: asyncio.Event

    async def send(self) -> None:
        """Send whatever becomes due."""
        rounds = self.rounds
        while not self.stop.is_set():
            rounds.wake_outbox.clear()
            wait = OUTBOX_SECONDS
            try:
                await rounds.outbox.send_due()
                due = await asyncio.to_thread(rounds.outbox.next_due)
                if due is not None:
                    wait = min(wait, max(0.2, (due - self.clock.now()).total_seconds()))
            except (SQLAlchemyError, OSError, StaffMentionsError) as error:
                logger.bind(error=type(error).__name__).error("outbox.failed")
            await rest(self.stop, wait, rounds.wake_outbox)

    async def stamp(self) -> None:
        """Have every checkpoint stamped, at once where one is new; back-off is the stamper's."""
        rounds = self.rounds
        while not self.stop.is_set():
            rounds.wake_stamps.clear()
            try:
                await rounds.stamp()
            except (SQLAlchemyError, OSError) as error:
                logger.bind(error=type(error).__name__).error("stamps.failed")
            await rest(self.stop, STAMP_SECONDS, rounds.wake_stamps)

    async def reread(self) -> None:
        """Ask for second opinions; they are a help, and no fault of theirs is the service's."""
        rounds = self.rounds
        while not self.stop.is_set():
            rounds.wake_reader.clear()
            try:
                await rounds.reread()
            except (SQLAlchemyError, OSError, StaffMentionsError, ValueError, LookupError) as error:
                logger.bind(error=type(error).__name__).error("opinions.failed")
                if rounds.reader is not None:
                    rounds.reader.trouble = fault(error)
            await rest(self.stop, READER_SECONDS, rounds.wake_reader)

    async def picture(self) -> None:
        """Have pages pictured, behind everything else; a fault of it is shown and waited for."""
        rounds = self.rounds
        while not self.stop.is_set():
            try:
                await rounds.picture()
            except (SQLAlchemyError, OSError, StaffMentionsError, ValueError, LookupError) as error:
                logger.bind(error=type(error).__name__).error("pictures.failed")
                if rounds.picturing is not None:
                    rounds.picturing.trouble = fault(error)
            await rest(self.stop, PICTURE_SECONDS)
