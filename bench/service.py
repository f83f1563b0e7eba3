"""The running service: `python bench/service.py [IDLE_MINUTES]`.

What it takes while nothing happens, with 40 sources, with and without the grading model; and how
long a threat takes from the answer that holds it to the mail server that has taken its mail.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import cpu_seconds, family, megabytes, table
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from tests.e2e.house import House, post, ring, wait_for

SOURCES = 40
THREATS = 9
EVERY_MINUTES = 3
WITHOUT_MODEL = """
import asyncio, sys
from pathlib import Path
from monitor.app import App, LazyGrader
from monitor.cli.common import log_to_stderr
from monitor.daemon import Daemon

async def serve():
    app = App.open(Path(sys.argv[1]))
    app.grader = LazyGrader(Path("/nonexistent"))
    try:
        await Daemon(app).run()
    finally:
        await app.aclose()

log_to_stderr()
asyncio.run(serve())
"""


class TimedFeeds(FeedServer):
    """Notes when it last gave an answer."""

    answered = 0.0

    def document(self, name: str) -> bytes | None:
        self.answered = time.perf_counter()
        return super().document(name)


class TimedMail(MailCatcher):
    """Notes when each mail was taken."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.taken: list[tuple[str, float]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        answer = await super().handle_DATA(server, session, envelope)
        self.taken.append((envelope.rcpt_tos[0], time.perf_counter()))
        return answer

    def first_to(self, recipient: str, since: float) -> float | None:
        """When somebody first got a mail after a moment."""
        times = [at for who, at in self.taken if who.startswith(recipient) and at > since]
        return min(times, default=None)


def idle(minutes: float, *, model: bool) -> list[object]:
    """Run with 40 sources, each asked once in three minutes; what it takes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        TimedFeeds() as feeds,
        TimedMail(Path(folder) / "mail") as mail,
    ):
        names = [f"feed-{number}" for number in range(SOURCES)]
        for name in names:
            feeds.publish(
                *(post(name, f"{name}-{n}", f"A heron, seen {n} times") for n in range(10))
            )
        urls = {name: f"http://127.0.0.1:{feeds.port}/{name}.xml" for name in names}
        house = House(Path(folder), mail.port, urls, every_minutes=EVERY_MINUTES)
        house.migrate()
        program = () if model else (sys.executable, "-c", WITHOUT_MODEL)
        with house.service(*program) as service:
            wait_for("a first look everywhere", lambda: service.log().count("turn.done") >= SOURCES)
            process, _ = family(service.process.pid)
            began, cpu = time.monotonic(), cpu_seconds(process)
            own, parsers = [], [0.0]
            while time.monotonic() - began < minutes * 60:
                process, children = family(service.process.pid)
                own.append(megabytes([process]))
                parsers.append(megabytes(children))
                time.sleep(1)
            hours = (time.monotonic() - began) / 3600
            spent = (cpu_seconds(process) - cpu) / hours
            service.stop()
    which = "with the grading model" if model else "without it"
    return [
        which,
        f"{statistics.median(own):.0f} MB",
        f"{max(own):.0f} MB",
        f"{max(parsers):.0f} MB",
        f"{spent:.0f} s",
        f"{spent / 3600:.2%}",
    ]


def poll_to_mail() -> list[float]:
    """Seconds from the answer that holds a threat until its mail is taken, for several threats."""
    with (
        tempfile.TemporaryDirectory() as folder,
        TimedFeeds() as feeds,
        TimedMail(Path(folder) / "mail") as mail,
    ):
        feeds.publish(post("forum", "f0", "A grey scarf was lost in Aldermoor."))
        house = House(
            Path(folder), mail.port, {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"}
        )
        house.migrate()
        taken = []
        with house.service() as service:
            wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
            for number in range(THREATS):
                feeds.publish(post("forum", f"t{number}"))
                since = time.perf_counter()
                ring(house, service)
                at = wait_for("its mail", partial(mail.first_to, "head@", since))
                taken.append(at - feeds.answered)
                wait_for("the end of its turn", partial(_settled, house, number + 2))
            service.stop()
    return taken


def _settled(house: House, polls: int) -> bool:
    waiting = house.rows("select 1 from delivery where state != 'taken'")
    return house.source("forum")["polls"] >= polls and not waiting


def main(minutes: float) -> None:
    """Measure and print."""
    taken = poll_to_mail()
    print(f"A threat, from the answer that holds it to its mail taken; {THREATS} threats, all of it"
          " on loopback, so all of it ours\n")  # fmt: skip
    table(
        ("median", "fastest", "slowest"),
        [[f"{value:.2f} s" for value in (statistics.median(taken), min(taken), max(taken))]],
    )
    print(f"{SOURCES} sources, each asked every {EVERY_MINUTES} minutes and with nothing new, over"
          f" {minutes:g} minutes after the first look\n")  # fmt: skip
    table(
        ("the service", "resident, median", "most", "its parsers, most", "processor an hour",
         "of a core"),
        [idle(minutes, model=True), idle(minutes, model=False)],
    )  # fmt: skip


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else EVERY_MINUTES)
