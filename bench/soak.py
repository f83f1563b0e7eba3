"""The service among bad neighbours: `python bench/soak.py [MINUTES] [STAGE]`.

One honest feed, which publishes a post a minute, and eight that are slow, endless, silent, cut off,
a gzip bomb, a page of HTML, out of order and reset. The service runs as it is installed; with
STAGE, a folder made by `make install DESTDIR=STAGE`, and as root, it runs by the unit's own command
in a mount namespace of its own: /opt, /etc and /var/lib as the unit has them, all else read-only,
/tmp private, no capabilities, no new privileges, memory never both writable and executable.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import cpu_seconds, family, megabytes, table
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedPost, FeedServer
from tests.e2e import servers
from tests.e2e.house import Heart, House, wait_for

ROOT = Path(__file__).resolve().parent.parent
UID = 64_991
EVERY = 5.0
GOOD = b'<rss version="2.0"><channel><item><title>A heron</title></item></channel></rss>'

LAUNCH = """
import ctypes, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
os.umask(0o077)
PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0):
    print("no MemoryDenyWriteExecute here:", os.strerror(ctypes.get_errno()), file=sys.stderr)
os.execv(sys.argv[1], sys.argv[1:])
"""

NAMESPACE = """
set -eu
mount -t tmpfs -o mode=755 none /run
mkdir /run/etc /run/lib /run/lib/staff-mentions
cp -a /etc/. /run/etc
mkdir -p /run/etc/staff-mentions
mount --bind "$STAGE/config" /run/etc/staff-mentions
mount --rbind /run/etc /etc
mount --bind "$STAGE/data" /run/lib/staff-mentions
mount --rbind /run/lib /var/lib
mount -t tmpfs -o mode=755 none /opt
mkdir /opt/staff-mentions
mount --bind "$STAGE/opt/staff-mentions" /opt/staff-mentions
for each in / /opt /opt/staff-mentions /etc /etc/staff-mentions /var/lib; do
    mount -o remount,bind,ro "$each"
done
for each in /root /home; do mount -t tmpfs -o mode=000 none "$each"; done
mount -t tmpfs -o mode=1777 none /tmp
cd /
exec setpriv --reuid "$WHO" --regid "$WHO" --clear-groups --no-new-privs --bounding-set=-all \
    --inh-caps=-all --pdeathsig TERM /usr/bin/python3 -c "$LAUNCH" "$@"
