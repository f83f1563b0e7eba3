"""A real SMTP server on loopback that keeps what it is given."""

from __future__ import annotations

import email
import email.policy
import socket
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.controller import Controller


@dataclass(frozen=True, slots=True)
class Caught:
    """One mail as it arrived."""

    recipient: str
    message_id: str
    subject: str
    text: str
    path: Path


class MailCatcher:
    """Listens on a free port; every mail becomes a file and a `Caught`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.caught: list[Caught] = []
        self.port = _free_port()
        self._controller: Any = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail."""
        raw = cast("bytes", envelope.original_content)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        path = self._directory / f"{len(self.caught) + 1:02d}.eml"
        path.write_bytes(raw)
        body = message.get_body(("plain",))
        text = body.get_content() if body else ""
        self.caught.append(
            Caught(
                recipient=envelope.rcpt_tos[0],
                message_id=str(message["message-id"]).strip("<>"),
                subject=str(message["subject"]),
                text=str(text),
                path=path,
            )
        )
        return "250 kept"

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._controller.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._controller.stop()


def _free_port() -> int:
    """A port that nobody listens on now; aiosmtpd's controller cannot choose one by itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
