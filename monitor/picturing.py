"""Has pages pictured by the picture program, behind everything else: no alert waits for it.

What comes back is not believed beyond what it is: some bytes and some claims, which are measured,
kept and sealed. A failure is an entry of its own, and is tried again a few times.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from loguru import logger

from monitor.clock import Clock
from monitor.config.pictures import PicturesConfig
from monitor.errors import MalformedError, RemoteError, TransientError
from monitor.evidence.leaf import Json
from monitor.evidence.vault import Vault
from monitor.pictures.job import LONGEST_LINE, WHY, Job, Picture, measure, read_picture
from monitor.storage.pictures import Wanted
from monitor.storage.store import Store

LATEST: Final = timedelta(hours=24)
"""A post graded longer ago than this is not pictured any more: its page is another by now."""
WAITS: Final = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
"""Before the second, third and fourth try; there is no fifth."""
MOST_SECONDS: Final = 90.0
_HOUR: Final = timedelta(hours=1)


@dataclass(slots=True)
class Picturing:
    """Pictures for one config: asks for one at a time, and for so many in an hour."""

    store: Store
    vault: Vault
    clock: Clock
    given: PicturesConfig
    trouble: str = ""
    _asked: deque[datetime] = field(default_factory=deque)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(each.host for each in self.given.hosts)

    async def round(self) -> int:
        """Take the pictures that are due; how many came."""
        pictures, taken = self.store.pictures, 0
        since = self.clock.now() - LATEST
        await asyncio.to_thread(pictures.enqueue, self.hosts, since=since)
        while self._may_ask():
            wanted = await asyncio.to_thread(pictures.next, now=self.clock.now())
            if wanted is None:
                break
            self._asked.append(self.clock.now())
            taken += await self._take(wanted)
        return taken

    async def try_out(self) -> str:
        """Ask whether a picture could be taken. Raises RemoteError where it could not."""
        picture, _ = await ask(self.given.socket, Job(""))
        if picture.trouble:
            raise TransientError(picture.trouble)
        return f"on, for {', '.join(sorted(self.hosts))}; {picture.browser}"

    def _may_ask(self) -> bool:
        now = self.clock.now()
        while self._asked and not now - _HOUR < self._asked[0] <= now:
            self._asked.popleft()
        return len(self._asked) < self.given.most_per_hour

    async def _take(self, wanted: Wanted) -> bool:
        try:
            picture, png = await ask(self.given.socket, Job(wanted.url, tuple(sorted(self.hosts))))
            if not picture.trouble:
                width, height = measure(png)
                return await asyncio.to_thread(self._keep, wanted, picture, png, width, height)
            why, again = picture.trouble, picture.again
        except RemoteError as error:
            why, again = str(error), True
        await asyncio.to_thread(self._failed, wanted, why, again=again)
        return False

    def _keep(self, wanted: Wanted, picture: Picture, png: bytes, width: int, height: int) -> bool:
        digest = self.vault.put(png)
        facts: dict[str, Json] = {
            "url": picture.address,
            "asked_for": wanted.url,
            "taken_at": picture.taken_at,
            "browser": picture.browser,
            "notes": list(picture.notes),
            "refused": picture.refused,
            "width": width,
            "height": height,
            "size": len(png),
        }
        kept = self.store.pictures.keep(wanted, digest, facts, at=self.clock.now())
        logger.bind(post=wanted.post_id, kept=kept is not None).info("picture.taken")
        self.trouble = ""
        return kept is not None

    def _failed(self, wanted: Wanted, why: str, *, again: bool) -> None:
        now = self.clock.now()
        left = again and wanted.attempts < len(WAITS)
        again_at = now + WAITS[wanted.attempts] if left else None
        self.store.pictures.failed(wanted, why, again_at=again_at, at=now)
        self.trouble = why
        logger.bind(post=wanted.post_id, again=left).warning("picture.failed")


async def ask(socket: Path, job: Job) -> tuple[Picture, bytes]:
    """Put one question to the picture program.

    Raises:
        TransientError: it is not there, or ends or says nothing in time.
        MalformedError: what it says makes no sense.
    """
    try:
        async with asyncio.timeout(MOST_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket, limit=LONGEST_LINE)
            try:
                writer.write(job.line())
                await writer.drain()
                line = await reader.readline()
                if not line:
                    raise TransientError(f"the picture program ended without a word; {WHY}")
                picture = read_picture(line)
                return picture, await reader.readexactly(picture.size)
            finally:
                writer.close()
    except TimeoutError as error:
        raise TransientError("the picture program said nothing in time") from error
    except (EOFError, ValueError) as error:
        raise MalformedError("the picture program stopped in the middle") from error
    except OSError as error:
        raise TransientError(_closed(socket, error)) from error


def _closed(socket: Path, error: OSError) -> str:
    """Why nobody answers at the socket, and what opens it."""
    if isinstance(error, FileNotFoundError):
        return f"{socket} is not there: sudo make install again, now that the config wants pictures"
    if isinstance(error, PermissionError):
        return f"{socket} is not for this user: ask as the service does, sudo staff-mentions check"
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at {socket}: systemctl start staff-mentions-pictures.socket"
    return f"the picture program broke off; {WHY}"
