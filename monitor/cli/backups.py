"""`backup` and `restore`: everything in one encrypted file, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.app import VAULT, read_config
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
from monitor.cli.records import opened
from monitor.clock import SystemClock
from monitor.config.schema import Config
from monitor.errors import EvidenceError
from monitor.lock import the_only_one

if TYPE_CHECKING:
    from monitor.backup.restoring import Compared
    from monitor.backup.staging import Place, Staged


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    folder: Annotated[
        Path | None,
        typer.Option("--to", help="The folder to write into; backup.folder if not given."),
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            help="Encrypt to this age key (age1…), may be repeated; else backup.recipients.",
        ),
    ] = None,
    new_key: Annotated[
        Path | None,
        typer.Option("--new-key", help="Only make a key for backups, write it to this file, end."),
    ] = None,
    by: ByOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy database, vault and signing key into one encrypted file, while the service runs."""
    if new_key is not None:
        _make_key(new_key)
        return
    from monitor.backup import making  # noqa: PLC0415 - the encryption is for this command only

    with opened(config) as app:
        given = app.config.backup
        target = folder or given.folder
        recipients = list(recipient or given.recipients)
        if target is None or not recipients:
            complain("say where to and for whom: backup.folder and backup.recipients in the config")
            raise typer.Exit(WRONG_USE)
        now = app.clock.now()
        copier = making.Making(app.store, app.vault, app.config.evidence.key_file)
        made = copier.make(target / making.name_of(now), recipients, by=who(by), at=now)
        removed = making.remove_old(target, keep_days=given.keep_days, now=now)
    row = {
        "file": str(made.path),
        "bytes": made.path.stat().st_size,
        "entries": made.entries,
        "originals": made.blobs,
        "missing": made.missing,
        "removed": [path.name for path in removed],
    }
    text = f"{made.path}\n{made.entries} entries, {made.blobs} originals"
    if removed:
        text += f"; {len(removed)} older than {given.keep_days} days removed"
    say(row, as_json=as_json, text=text)
    if made.missing:
        complain(
            f"{len(made.missing)} originals in the vault are not whole and not in the backup:"
            " run `staff-mentions evidence verify`"
        )
        raise typer.Exit(FAILED)


def _make_key(path: Path) -> None:
    from monitor.backup.archive import new_identity  # noqa: PLC0415 - as above

    passphrase = typer.prompt(
        "Passphrase for this key (empty for none)",
        default="",
        show_default=False,
        hide_input=True,
        confirmation_prompt=True,
    )
    recipient, written = new_identity(passphrase)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise EvidenceError(f"{path}: is there already; a key is never overwritten") from error
    with open(descriptor, "wb") as file:  # noqa: PTH123 - the descriptor carries O_EXCL
        file.write(written)
    typer.echo(recipient)
    complain(
        f"The line above goes into backup.recipients. Keep {path} off this server, in two places:"
        " without it no backup can be opened."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: Annotated[Path, typer.Option("--key", help="The age key that opens it.")],
    why: Annotated[str, typer.Option("--why", help="Why; it is kept in the log.")],
    known: Annotated[
        list[Path] | None,
        typer.Option(
            "--known",
            help="A checkpoint kept elsewhere, such as a witness's; may be repeated.",
        ),
    ] = None,
    old: Annotated[
        str | None,
        typer.Option(
            "--old",
            help="Address of the database being replaced, if it is not the config's.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask, even where entries are lost.")
    ] = False,
    by: ByOption = "",
    config: ConfigOption = None,
) -> None:
    """Put a backup in place; refused where it is of another history than the one that is known."""
    from monitor.backup import archive, restoring, staging  # noqa: PLC0415 - as above

    quiet()
    if not why.strip():
        complain("a restore has a reason: --why")
        raise typer.Exit(WRONG_USE)
    clock = SystemClock()
    place = _place(read_config(config_path(config), clock=clock))
    place.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    notes = [each.read_text(encoding="utf-8") for each in known or ()]
    identities = archive.identities_of(key.read_bytes(), _ask_passphrase)
    with the_only_one(place.data_dir):
        staged = staging.stage(file, identities, place)
        try:
            compared = restoring.compare(staged, old=_old(place, old), known=notes)
            if not yes:
                typer.confirm(_question(staged, compared), abort=True)
            aside = restoring.put(
                staged, compared, place, by=who(by), why=why.strip(), at=clock.now()
            )
        except BaseException:
            staging.discard(staged, place)
            raise
    typer.echo(f"restored: {staged.about.entries} entries, as of {staged.about.made_at}")
    for path in aside:
        typer.echo(f"what was there before: {path} (remove it when nobody needs it)")


def _ask_passphrase() -> str:
    found: str = typer.prompt("Passphrase of the key", hide_input=True)
    return found


def _place(config: Config) -> Place:
    from monitor.backup.staging import Place  # noqa: PLC0415 - as above

    engine = config.engine
    return Place(
        engine.connection_url(),
        engine.data_dir,
        engine.data_dir / VAULT,
        config.evidence.key_file,
    )


def _old(place: Place, given: str | None) -> str | None:
    """The database with which the backup is compared; None where there is none."""
    if given is not None:
        return given
    path = place.database_file
    return place.url if path is not None and path.exists() and path.stat().st_size else None


def _question(staged: Staged, compared: Compared) -> str:
    until, size = compared.lost_until, staged.about.entries
    head = f"The backup of {staged.about.made_at} holds {size} entries. "
    if until is None:
        return head + (
            "There is nothing to compare it with, so nobody can say whether it is the right one or"
            " how much is lost since. Restore it?"
        )
    if until == size:
        return head + "Nothing that is known of was sealed since. Restore it?"
    lost = until - size
    return head + f"The {lost} entries {size} to {until - 1}, sealed since, will be lost. Restore?"
