"""Processes that read stretches of the log beside one another, all of them at the same moment.

Each opens the database for itself, for reading only. They begin while the writer's lock is held, so
that nobody has written in between and all see the log alike. Where a process cannot be started, or
dies, its stretches are read here: several make it quick, none is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from monitor.evidence.stretch import Stretch
from monitor.evidence.vault import Vault
from monitor.storage import ledger
from monitor.storage.engine import Database
from monitor.storage.stretches import LENGTH, DoubtError, Stretches

WORTH: Final = 8 * LENGTH
"""Entries for which one more process is worth its start."""
MOST: Final = 16
_START_SECONDS: Final = 30.0
_AHEAD: Final = 3
"""Stretches that one process has been asked for at once."""
# What is imported stays, and a stretch leaves nothing behind that a collector would find.
PROGRAM: Final = (
    "import gc, json, sys; gc.disable(); sys.path[:] = json.loads(sys.argv[1]);"
    " from monitor.storage.readers import serve; serve(int(sys.argv[2]))"
)
_QUIET: Final = (OSError, EOFError, ValueError)

Job = tuple[int, int, tuple[int, ...]]
"""Start and stop of a stretch, and the sizes of the checkpoints in it."""


def as_many_as_help(entries: int, wanted: int | None = None) -> int:
    """How many processes to read a log of so many entries with; 1: this one alone."""
    if wanted is not None:
        return max(1, min(wanted, MOST))
    # Not every system tells which cores are lent to us.
    lent = getattr(os, "sched_getaffinity", None)
    cores = len(lent(0)) if lent else os.cpu_count() or 1
    return max(1, min(cores, MOST, entries // WORTH))


class Readers:
    """Processes for one database and one vault; an empty set of them does everything here."""

    def __init__(self, processes: Sequence[Reader], session: Session, vault: Vault) -> None:
        self._processes = list(processes)
        self._here = Stretches(session, vault.get)

    def read(self, jobs: Sequence[Job]) -> Iterator[Stretch | None]:
        """The stretches in the order of the jobs; None for one that is in doubt."""
        found: dict[int, Stretch | None] = {}
        waiting = deque(range(len(jobs)))
        for number, job in enumerate(jobs):
            while number not in found and self._processes:
                self._ask(jobs, waiting)
                self._hear(found, waiting)
            if number in found:
                yield found.pop(number)
                continue
            with suppress(ValueError):
                waiting.remove(number)
            yield self._read_here(job)

    def _read_here(self, job: Job) -> Stretch | None:
        try:
            return self._here.read(*job)
        except DoubtError:
            return None

    def _ask(self, jobs: Sequence[Job], waiting: deque[int]) -> None:
        for process in self._processes:
            while waiting and len(process.asked) < _AHEAD:
                process.ask(waiting.popleft(), jobs)

    def _hear(self, found: dict[int, Stretch | None], waiting: deque[int]) -> None:
        ready = wait([process.line for process in self._processes])
        for process in [each for each in self._processes if each.line in ready]:
            try:
                found[process.asked[0]] = process.hear()
                process.asked.popleft()
            except _QUIET:
                self._processes.remove(process)
                waiting.extendleft(reversed(process.asked))
                process.end()


class Reader:
    """One process, started but not yet reading."""

    def __init__(self, url: str, vault: Path) -> None:
        ours, theirs = Pipe()
        with theirs:
            command = (sys.executable, "-c", PROGRAM, json.dumps(sys.path), str(theirs.fileno()))
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self.line = ours
        self.asked: deque[int] = deque()
        self.line.send((url, str(vault)))

    def begin(self) -> int:
        """Let it begin to read; the size of the log that it sees."""
        self.line.send(None)
        size: int = self._answer()
        return size

    def ready(self) -> None:
        """Wait until it can begin.

        Raises:
            OSError, EOFError: it cannot.
        """
        self._answer()

    def ask(self, number: int, jobs: Sequence[Job]) -> None:
        self.asked.append(number)
        with suppress(*_QUIET):  # its silence is heard soon enough
            self.line.send(jobs[number])

    def hear(self) -> Stretch | None:
        found: Stretch | None = self.line.recv()
        return found

    def _answer(self) -> Any:
        if not self.line.poll(_START_SECONDS):
            raise TimeoutError
        return self.line.recv()

    def end(self) -> None:
        self.line.close()
        self._child.kill()
        self._child.wait()


@contextmanager
def started(database: Database, vault: Path, count: int) -> Iterator[list[Reader]]:
    """So many processes that are ready to begin, or as many as could be started."""
    processes: list[Reader] = []
    url = database.url.render_as_string(hide_password=False)
    try:
        with suppress(*_QUIET):
            while len(processes) < count > 1:
                processes.append(Reader(url, vault))
        for process in list(processes):
            try:
                process.ready()
            except _QUIET:
                processes.remove(process)
                process.end()
        yield processes
    finally:
        for process in processes:
            process.end()


def begin_together(processes: list[Reader], size: int) -> None:
    """Let every process begin; those that do not see the log of this size are sent home."""
    for process in list(processes):
        try:
            same = process.begin() == size
        except _QUIET:
            same = False
        if not same:
            processes.remove(process)
            process.end()


def serve(descriptor: int) -> None:
    """What a process does: read the stretches that it is asked for, until nobody asks."""
    with Connection(descriptor) as line, suppress(*_QUIET):
        url, vault = line.recv()
        database = Database(url)
        with database.read() as session:
            line.send("ready")
            line.recv()
            connection = session.connection()
            if database.is_sqlite:
                connection.exec_driver_sql("pragma query_only = on")
            line.send(ledger.size(session))
            stretches = Stretches(session, Vault(Path(vault)).get)
            while True:
                job: Job = line.recv()
                try:
                    line.send(stretches.read(*job))
                except DoubtError:
                    line.send(None)
