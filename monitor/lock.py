"""One service at a time holds a data directory: two would poll, seal and mail everything twice."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StaffMentionsError


class AlreadyRunningError(StaffMentionsError):
    """Another service holds this data directory."""


@contextmanager
def the_only_one(directory: Path) -> Iterator[None]:
    """Hold the data directory for one service, or for a command that must be alone.

    Raises:
        AlreadyRunningError: when another process holds it.
    """
    with (directory / "service.lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"another staff-mentions is running on {directory}; stop it first"
            ) from error
        yield
