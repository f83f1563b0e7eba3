"""The picture program: a question on standard input, an answer on standard output, and it ends.

systemd starts one for each connection to its socket, under an account that owns nothing. It reads
no config, no database and no key: what it must know stands in the question.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import Final

from loguru import logger

from monitor.clock import Clock, SystemClock
from monitor.errors import AuthError, MalformedError, RefusedError, RemoteError
from monitor.http import PoliteHttp
from monitor.pictures.camera import Shot, chromium, version
from monitor.pictures.fetching import Fetching
from monitor.pictures.job import LARGEST_PICTURE, LONGEST_LINE, Job, Picture, read_job

MOST_SECONDS: Final = 60.0
"""The unit ends whatever takes longer still (RuntimeMaxSec)."""
_FOR_GOOD: Final = (RefusedError, AuthError)


async def answer(
    job: Job, *, clock: Clock, private_home: str = "", sandbox: bool = True
) -> tuple[Picture, bytes]:
    """Take one picture, whatever happens within its time.

    `private_home` and `sandbox` are for tests: the program below never gives them.
    """
    http = PoliteHttp(clock=clock)
    try:
        async with asyncio.timeout(MOST_SECONDS):
            if not job.url:
                return Picture(browser=await version(sandbox=sandbox)), b""
            fetching = Fetching(http, frozenset(job.hosts), private_home)
            async with chromium(sandbox=sandbox) as browser:
                return await _taken(job, Shot(browser, fetching), browser.version, clock)
    except TimeoutError:
        return Picture(trouble="the page took too long", again=True), b""
    except RemoteError as error:
        return Picture(trouble=str(error), again=not isinstance(error, _FOR_GOOD)), b""
    finally:
        await http.aclose()


async def _taken(job: Job, shot: Shot, browser: str, clock: Clock) -> tuple[Picture, bytes]:
    now = clock.now()
    address, png = await shot.take(job.url, now=now)
    if len(png) > LARGEST_PICTURE:
        raise RefusedError("the picture is larger than is kept")
    taken = Picture(
        browser=f"Chromium {browser}",
        address=address,
        taken_at=now.isoformat(timespec="microseconds"),
        notes=tuple(shot.notes),
        refused=shot.refused,
    )
    return replace(taken, size=len(png)), png


def main() -> None:
    """Answer the one question that stands on standard input."""
    logger.remove()  # whoever asked hears what is wrong; addresses go into no journal
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    # Playwright's own driver writes to what it inherits: only the answer goes to the socket.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        job = read_job(line)
    except MalformedError as error:
        picture, png = Picture(trouble=str(error)), b""
    else:
        picture, png = asyncio.run(answer(job, clock=SystemClock()))
    with out:
        out.write(picture.line() + png)
