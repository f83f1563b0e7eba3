"""`check` and the picture program, over a socket on which one is started for each question."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.pictures.camera import installed
from tests.e2e.house import ROOT, House
from tests.programs import needs

WHAT = "pictures of pages"
PROGRAM = """
import functools, os
from monitor.pictures import worker
# Chromium makes no sandbox for root; nothing else is other than what the unit starts.
worker.answer = functools.partial(worker.answer, sandbox=os.geteuid() != 0)
worker.main()
"""


@contextmanager
def as_systemd_does(path: Path, program: str, **environment: str) -> Iterator[None]:
    """Start `program` for each connection, with the connection as its input and output."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                subprocess.run(
                    [sys.executable, "-c", program],
                    stdin=connection.fileno(),
                    stdout=connection.fileno(),
                    stderr=subprocess.DEVNULL,
                    check=False,
                    timeout=60,
                    cwd=ROOT,
                    env={**os.environ, **environment},
                )

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(60)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An installation that wants pictures; nothing else of it answers."""
    more = (
        f'[evidence.pictures]\nsocket = "{tmp_path}/s"\n[[evidence.pictures.hosts]]\n'
        'host = "gazette.example"\nterms_read_on = 2026-09-03\n'
    )
    found = House(tmp_path, 9, more=more)
    found.migrate()
    return found


def said(house: House) -> tuple[str, str, str]:
    """How `check` finds the pictures: level, what was found, what to do."""
    ran = house.command("check", "--json")
    rows = [row for row in map(json.loads, ran.stdout.splitlines()) if row["what"] == WHAT]
    assert len(rows) == 1, ran.stderr
    return rows[0]["level"], rows[0]["found"], rows[0]["to_do"]


def test_check_says_that_pictures_work_for_which_hosts_and_with_what(
    house: House, tmp_path: Path
) -> None:
    if not installed():
        needs("chromium")
    with as_systemd_does(tmp_path / "s", PROGRAM):
        level, found, _ = said(house)
    assert level == "ok"
    assert found.startswith("on, for gazette.example; Chromium ")


def test_check_says_that_chromium_is_missing_and_how_to_get_it(
    house: House, tmp_path: Path
) -> None:
    with as_systemd_does(tmp_path / "s", PROGRAM, PATH=str(tmp_path)):
        level, found, to_do = said(house)
    assert (level, found) == ("TROUBLE", "there is no Chromium here: apt install chromium")
    assert "alerts do not wait" in to_do


def test_check_says_that_the_socket_is_missing_and_what_makes_it(
    house: House, tmp_path: Path
) -> None:
    level, found, _ = said(house)
    assert level == "TROUBLE"
    assert found.startswith(f"{tmp_path}/s is not there: sudo make install again")


def test_check_says_that_nobody_listens_and_what_starts_it(house: House, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "s"))
    _, found, _ = said(house)
    assert "systemctl start staff-mentions-pictures.socket" in found


def test_check_says_where_to_read_why_the_program_fell_over(house: House, tmp_path: Path) -> None:
    with as_systemd_does(tmp_path / "s", "input(); raise SystemExit(1)"):
        level, found, _ = said(house)
    assert level == "TROUBLE"
    assert "ended without a word" in found
    assert "journalctl -u 'staff-mentions-pictures@*'" in found
