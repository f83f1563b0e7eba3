"""What `check` looks at: sources, channels, files, clock; one finding each, with what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from monitor.app import VAULT, App
from monitor.contract import Poller
from monitor.errors import EvidenceError, GradingError, RemoteError
from monitor.evidence.clockstate import clock_state
from monitor.grading.second import NotAnOpinionError
from monitor.matching.advice import Advice, advise
from monitor.model import Role, Scope
from monitor.pipeline import Source
from monitor.roster import roster_of
from monitor.stamping import try_out

ENOUGH_DISK = 1_000_000_000
TRY_SECONDS = 60.0


class Level(StrEnum):
    """How a finding stands."""

    GOOD = "ok"
    ADVICE = "advice"
    TROUBLE = "TROUBLE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of `check`: what was looked at, what was found, what to do about it.

    `tried` are texts that were tried on the roster, and what came of them.
    """

    level: Level
    what: str
    found: str
    to_do: str = ""
    tried: tuple[str, ...] = ()


async def checkup(app: App) -> list[Finding]:
    """Look at everything that can be tried without changing anything."""
    config, today = app.config, app.today()
    found = [Finding(Level.ADVICE, "config", str(problem)) for problem in config.warnings]
    found += [Finding(Level.GOOD, "config", f"{app.path} is valid")]
    found += list(_lawful(app))
    found += [Finding(Level.ADVICE, "contacts", each, "ring or write, then set checked_on")
              for each in config.stale_contacts(today)]  # fmt: skip
    found += [
        Finding(Level.ADVICE, "contacts", f"contacts.{name} is not given", "add it to the config")
        for name in config.contacts.missing()
    ]
    found += list(_people(app))
    found += list(_roster(app))
    found += list(_disk(app))
    found += list(_clock())
    found += list(_grader(app))
    found.append(await _second_opinion(app))
    found.append(await _pictures(app))
    found += list(_log(app))
    found += await _authorities(app)
    sources = app.sources().values()
    found += await asyncio.gather(*(_try_source(source) for source in sources))
    for name, channel in app.channels().items():
        found.append(await _try(f"channel {name}", channel.check(), "see [channels] in the config"))
    return found


def _lawful(app: App) -> Iterator[Finding]:
    missing = app.config.not_yet_lawful(app.today())
    if missing:
        yield Finding(
            Level.TROUBLE,
            "lawful",
            f"Not yet lawful to rely on: {'; '.join(missing)}",
            "complete [lawful] with your data-protection officer",
        )
    else:
        yield Finding(Level.GOOD, "lawful", "basis, assessment, notice and approval are recorded")


def _people(app: App) -> Iterator[Finding]:
    for role in (Role.DEPUTY, Role.SAFEGUARDING_LEAD):
        if app.config.person_for(role) is None:
            stands_in = (
                "nobody is tried when the headteacher is silent but the second person"
                if role is Role.DEPUTY
                else "the headteacher hears of distress instead"
            )
            yield Finding(
                Level.ADVICE,
                f"tell.{role.value}",
                f"nobody: {stands_in}",
                "name somebody in [tell]",
            )


def _roster(app: App) -> Iterator[Finding]:
    roster = roster_of(app.config, app.today())
    count = sum(len(school.staff) for school in roster.schools)
    yield Finding(Level.GOOD, "roster", f"{count} people are watched for")
    for advice in advise(roster):
        names = ", ".join(advice.suggestions)
        yield Finding(
            Level.ADVICE,
            f"roster {advice.target.id}",
            advice.warning,
            f"if they are called so, add as aliases: {names}" if names else "",
            tuple(_tried(advice)),
        )


def _tried(advice: Advice) -> Iterator[str]:
    """Yield what was tried on the roster: texts that match this entry, and texts that do not."""
    for matches, said in ((True, "matches"), (False, "does not match")):
        texts = [
            f"\u201c{example.text}\u201d{_WHERE[example.scope]}"
            for example in advice.examples
            if example.matches is matches
        ]
        if texts:
            yield f"{said} {', '.join(texts)}"


_WHERE = {Scope.SCHOOL: " in the school's own source", Scope.OPEN: " anywhere"}


def _disk(app: App) -> Iterator[Finding]:
    directory = app.config.engine.data_dir
    free = shutil.disk_usage(directory).free
    level = Level.GOOD if free > ENOUGH_DISK else Level.TROUBLE
    yield Finding(
        level,
        "disk",
        f"{free / 1e9:.1f} GB free in {directory}",
        "" if level is Level.GOOD else "make room: evidence that cannot be written is lost",
    )
    yield _encryption(directory)
    secret = (app.config.evidence.key_file, directory / VAULT)
    for path in secret:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Finding(
                Level.TROUBLE, "permissions", f"{path} can be read by others", f"chmod go= {path}"
            )
    if not os.access(directory, os.W_OK):
        yield Finding(Level.TROUBLE, "permissions", f"{directory} cannot be written", "see docs")