"""


@dataclass
class Watcher:
    """Looks at a service from outside, every few seconds."""

    process: subprocess.Popen[bytes]
    seen: list[tuple[float, float, int]] = field(default_factory=list)
    cpu_at: list[tuple[float, float]] = field(default_factory=list)
    longest_silence: float = 0.0
    _heard: tuple[int, float] = field(default_factory=lambda: (0, time.monotonic()))

    def look(self, answers: int) -> None:
        """Note its memory, that of its parsers, its processor time, and whether it answers."""
        now = time.monotonic()
        self.longest_silence = max(self.longest_silence, now - self._heard[1])
        if answers > self._heard[0]:
            self._heard = (answers, now)
        service, parsers = family(self.process.pid)
        self.seen.append((megabytes([service]), megabytes(parsers), len(parsers)))
        self.cpu_at.append((time.monotonic(), cpu_seconds(service)))


def bad_feeds() -> dict[str, servers.Behaviour]:
    """A server for each way to misbehave."""
    html = b"<!doctype html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
    return {
        "slow": servers.drip(GOOD * 20, 0.5),
        "endless": servers.endless(),
        "silent": servers.silent,
        "cut": servers.wrong_length(GOOD, 5_000),
        "bomb": servers.bomb(200_000_000),
        "html": servers.reply(html, type_="text/html"),
        "broken": servers.reply(b"", 500),
        "resets": servers.reset,
    }


def start(house: House, heart: Heart, stage: Path | None, log: Path) -> subprocess.Popen[bytes]:
    """Start the service, as installed where there is a stage."""
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin", "LANG": "C.UTF-8", **heart.environment}
    command = [sys.executable, "-m", "monitor.cli", "run", "--config", str(house.config)]
    if stage is not None:
        for folder, mode in (("config", 0o755), ("data", 0o700)):
            (stage / folder).mkdir(exist_ok=True)
            (stage / folder).chmod(mode)
        os.chown(stage / "data", UID, UID)
        unit = (ROOT / "systemd" / "staff-mentions.service").read_text(encoding="utf-8")
        line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
        run = line.removeprefix("ExecStart=").split()
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", NAMESPACE, "sh"]
        environment |= {"STAGE": str(stage), "WHO": str(UID), "LAUNCH": LAUNCH}
        migrate = [run[0], "migrate", *run[2:]]
        subprocess.run([*command, *migrate], env=environment, check=True)
        command += run
    else:
        migrate = [*command[:3], "migrate", "--config", str(house.config)]
        subprocess.run(migrate, env=environment, check=True, cwd=ROOT)
    with log.open("wb") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=ROOT)


def publish(feeds: FeedServer, number: int) -> None:
    """One post a minute: mostly harmless, each fifth a threat."""
    words = (
        "Mr Pell from Larkfield Academy, we know where you park and we are coming for you at the"
        f" gates tonight. This is warning number {number}."
        if number % 5 == 4
        else f"Thank you Mrs Okonjo and Mr Pell of Larkfield Academy for trip number {number}!"
    )
    feeds.publish(FeedPost("honest", f"p{number}", "walker", f"Post {number}", words))


async def soak(minutes: float, stage: Path | None, place: Path) -> None:
    """Run, watch, stop, print."""
    heart = Heart()
    with FeedServer() as feeds, MailCatcher(place / "mail") as mail:
        publish(feeds, 0)
        async with AsyncExitStack() as stack:
            urls = {}
            for number, (name, behaviour) in enumerate(bad_feeds().items()):
                # A host for each: one host is asked one thing at a time.
                behaviours: dict[str, Any] = {name: behaviour}
                running = servers.bad_server(host=f"127.0.0.{number + 2}", **behaviours)
                urls[name] = f"{(await stack.enter_async_context(running)).url}/{name}"
            urls["honest"] = f"http://127.0.0.1:{feeds.port}/honest.xml"
            house = House(place, mail.port, urls)
            if stage is not None:
                (stage / "config").mkdir(exist_ok=True)
                house.config = stage / "config" / "config.toml"
                house.changes = {str(house.data_dir): "/var/lib/staff-mentions"}
                house.write_config()
                house.config.chmod(0o644)
                house.data_dir = stage / "data"
            process = await asyncio.to_thread(start, house, heart, stage, place / "log")
            watcher = Watcher(process)
            try:
                await asyncio.to_thread(wait_for, "a status", house.status)
                await _watch(minutes, watcher, heart, feeds)
                status = house.status()
                heart.hear()
                began = time.monotonic()
                process.terminate()
                code = await asyncio.to_thread(process.wait, 30)
                drained = time.monotonic() - began
            finally:
                if process.poll() is None:
                    process.kill()
            heart.close()
            _report(minutes, watcher, mail, status, (code, drained))


async def _watch(minutes: float, watcher: Watcher, heart: Heart, feeds: FeedServer) -> None:
    began, published = time.monotonic(), 1
    while time.monotonic() - began < minutes * 60:
        assert watcher.process.poll() is None, "the service ended by itself"
        watcher.look(heart.hear()["WATCHDOG=1"])
        if time.monotonic() - began > published * 60:
            publish(feeds, published)
            published += 1
        await asyncio.sleep(EVERY)


def _report(
    minutes: float,
    watcher: Watcher,
    mail: MailCatcher,
    status: Mapping[str, object],
    end: tuple[int, float],
) -> None:
    half = len(watcher.seen) // 2
    own = [each[0] for each in watcher.seen]
    (first, cpu_then), (last, cpu_now) = watcher.cpu_at[0], watcher.cpu_at[-1]
    print(f"{minutes:g} minutes, one honest feed and eight bad ones.\n")
    rows = [
        ("the service, resident, first half (median)", f"{statistics.median(own[:half]):.0f} MB"),
        ("the same, second half", f"{statistics.median(own[half:]):.0f} MB"),
        ("the same, most", f"{max(own):.0f} MB"),
        ("its parsers together, most", f"{max(each[1] for each in watcher.seen):.0f} MB"),
        ("processor, with parsers", f"{(cpu_now - cpu_then) / (last - first):.1%} of a core"),
        ("longest silence to the watchdog, of 90 s", f"{watcher.longest_silence:.0f} s"),
        ("mails", len(mail.caught)),
        ("end after SIGTERM", f"{end[1]:.1f} s, exit {end[0]}"),
    ]
    table(("what", "seen"), rows)
    found = status.get("sources")
    columns = ("name", "polls", "failures", "last_error")
    sources = found if isinstance(found, list) else []
    table(
        ("source", "good turns", "failures in a row", "what was said last"),
        [[source[column] for column in columns] for source in sources],
    )


if __name__ == "__main__":
    length = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    staged = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("SOAK_PLACE", folder))
        asyncio.run(soak(length, staged, kept))
