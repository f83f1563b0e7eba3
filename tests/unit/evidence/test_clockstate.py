"""What is said about the clock, whoever may be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.evidence.clockstate import ClockState, KernelClock, ask_kernel, clock_state


@pytest.mark.parametrize(
    ("state", "status", "synchronised"),
    [(0, 0x2001, True), (0, 0x0041, False), (5, 0x0001, False), (5, 0x0040, False)],
)
def test_the_kernel_is_believed_first(
    tmp_path: Path, state: int, status: int, synchronised: bool
) -> None:
    found = clock_state(
        kernel=lambda: KernelClock(state, status, max_error_us=12_345), timesync=tmp_path
    )
    assert found == ClockState(synchronised, 12, "adjtimex")


def test_the_mark_of_timesyncd_is_believed_where_the_kernel_may_not_be_asked(
    tmp_path: Path,
) -> None:
    mark = tmp_path / "synchronized"
    assert clock_state(kernel=lambda: None, timesync=mark) == ClockState(None, None, "unknown")
    mark.touch()
    found = clock_state(kernel=lambda: None, timesync=mark)
    assert found == ClockState(synchronised=True, error_ms=None, how="timesyncd")
    assert found.as_field() == {"synchronised": True, "error_ms": None, "how": "timesyncd"}


def test_asking_this_machine_changes_nothing_and_gives_an_answer() -> None:
    found = ask_kernel()
    assert found is None or (0 <= found.state <= 5 and found.max_error_us >= 0)
    assert clock_state().how in {"adjtimex", "timesyncd", "unknown"}
