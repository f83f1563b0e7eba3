"""`witness verify` and `evidence rotate-key`: for holders of checkpoints, and of the key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from monitor.app import read_config
from monitor.cli.common import (
    FAILED,
    WRONG_USE,
    ByOption,
    ConfigOption,
    JsonOption,
    complain,
    config_path,
    quiet,
    say,
    who,
)
from monitor.clock import SystemClock
from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.cosignature import Cosignature, CosignerKey, cosignatures
from monitor.evidence.note import MAX_NOTE, SigningKey, split_note
from monitor.evidence.witness import Contained, open_kept, still_contains
from monitor.lock import the_only_one
from monitor.rotation import rotate
from monitor.storage.store import Store

witness = typer.Typer(no_args_is_help=True, help="For whoever keeps checkpoints of the log.")

_NOTE = re.compile(
    r"^[^\n]{1,300}\n[0-9]{1,19}\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n(?:\u2014 [^\n]+\n)+",
    re.MULTILINE,
)
"""A checkpoint among the other words of a mail: what is in it is judged later."""
_NO_MAIL = "staff-mentions.invalid"


def register(evidence: typer.Typer) -> None:
    """Add the command that changes the key."""
    evidence.command("rotate-key")(rotate_key)


@witness.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(help="The checkpoint that was kept, or the text of the whole mail.")
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether today's log still contains all that an old checkpoint covered."""
    quiet()
    settings = read_config(config_path(config), clock=SystemClock())
    store = Store(settings.engine.connection_url(), mail_domain=_NO_MAIL)
    try:
        found = _compare(store, _note_in(file), settings.evidence.origin)
    except EvidenceError as error:
        if as_json:
            say({"contained": False, "error": str(error)}, as_json=True, text="")
        else:
            complain(f"NOT CONTAINED: {error}")
        raise typer.Exit(FAILED) from error
    finally:
        store.close()
    row = {
        "contained": True,
        "checkpoint": found.checkpoint.size,
        "size": found.size,
        "root": found.root.hex(),
        "proof": [each.hex() for each in found.proof],
    }
    text = (
        f"CONTAINED: the first {found.checkpoint.size} entries are as they were when this"
        f" checkpoint was signed; today the log has {found.size}"
    )
    say(row, as_json=as_json, text=text)


@witness.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The checkpoint as the witness's tool signed it.")],
    config: ConfigOption = None,
) -> None:
    """Take in a checkpoint that a witness's tool has cosigned (C2SP cosignature)."""
    quiet()
    clock = SystemClock()
    settings = read_config(config_path(config), clock=clock)
    keys = [CosignerKey.parse(each.key) for each in settings.evidence.witnesses if each.key]
    note = _note_in(file)
    store = Store(settings.engine.connection_url(), mail_domain=_NO_MAIL)
    try:
        with store.log.reading() as view:
            kept = open_kept(note, view.keys(), settings.evidence.origin)
        found = cosignatures(note, keys)
        if not found:
            raise EvidenceError("no witness in the config cosigned this: evidence.witnesses[].key")
        fresh = store.log.cosign(kept.size, lambda ours: _over(ours, note, found), at=clock.now())
    finally:
        store.close()
    for each in fresh:
        typer.echo(f"{each.key.name} saw the checkpoint of {kept.size} entries at {each.at}")
    if not fresh:
        typer.echo("nothing new: these cosignatures are kept already")


def _over(ours: str, theirs: str, found: tuple[Cosignature, ...]) -> tuple[Cosignature, ...]:
    if split_note(ours)[0] != split_note(theirs)[0]:
        raise EvidenceError("the witness signed another text than the checkpoint that is kept here")
    return found


def _note_in(file: Path) -> str:
    """A note, also from a mail that ends its lines in another way."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_NOTE)
        text = content.decode("utf-8-sig").replace("\r\n", "\n").strip("\n") + "\n"
    except (OSError, UnicodeDecodeError) as error:
        complain(f"{file}: cannot be read as a checkpoint ({type(error).__name__})")
        raise typer.Exit(WRONG_USE) from error
    found = _NOTE.search(text)
    return found[0] if found else text


def _compare(store: Store, note: str, origin: str) -> Contained:
    with store.log.reading() as view:
        kept = open_kept(note, view.keys(), origin)
        return still_contains(kept, view.contents(), view.head(), view.node)


def rotate_key(
    why: Annotated[str, typer.Option("--why", help="Why; it is kept in the log.")],
    config: ConfigOption = None,
    by: ByOption = "",
) -> None:
    """Hand the log over to a new signing key; the service must be stopped."""
    quiet()
    if not why.strip():
        complain("a change of the key has a reason: --why")
        raise typer.Exit(WRONG_USE)
    clock = SystemClock()
    settings = read_config(config_path(config), clock=clock)
    path = settings.evidence.key_file
    with the_only_one(settings.engine.data_dir):
        store = Store(settings.engine.connection_url(), mail_domain=_NO_MAIL)
        try:
            key, aside = rotate(store, path, by=who(by), why=why.strip(), at=clock.now())
            store.log.checkpoint(lambda size, root: _sign(key, size, root), at=clock.now())
        finally:
            store.close()
    typer.echo(f"the log belongs to a new key now: {key.verifier}")
    typer.echo(f"the old key is kept at {aside}: move it away from this machine, or destroy it")
    typer.echo("copy the new key to where you keep the backup")
    typer.echo("`run` sends it to the witnesses when it starts; tell them why yourself")


def _sign(key: SigningKey, size: int, root: bytes) -> str:
    return sign(Checkpoint(key.name, size, root), key)
