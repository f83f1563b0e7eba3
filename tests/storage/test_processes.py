"""Processes that seal at the same time write one log, in one order, on either database."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from monitor.evidence.vault import Vault
from monitor.storage.store import Store

ROOT = Path(__file__).parents[2]
PROCESSES, COMMITS, ENTRIES = 4, 25, 3
SEALING = """
import sys
from datetime import UTC, datetime
from monitor.evidence.entries import access
from monitor.storage.store import Store

store, name = Store(sys.argv[1], mail_domain="school.example"), sys.argv[2]
at = datetime(2026, 11, 20, 9, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    leaf = access(at=at, what=f"{name}-{number}", mention_entry=None, by="x", why="y")
    found = store.log.append([leaf] * int(sys.argv[4]))
    assert found == list(range(found[0], found[0] + len(found))), "another process came between"
    print(number, flush=True)
"""


def sealing(url: str, name: str, commits: int = COMMITS) -> subprocess.Popen[str]:
    """A process that seals as soon as it is told to."""
    command = [sys.executable, "-c", SEALING, url, name, str(commits), str(ENTRIES)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_that_seal_at_once_keep_every_commit_whole(
    database_url: str, store: Store, make: Any, vault: Vault
) -> None:
    before = store.log.head()[0]
    running = [sealing(database_url, f"p{number}") for number in range(PROCESSES)]
    for each in running:
        go(each)
    for each in running:
        each.communicate(timeout=120)
    assert [each.returncode for each in running] == [0] * PROCESSES
    assert make.verified(store, vault).size == before + PROCESSES * COMMITS * ENTRIES
    said = [str(store.log.entry(n).public["what"]) for n in range(before, store.log.head()[0])]
    assert {said.count(each) for each in said} == {ENTRIES}
    assert all(len(set(said[n : n + ENTRIES])) == 1 for n in range(0, len(said), ENTRIES))


def test_a_process_that_is_killed_while_it_seals_leaves_whole_commits_and_stops_nobody(
    database_url: str, store: Store, make: Any, vault: Vault
) -> None:
    before = store.log.head()[0]
    victim, other = sealing(database_url, "victim", 100_000), sealing(database_url, "other")
    for each in (victim, other):
        go(each)
    assert victim.stdout is not None
    while victim.stdout.readline() != "5\n":
        pass
    victim.send_signal(signal.SIGKILL)
    victim.wait(30)
    victim.communicate()
    other.communicate(timeout=120)
    assert other.returncode == 0
    size = make.verified(store, vault).size
    assert (size - before) % ENTRIES == 0
    assert size - before >= (6 + COMMITS) * ENTRIES
