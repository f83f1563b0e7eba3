"""Secrets: from a file, the environment or systemd's credentials, and never printed.

A settings class writes `password: SecretStr | None = None` and nothing else. In the configuration
that field is then given as `password_file = "…"`, as an environment variable, or as a credential:

    [channels.mail] password   channels.mail.password_file
                               STAFF_MENTIONS_CHANNELS_MAIL_PASSWORD
                               $CREDENTIALS_DIRECTORY/channels.mail.password

A table in a list goes by its name there: evidence.authorities.stamps-one.password.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from monitor.config.problems import Finding, Place, is_secret

PREFIX = "STAFF_MENTIONS_"
REDACTED = "<redacted>"
LARGEST_SECRET = 64 * 1024
"""Bytes; a key in a file is a few thousand, so more is the wrong file."""


class Secret(SecretStr):
    """A value that shows itself to nobody who prints it; `get_secret_value()` gives it."""

    def __str__(self) -> str:
        return REDACTED

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A table whose `*_file` keys have become secrets, and what was found on the way."""

    table: dict[str, Any]
    findings: tuple[Finding, ...]


def secret_fields(settings: type[BaseModel]) -> frozenset[str]:
    """The fields of a settings class that hold a secret."""
    return frozenset(
        name for name, field in settings.model_fields.items() if is_secret(field.annotation)
    )


def environment_name(place: Place, field: str) -> str:
    """("channels", "mail"), "password" -> STAFF_MENTIONS_CHANNELS_MAIL_PASSWORD."""
    words = "_".join((*(str(part) for part in place), field))
    return PREFIX + re.sub(r"[^A-Za-z0-9]", "_", words).upper()


def shared_variables(
    places: Iterable[tuple[Place, str]], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Each variable that is set and that several secrets would be read from.

    Names that differ only in punctuation or capitals lead to one variable, and one party would be
    sent the other's password.
    """
    called: dict[str, dict[Place, str]] = {}
    for place, field in places:
        called.setdefault(environment_name(place, field), {})[*place, field] = field
    for variable, found in called.items():
        if len(found) > 1 and environ.get(variable):
            names = " and ".join(".".join(map(str, each)) for each in found)
            files = " and ".join(sorted({f"{field}_file" for field in found.values()}))
            yield Finding(
                list(found)[-1],
                f"{names} would all be read from the variable {variable}",
                f"unset it and write {files} in each, or let the names differ by more than that",
            )


def resolve_secrets(
    table: Mapping[str, Any],
    settings: type[BaseModel],
    *,
    place: Place,
    folder: Path,
    environ: Mapping[str, str],
    known_as: Place = (),
) -> Resolved:
    """Replace `X_file`, variable or credential of every secret field X by a `Secret`.

    A secret written into the table itself is refused: the file is shown, copied and mailed around.
    `known_as` stands in place of `place` in the names of variables and credentials.
    """
    out = dict(table)
    findings: list[Finding] = []
    for field in sorted(secret_fields(settings)):
        if field in out:
            del out[field]
            findings.append(_written_out(place, field))
            # A stand-in, so that the same key is not reported as missing too.
            out[field] = Secret("")
        file = out.pop(f"{field}_file", None)
        key = (*place, f"{field}_file")
        outside = _from_outside(known_as or place, field, key, environ)
        given = [*_from_a_file(file, field, key, folder), *outside]
        if len(given) > 1:
            ways = " and ".join(one.way for one in given)
            findings.append(Finding((*place, field), f"is given twice: {ways}", "keep one"))
        for one in given[:1]:
            out[field] = one.secret or Secret("")
            findings.extend(one.findings)
    return Resolved(out, tuple(findings))


def _written_out(place: Place, field: str) -> Finding:
    return Finding(
        (*place, field),
        "a secret does not belong in this file",
        f'put it in a file that only its owner reads, and write {field}_file = "/path/to/it"',
    )


@dataclass(frozen=True, slots=True)
class Given:
    """A secret from one place, or why that place gives none; a warning may stand beside it."""

    way: str
    secret: Secret | None
    findings: tuple[Finding, ...] = ()


def _from_a_file(file: object, field: str, key: Place, folder: Path) -> Iterator[Given]:
    if isinstance(file, str) and file.strip() and "\0" not in file:
        yield read_secret(folder / file, key)
    elif file is not None:
        yield Given(f"{field}_file", None, (Finding(key, "must be the path of a file, in quotes"),))


def _from_outside(
    place: Place, field: str, key: Place, environ: Mapping[str, str]
) -> Iterator[Given]:
    variable = environment_name(place, field)
    if environ.get(variable):
        yield Given(variable, Secret(environ[variable]))
    credential = ".".join((*(str(part) for part in place), field))
    if environ.get("CREDENTIALS_DIRECTORY"):
        path = Path(environ["CREDENTIALS_DIRECTORY"]) / credential
        if path.exists():
            yield read_secret(path, key, guarded=True)


def read_secret(path: Path, key: Place, *, guarded: bool = False) -> Given:
    """The secret in a file, without the line end that editors add; or why it cannot be had.

    `guarded` says that somebody else (systemd) looks after the file's permissions.
    """
    way = f"the file {path}"
    try:
        # Without O_NONBLOCK a pipe in the file's place would hold the program up for ever.
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            content = file.read(LARGEST_SECRET + 1) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        finding = Finding(key, f"cannot read {path}: {error.strerror}", _how_to_read(error, path))
        return Given(way, None, (finding,))
    told = () if guarded else tuple(exposures(status, path, key, reader=os.geteuid()))
    wrong = _what_is_wrong(status, content, path)
    if wrong:
        return Given(way, None, (*told, Finding(key, *wrong)))
    return Given(way, Secret(content.decode().rstrip("\r\n")), told)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _what_is_wrong(status: os.stat_result, content: bytes, path: Path) -> tuple[str, str] | None:
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a file", ""
    if len(content) > LARGEST_SECRET:
        return f"{path} is far too long for a secret", "is it the right file?"
    try:
        is_blank = not content.decode().strip()
    except UnicodeDecodeError:
        return f"{path} is not text", "is it the right file?"
    return (f"{path} is empty", "write the secret into it") if is_blank else None


def exposures(status: os.stat_result, path: Path, key: Place, *, reader: int) -> Iterator[Finding]:
    """Who else can get at the file, for the user id `reader`.

    A group that another owner lets in is meant to read (root:staff-mentions, mode 640).
    """
    advice = f"chmod 600 {path}"
    if status.st_mode & stat.S_IROTH:
        yield Finding(key, f"anybody on this computer can read {path}", advice)
    elif status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Finding(key, f"others may change {path}", advice)
    elif status.st_mode & stat.S_IRGRP and status.st_uid == reader != 0:
        yield Finding(key, f"your group can read {path}", advice, grave=False)


def _how_to_read(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return "create it, or correct the path; a relative path starts at this file's folder"
    if isinstance(error, PermissionError):
        return f"let the service's user read it: chown staff-mentions {path}"
    return ""
