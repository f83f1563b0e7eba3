"""The demonstration: the real service on loopback, with invented people, feeds and a mail catcher.

Nothing is mocked: a real HTTP server publishes three feeds over a minute, the program runs as a
process of its own with a config of its own, and a real SMTP server catches what it sends.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from monitor.demo.catcher import Caught, MailCatcher
from monitor.demo.feeds import FeedServer
from monitor.demo.script import EXPECTED_SUBJECTS, SCRIPT, Scene, config_text

LONGEST_SECONDS = 150.0
_COMMAND = (sys.executable, "-m", "monitor.cli")


def show(directory: Path | None = None, *, keep: bool = False) -> int:
    """Run the demonstration; 0 when every mail that should come has come, and the log verifies."""
    place = directory or Path(tempfile.mkdtemp(prefix="staff-mentions-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    console = Console()
    try:
        with FeedServer() as feeds, MailCatcher(place / "mail") as mail:
            return _Demo(console, place, feeds, mail).run()
    finally:
        if keep or directory:
            console.print(f"\nEverything is in {place}", style="dim")
        else:
            shutil.rmtree(place, ignore_errors=True)


class _Demo:
    def __init__(self, console: Console, place: Path, feeds: FeedServer, mail: MailCatcher) -> None:
        self._console, self._place, self._feeds, self._mail = console, place, feeds, mail
        self._config = place / "config.toml"
        self._began = time.monotonic()

    def run(self) -> int:
        self._say("An invented school, Larkfield Academy, and eleven invented members of staff.")
        self._config.write_text(
            config_text(self._place, feeds=self._feeds.port, smtp=self._mail.port), encoding="utf-8"
        )
        self._command("migrate")
        self._feeds.publish(*(scene.post for scene in SCRIPT if scene.after == 0))
        with self._service():
            complete = self._watch()
        if not complete:
            self._console.print("Not every mail came. The service's own log:", style="bold red")
            self._console.print((self._place / "service.log").read_text(encoding="utf-8")[-4000:])
            return 1
        self._show_mail()
        return self._show_evidence()

    # --- the minute -----------------------------------------------------------------------------

    def _watch(self) -> bool:
        waiting = sorted((s for s in SCRIPT if s.after > 0), key=lambda scene: scene.after)
        shown = 0
        while time.monotonic() - self._began < LONGEST_SECONDS:
            while waiting and time.monotonic() - self._began >= waiting[0].after:
                self._publish(waiting.pop(0))
            for caught in self._mail.caught[shown:]:
                self._arrived(caught)
            shown = len(self._mail.caught)
            subjects = [caught.subject for caught in self._mail.caught]
            if not waiting and all(any(part in s for s in subjects) for part in EXPECTED_SUBJECTS):
                return True
            time.sleep(0.2)
        return False

    def _publish(self, scene: Scene) -> None:
        self._feeds.publish(scene.post)
        self._say(f"published in {scene.post.feed}: {scene.about}", style="cyan")

    def _arrived(self, caught: Caught) -> None:
        self._say(f"MAIL to {caught.recipient}: {caught.subject}", style="bold green")

    def _say(self, text: str, style: str = "") -> None:
        seconds = time.monotonic() - self._began
        self._console.print(Text(f"{seconds:5.1f} s  {text}", style=style))

    @contextmanager
    def _service(self) -> Iterator[Path]:
        log = self._place / "service.log"
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*_COMMAND, "run", "--config", str(self._config)], stderr=out, stdout=out
            )
            self._say(f"the service runs (process {process.pid}); it looks once a minute")
            try:
                yield log
            finally:
                process.terminate()
                process.wait(15)
                self._say("the service was told to stop, and has drained")

    # --- what is left ---------------------------------------------------------------------------

    def _show_mail(self) -> None:
        threat = next(c for c in self._mail.caught if EXPECTED_SUBJECTS[0] in c.subject)
        self._console.print(
            Panel(Text(threat.text), title=Text(threat.subject), subtitle=Text("as it was sent"))
        )

    def _show_evidence(self) -> int:
        self._console.print("\nWhat was kept (staff-mentions mention list):", style="bold")
        self._command("mention", "list")
        self._console.print(
            "\nDoes the evidence verify (staff-mentions evidence verify)?", style="bold"
        )
        status = self._command("evidence", "verify")
        self._console.print(
            "\nTo look around yourself: .venv/bin/staff-mentions demo --keep; in its folder, try\n"
            "  staff-mentions mention show 1 --config config.toml --why curious\n"
            "  staff-mentions evidence verify --config config.toml"
        )
        return status

    def _command(self, *words: str) -> int:
        command = [*_COMMAND, *words, "--config", str(self._config)]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own command
