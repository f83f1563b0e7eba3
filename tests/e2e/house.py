"""An installation of invented people on loopback, and the real service that runs on it."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedPost
from monitor.demo.script import config_text
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Verified, verify_log
from monitor.storage import schema
from monitor.storage.store import Store

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "monitor.cli")
PATIENCE = 60.0

THREAT = (
    "Mr Pell from Larkfield Academy, we know which car is yours and where you park it. Be a shame"
    " if your brakes failed on the way home. We'll be waiting at the gates."
)


def post(feed: str, guid: str, text: str = THREAT) -> FeedPost:
    """An invented post; a threat to a member of staff if nothing else is said."""
    return FeedPost(feed, guid, "nightowl88", "re: detentions", text)


def wait_for(what: str, seen: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until something can be seen, and give it.

    Raises:
        TimeoutError: when it could not be seen in time.
    """
    until = time.monotonic() + seconds
    while not (found := seen()):
        if time.monotonic() > until:
            raise TimeoutError(what)
        threading.Event().wait(0.05)
    return found


class Heart:
    """Listens where systemd would, for readiness and the watchdog's answers."""

    def __init__(self, watchdog_seconds: float = 90.0) -> None:
        name = f"staff-mentions-{os.getpid()}-{id(self)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name}")
        self._socket.setblocking(False)
        self.environment = {
            "NOTIFY_SOCKET": f"@{name}",
            "WATCHDOG_USEC": f"{watchdog_seconds * 1e6:.0f}",
        }
        self.said: list[str] = []

    def hear(self) -> Counter[str]:
        """How often each thing was said until now, by its first line."""
        while True:
            try:
                self.said.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return Counter(said.split("\n")[0] for said in self.said)

    def close(self) -> None:
        self._socket.close()


@dataclass
class Service:
    """The service as a process of its own."""

    process: subprocess.Popen[bytes]
    _said: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        # A pipe and no file: the log must be heard even while no file of the service may grow.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as out:
            while said := out.read1(65_536):  # type: ignore[attr-defined]
                self._said += said

    def log(self) -> str:
        if self.process.poll() is not None:
            self._listener.join(10)
        return bytes(self._said).decode(errors="replace")

    def is_ready(self) -> bool:
        assert self.process.poll() is None, f"it ended: {self.log()[-3000:]}"
        return "service.ready" in self.log()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def limit_files(self, size: int) -> None:
        """Let no file of it grow beyond this: for the service the disk is full."""
        _soft, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def stop(self) -> float:
        """Ask it to end; the seconds that it took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log()[-3000:]
        return time.monotonic() - began


@dataclass
class House:
    """A folder with a config and its data. `sources` maps the name of each feed to its address."""

    place: Path
    smtp: int
    sources: dict[str, str] = field(default_factory=dict)
    more: str = ""
    every_minutes: int = 1
    changes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data_dir = self.place / "kept"
        self.config = self.place / "config.toml"
        self.database = self.data_dir / "staff-mentions.sqlite3"
        self.write_config()

    def write_config(self) -> None:
        """Write the demonstration's people with our sources; `changes` are texts to replace."""
        text = config_text(self.place, feeds=1, smtp=self.smtp)
        text = text[: text.index("[sources.")]
        for old, new in self.changes.items():
            assert old in text, old
            text = text.replace(old, new)
        tables = "".join(
            f'[sources.{name}]\nkind = "feed"\nurl = "{url}"\n'
            f'every_minutes = {self.every_minutes}\nplace = "Aldermoor"\n'
            "allow_private_addresses = true\n\n"
            for name, url in self.sources.items()
        )
        self.config.write_text(text + tables + self.more, encoding="utf-8")

    def migrate(self) -> None:
        schema.migrate(f"sqlite:///{self.database}")

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the program to its end."""
        return subprocess.run(
            [*COMMAND, *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            cwd=ROOT,
            env={**os.environ, **environment},
        )

    @contextmanager
    def service(
        self, *program: str, environment: Mapping[str, str] | None = None, ready: bool = True
    ) -> Iterator[Service]:
        """Run the service until the end of the block; ask `program` in place of the command."""
        command = [*(program or (*COMMAND, "run", "--config")), str(self.config)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        service = Service(process)
        try:
            if ready:
                wait_for("a service that is ready", service.is_ready)
            yield service
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)
            service.log()

    # --- what is kept ---------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What the status file says; nothing where there is none yet."""
        try:
            found: dict[str, Any] = json.loads((self.data_dir / "status.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def source(self, name: str) -> dict[str, Any]:
        """What the database says of a source; nothing where it was never asked."""
        rows = self.rows("select * from source where name = ?", name)
        return rows[0] if rows else {}

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        database = sqlite3.connect(self.database, timeout=30)
        database.row_factory = sqlite3.Row
        try:
            with database:
                return [dict(row) for row in database.execute(query, values)]
        finally:
            database.close()

    def due_now(self) -> None:
        """Make every source due, so that a reload asks it."""
        self.rows("update source set next_due_at = '2001-01-01 00:00:00.000000'")

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = Store(f"sqlite:///{self.database}", mail_domain="larkfield.example")
        try:
            yield store
        finally:
            store.close()

    def logged(self, kind: str) -> int:
        """How many entries of a kind the log holds."""
        return int(self.rows("select count(*) as n from entry where kind = ?", kind)[0]["n"])

    def verify(self) -> Verified:
        """Raises EvidenceError where anything kept is not as it was sealed."""
        key = SigningKey.load(self.data_dir / "signing-key")
        with self.store() as store, store.log.reading() as view:
            return verify_log(
                view.entries(),
                view.checkpoints(),
                [key.verifier],
                Vault(self.data_dir / "vault").get,
                head=view.head(),
                check_row=view.row_check(),
            )


@contextmanager
def status_server(status: int) -> Iterator[int]:
    """A web server that answers everything with one status; its port."""

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def ring(house: House, service: Service) -> None:
    """Have every source asked at once, by a reload, and not in its minute."""
    house.due_now()
    service.reload()


def subjects(mail: MailCatcher, recipient: str = "") -> list[str]:
    """The subjects of the mails that have come, of all or of one person."""
    return [each.subject for each in mail.caught if each.recipient.startswith(recipient)]
