"""What the benches share: medians, tables, and how much of the machine a process takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import psutil


def median_seconds(work: Callable[[], object], passes: int = 5) -> float:
    """How long something takes: the median of several passes."""
    taken = []
    for _ in range(passes):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table; every column but the first is flush right."""
    print("| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 1))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def family(pid: int) -> tuple[psutil.Process, list[psutil.Process]]:
    """A process and its children as they are now."""
    process = psutil.Process(pid)
    return process, process.children(recursive=True)


def megabytes(processes: Sequence[psutil.Process]) -> float:
    """What processes hold in memory together (resident, in millions of bytes)."""
    total = 0
    for one in processes:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a process and of its children, those that have ended included."""
    times = process.cpu_times()
    found = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            now = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += now.user + now.system
    return float(found)
