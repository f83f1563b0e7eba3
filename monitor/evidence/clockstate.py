"""Whether this machine's clock can be trusted: every captured entry says so beside its time."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from monitor.evidence.canonical import Json

_TIMESYNC: Final = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR: Final = 5
_STA_UNSYNC: Final = 0x0040


@dataclass(frozen=True, slots=True)
class ClockState:
    """Synchronised or not (None: unknown), the kernel's bound on the error, and who said so."""

    synchronised: bool | None
    error_ms: int | None
    how: str

    def as_field(self) -> Mapping[str, Json]:
        """The state as one field of a leaf."""
        return {"synchronised": self.synchronised, "error_ms": self.error_ms, "how": self.how}


@dataclass(frozen=True, slots=True)
class KernelClock:
    """What adjtimex(2) answered: its return value, the status bits, the error bound in us."""

    state: int
    status: int
    max_error_us: int

    @property
    def synchronised(self) -> bool:
        return self.state != _TIME_ERROR and not self.status & _STA_UNSYNC


class _Timex(ctypes.Structure):
    """The head of `struct timex`, and more room behind it than the kernel writes."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    ]


def ask_kernel() -> KernelClock | None:
    """Ask the kernel, changing nothing; None where it is absent or forbidden (`ProtectClock=`)."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None  # not Linux with glibc or musl
    timex = _Timex()  # modes = 0: read only
    state = int(adjtimex(ctypes.byref(timex)))
    if state < 0:
        return None
    return KernelClock(state, int(timex.status), int(timex.maxerror))


def clock_state(
    *, kernel: Callable[[], KernelClock | None] = ask_kernel, timesync: Path = _TIMESYNC
) -> ClockState:
    """Whether the clock is synchronised, as far as this process may know.

    The kernel knows of whichever daemon steers the clock (timesyncd, chrony, ntpd, the host of a
    container). A sandboxed unit may not ask it; then the mark of timesyncd is believed, whose
    absence says nothing, because another daemon may be at work.
    """
    found = kernel()
    if found is not None:
        return ClockState(found.synchronised, max(found.max_error_us, 0) // 1000, "adjtimex")
    if os.path.lexists(timesync):
        return ClockState(synchronised=True, error_ms=None, how="timesyncd")
    return ClockState(synchronised=None, error_ms=None, how="unknown")