def _encryption(directory: Path) -> Finding:
    """Whether the file system below stands on dm-crypt, as far as this can be seen from here."""
    device = os.stat(directory).st_dev  # noqa: PTH116 - the device number is all that is wanted
    uuid = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    try:
        encrypted = uuid.read_text(encoding="ascii").startswith("CRYPT-")
    except OSError:
        encrypted = False
    if encrypted:
        return Finding(Level.GOOD, "encryption", "the data stands on an encrypted disk")
    return Finding(
        Level.ADVICE,
        "encryption",
        "the disk does not look encrypted from here",
        "evidence names people: use an encrypted disk (LUKS), or note who decided otherwise",
    )


def _clock() -> Iterator[Finding]:
    state = clock_state()
    if state.synchronised:
        yield Finding(Level.GOOD, "clock", f"synchronised ({state.how})")
    elif state.synchronised is None:
        yield Finding(Level.ADVICE, "clock", "cannot be judged from here", "timedatectl says more")
    else:
        yield Finding(
            Level.TROUBLE,
            "clock",
            f"not synchronised ({state.how})",
            "timedatectl set-ntp true: a time that may be wrong is weak evidence",
        )


def _grader(app: App) -> Iterator[Finding]:
    try:
        own = app.config.grading.thresholds()
        grader = app.grader(own)
        differences = grader.self_test()
    except GradingError as error:
        yield Finding(Level.TROUBLE, "grader", str(error), "install the program again")
        return
    if differences:
        yield Finding(
            Level.TROUBLE,
            "grader",
            "; ".join(differences),
            "every grade is marked unsure until this machine grades the known texts as before",
        )
    else:
        ours = "".join(f"; {name} from {value}, as you set it" for name, value in own.items())
        told = f"{grader.name} grades the known texts as it should{ours}"
        yield Finding(Level.GOOD, "grader", told)


async def _second_opinion(app: App) -> Finding:
    """Ask the configured model about an invented sentence; nothing of it is kept."""
    reader = app.second_reader(app.judge)
    if reader is None:
        return Finding(Level.GOOD, "second opinion", "off")
    to_do = "see [grading.second_opinion]; alerts do not wait for it"
    try:
        return await _try("second opinion", reader.try_out(), to_do, seconds=reader.patience)
    except (GradingError, NotAnOpinionError) as error:
        return Finding(Level.TROUBLE, "second opinion", str(error), to_do)


async def _pictures(app: App) -> Finding:
    """Ask the picture program whether it could take one; no page is looked at."""
    picturing = app.picturing()
    if picturing is None:
        return Finding(Level.GOOD, "pictures of pages", "off")
    to_do = "see docs/pictures.md; alerts do not wait for it"
    return await _try("pictures of pages", picturing.try_out(), to_do, seconds=100.0)


def _log(app: App) -> Iterator[Finding]:
    size, _root = app.store.log.head()
    last = app.store.log.last_checkpoint_at()
    signed = f"signed {last:%Y-%m-%d %H:%M} UTC" if last else "not signed yet"
    yield Finding(Level.GOOD, "evidence", f"{size} entries, {signed}", "")


async def _authorities(app: App) -> list[Finding]:
    """Ask each time-stamp authority about a note that is nobody's; nothing of it is kept."""
    stamper = app.stamper()
    if not stamper.authorities:
        return [
            Finding(
                Level.ADVICE,
                "time-stamps",
                "nobody outside puts the time on checkpoints",
                "add [[evidence.authorities]] to the config",
            )
        ]
    waiting = stamper.missing()
    found = [
        Finding(Level.ADVICE, "time-stamps", f"{waiting} checkpoints wait", "`run` asks for them")
        if waiting
        else Finding(Level.GOOD, "time-stamps", "every checkpoint has its time-stamps")
    ]
    found += await asyncio.gather(
        *(
            _try(f"authority {each.name}", try_out(each), "see [[evidence.authorities]]")
            for each in stamper.authorities
        )
    )
    return found


async def _try_source(source: Source) -> Finding:
    what = f"source {source.info.name}"
    if not isinstance(source.connector, Poller):
        return Finding(Level.GOOD, what, "listens; it is tried when the service runs")

    async def poll() -> str:
        assert isinstance(source.connector, Poller)
        batch = await source.connector.poll(None)
        note = f" ({batch.note})" if batch.note else ""
        return f"{len(batch.posts)} posts{note}"

    return await _try(what, poll(), "see the source in the config")


async def _try(
    what: str, attempt: Coroutine[Any, Any, str], to_do: str, seconds: float = TRY_SECONDS
) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            return Finding(Level.GOOD, what, await attempt)
    except TimeoutError:
        return Finding(Level.TROUBLE, what, f"no answer in {seconds:.0f} seconds", to_do)
    except (RemoteError, EvidenceError) as error:
        return Finding(Level.TROUBLE, what, str(error), to_do)


@asynccontextmanager
async def closing(app: App) -> AsyncIterator[App]:
    """An app that is closed whatever happens."""
    try:
        yield app
    finally:
        await app.aclose()
