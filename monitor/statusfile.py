"""The status file: how the service is now, for `staff-mentions status` and for whoever watches."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NAME = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the running service; times are RFC 3339 in UTC, empty where unknown."""

    pid: int
    version: str
    started_at: str
    written_at: str
    state: str
    grader: str
    grader_trouble: tuple[str, ...]
    config_trouble: tuple[str, ...]
    health: tuple[str, ...]
    clock_synchronised: bool | None
    sources: tuple[dict[str, Any], ...]
    channels: tuple[dict[str, str], ...]
    counts: dict[str, int]
    log_size: int
    last_checkpoint_at: str
    second_opinion: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    unstamped: int = 0
    authorities: tuple[dict[str, str], ...] = ()


def write(directory: Path, status: Status) -> None:
    """Replace the file in one step, so that a reader sees a whole one."""
    temporary = directory / f".{NAME}.{os.getpid()}"
    temporary.write_text(json.dumps(asdict(status), indent=1), encoding="utf-8")
    temporary.chmod(0o640)
    temporary.replace(directory / NAME)


def read(directory: Path) -> dict[str, Any] | None:
    """The last status written; None where there is none that can be read."""
    with suppress(OSError, ValueError):
        found = json.loads((directory / NAME).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else None
    return None
