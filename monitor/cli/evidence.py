"""`evidence`: the log and the vault."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from monitor.app import VAULT, App, read_config
from monitor.cli.common import FAILED, ConfigOption, JsonOption, complain, config_path, quiet, say
from monitor.clock import SystemClock
from monitor.config.schema import Config
from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import first_key, stated
from monitor.evidence.cosignature import CosignerKey, Kept, review
from monitor.evidence.note import SigningKey
from monitor.evidence.verify import Verified
from monitor.stamping import doubts
from monitor.storage.store import Store

app = typer.Typer(no_args_is_help=True, help="Verify and sign the evidence log.")


@app.command()
def verify(
    config: ConfigOption = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            min=1,
            help="How many processes read the log; as many as there are cores if not given.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every entry, field, row, raw byte and signature; name the first thing that is wrong."""
    quiet()
    settings = read_config(config_path(config), clock=SystemClock())
    store = Store(settings.engine.connection_url(), mail_domain="staff-mentions.invalid")
    try:
        found, time, seen = _verify(store, settings, processes)
    except EvidenceError as error:
        if as_json:
            say({"verified": False, "error": str(error)}, as_json=True, text="")
        else:
            complain(f"NOT VERIFIED: {error}")
        raise typer.Exit(FAILED) from error
    finally:
        store.close()
    row = _row(found) | time.row() | {"cosignatures": seen.held, "unknown_keys": list(seen.unknown)}
    words = [_words(found), time.words(), *_seen(seen)]
    say(row, as_json=as_json, text="\n".join(words))


@dataclass(frozen=True, slots=True)
class _Time:
    """What stands behind the times in the log: stamps that hold, checkpoints that lack one."""

    stamps: int
    unstamped: int
    checked: bool
    """False where the config names no authority: nothing is missing then, and nothing is there."""

    def row(self) -> dict[str, Any]:
        return {"stamps": self.stamps, "unstamped": self.unstamped}

    def words(self) -> str:
        if not self.checked and not self.stamps:
            return "no time-stamps: nobody outside vouches for the times ([[evidence.authorities]])"
        missing = f"; {self.unstamped} checkpoints lack one" if self.unstamped else ""
        return f"{self.stamps} time-stamps hold{missing}"


def _verify(store: Store, settings: Config, processes: int | None) -> tuple[Verified, _Time, Kept]:
    from rich.console import Console  # noqa: PLC0415 - slow import, for people only
    from rich.progress import Progress  # noqa: PLC0415 - likewise

    key = SigningKey.load(settings.evidence.key_file)
    authorities = {each.name: each.ca_file for each in settings.evidence.authorities}
    vault, console = settings.engine.data_dir / VAULT, Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with store.log.verifying(vault, processes=processes) as (view, whole), bar:
        task = bar.add_task("verifying", total=view.head()[0])
        found = whole.verify(
            [first_key(key.verifier, view.hand_overs())],
            progress=lambda done: bar.update(task, completed=done),
        )
        stamps = view.stamps()
        notes = {stated(note).size: note for note in view.checkpoints()}
        for doubt in doubts(stamps, notes, authorities):
            raise EvidenceError(doubt)
        seen = review(notes, view.cosigned(), view.keys(), _witnesses(settings))
    unstamped = store.stamps.unstamped(tuple(authorities))
    return found, _Time(len(stamps), unstamped, bool(authorities)), seen


def _witnesses(settings: Config) -> list[CosignerKey]:
    return [CosignerKey.parse(each.key) for each in settings.evidence.witnesses if each.key]


def _seen(seen: Kept) -> Iterator[str]:
    """What is said of witnesses, where any cosigned."""
    if seen.held:
        yield f"{seen.held} cosignatures of witnesses hold"
    if seen.unknown:
        yield f"not checked, cosigned by keys that are not in the config: {', '.join(seen.unknown)}"


def _row(found: Verified) -> dict[str, Any]:
    return {
        "verified": True,
        "entries": found.size,
        "root": found.root.hex(),
        "checkpoints": found.checkpoints,
        "signed": found.signed,
        "blobs": found.blobs,
        "pictures": found.pictures,
        "erased": found.erased,
    }


def _words(found: Verified) -> str:
    unsigned = found.size - found.signed
    tail = f"; the last {unsigned} are not signed yet" if unsigned else ""
    shown = f", {found.pictures} pictures of pages" if found.pictures else ""
    return (
        f"VERIFIED: {found.size} entries, {found.checkpoints} signed checkpoints,"
        f" {found.blobs} originals{shown}{tail}\nroot {found.root.hex()}"
    )


@app.command()
def checkpoint(config: ConfigOption = None) -> None:
    """Sign the log as it stands now, and print the signed note."""
    quiet()
    opened = App.open(config_path(config))
    try:
        opened.rounds.checkpoint()
        notes = opened.store.log.checkpoints()
        typer.echo(notes[-1][1], nl=False)
        typer.echo(f"verifier key: {opened.key.verifier}", err=True)
    finally:
        asyncio.run(opened.aclose())


@app.command()
def stamp(config: ConfigOption = None) -> None:
    """Ask the time-stamp authorities now about every checkpoint that waits for a stamp."""
    quiet()
    came, waiting, troubles = asyncio.run(_stamp(App.open(config_path(config))))
    typer.echo(f"{came} time-stamps came; {waiting} checkpoints wait for one")
    for trouble in troubles:
        complain(trouble)
    if waiting:
        raise typer.Exit(FAILED)


async def _stamp(opened: App) -> tuple[int, int, list[str]]:
    try:
        stamper = opened.stamper()
        came = await stamper.round()
        troubles = [f"{each.authority}: {each.error}" for each in stamper.troubles()]
        return came, await asyncio.to_thread(stamper.missing), troubles
    finally:
        await opened.aclose()
