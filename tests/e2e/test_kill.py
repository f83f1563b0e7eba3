"""A real process is killed at every boundary; afterwards nothing is lost and nothing is twice.

`STAFF_MENTIONS_KILL_ROUNDS` repeats the random part (2 by default; 50 before a release).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from monitor.demo.script import SCRIPT, config_text
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import verify_log
from monitor.storage import schema
from monitor.storage.store import Store

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("STAFF_MENTIONS_KILL_ROUNDS", "2"))

import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location("dies_at", HERE / "dies_at.py")
assert _spec
assert _spec.loader
dies_at = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dies_at)

pytestmark = pytest.mark.kill


class KillingCatcher(MailCatcher):
    """A mail server that can kill the sender while it holds a mail that it has not answered."""

    victim: subprocess.Popen[bytes] | None = None

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if self.victim is not None:
            self.victim.send_signal(signal.SIGKILL)
            self.victim = None
        return answer


class Scene:
    """An installation on loopback with feeds, a mail server, and a way to run one turn."""

    def __init__(self, place: Path, feeds: FeedServer, mail: KillingCatcher) -> None:
        self.place, self.feeds, self.mail = place, feeds, mail
        self.config = place / "config.toml"
        self.config.write_text(config_text(place, feeds=feeds.port, smtp=mail.port))
        self.url = f"sqlite:///{place}/kept/staff-mentions.sqlite3"
        (place / "kept").mkdir()
        schema.migrate(self.url)

    def publish(self, *, first: bool) -> None:
        self.feeds.publish(*(scene.post for scene in SCRIPT if (scene.after == 0) is first))

    def start(self, boundary: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "dies_at.py"), str(self.config), boundary]
        return subprocess.Popen(command)

    def turn(self, boundary: str = "none") -> int:
        process = self.start(boundary)
        if boundary == "while the server has the mail":
            self.mail.victim = process
        status = process.wait(120)
        self.mail.victim = None
        return status

    def opened(self) -> Store:
        return Store(self.url, mail_domain="larkfield.example")

    def verify(self) -> int:
        store = self.opened()
        key = SigningKey.load(self.place / "kept" / "signing-key")
        vault = Vault(self.place / "kept" / "vault")
        try:
            with store.log.reading() as view:
                found = verify_log(
                    view.entries(),
                    view.checkpoints(),
                    [key.verifier],
                    vault.get,
                    head=view.head(),
                    check_row=view.row_check(),
                )
        finally:
            store.close()
        return found.size


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FeedServer() as feeds, KillingCatcher(tmp_path / "mail") as mail:
        yield Scene(tmp_path, feeds, mail)


def everything_is_there_once(scene: Scene, *, lost_answers: int) -> None:
    store = scene.opened()
    try:
        assert store.judging.waiting() == (), "a mention was left without a grade"
        mentions = store.reading.mentions(limit=1000)
        keys = Counter(stored.mention.key for stored, _grade in mentions)
        assert len(mentions) >= 6
        assert set(keys.values()) == {1}, "a mention stands twice"
        assert all(len(store.reading.grades(stored.id)) == 1 for stored, _grade in mentions)
        deliveries = [d for a in store.outbox.alerts() for d in store.outbox.deliveries(a.id)]
    finally:
        store.close()
    assert deliveries
    assert {d.state.value for d in deliveries} == {"taken"}
    arrived = Counter(caught.message_id for caught in scene.mail.caught)
    assert set(arrived) == {d.message_id for d in deliveries}, "a message was lost, or invented"
    assert sum(arrived.values()) - len(arrived) <= lost_answers, "a mail came twice without need"
    for message_id in arrived:
        same = {c.path.read_bytes() for c in scene.mail.caught if c.message_id == message_id}
        assert len(same) == 1, "a repeated mail is the same mail to the letter"
    scene.verify()


@pytest.mark.parametrize("boundary", dies_at.BOUNDARIES)
def test_nothing_is_lost_when_the_process_dies(scene: Scene, boundary: str) -> None:
    scene.publish(first=True)
    assert scene.turn() == 0
    scene.publish(first=False)
    assert scene.turn(boundary) == -signal.SIGKILL
    scene.verify()
    assert scene.turn() == 0
    assert scene.turn() == 0
    lost = boundary in {
        "while the server has the mail",
        "after the mail was taken",
        "inside the settle commit",
    }
    everything_is_there_once(scene, lost_answers=1 if lost else 0)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_nothing_is_lost_when_the_process_dies_at_any_moment(
    scene: Scene, round_number: int
) -> None:
    chance = random.Random(round_number)
    scene.publish(first=True)
    scene.turn()
    scene.publish(first=False)
    for _ in range(3):
        process = scene.start("none")
        threading.Event().wait(chance.uniform(0.8, 4.0))
        process.kill()
        process.wait(10)
        scene.verify()
    before = time.monotonic()
    assert scene.turn() == 0
    assert scene.turn() == 0
    assert time.monotonic() - before < 120
    everything_is_there_once(scene, lost_answers=3)
