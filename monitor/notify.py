"""Tells systemd how the service is: readiness, watchdog, status, as in sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send state lines such as "READY=1"; False where nobody listens."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True


def watchdog_interval(environ: Mapping[str, str] = os.environ) -> timedelta | None:
    """How often systemd wants to hear from us; None where it does not watch this process."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    micros = environ.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(micros)) / 3 if micros.isdecimal() else None
