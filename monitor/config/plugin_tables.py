"""Sources and channels as the file has them: core keys here, the plugin's own keys to its class."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.problems import Finding, Place, did_you_mean, findings_of
from monitor.config.secrets import resolve_secrets, secret_fields
from monitor.contract import Settings


@dataclass(frozen=True, slots=True)
class Trade:
    """One of the two kinds of plugin: its table, its verb, its core keys and known kinds."""

    table: str
    verb: str
    core_keys: frozenset[str]
    kinds: Mapping[str, type[Settings]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table is read against: the file's folder, the environment, today (in `context`)."""

    folder: Path
    environ: Mapping[str, str]
    context: Mapping[str, Any]


def split_plugin_tables(
    document: Mapping[str, Any], trade: Trade, around: Surroundings
) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The document with `settings` in place of the plugins' own keys, and what is wrong in them."""
    tables = document.get(trade.table)
    if not isinstance(tables, Mapping):
        return dict(document), ()
    findings: list[Finding] = []
    out: dict[str, Any] = {}
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            out[name] = table
            continue
        core = {key: value for key, value in table.items() if key in trade.core_keys}
        own = {key: value for key, value in table.items() if key not in trade.core_keys}
        place = (trade.table, name)
        kind = table.get("kind")
        if isinstance(kind, str) and kind in trade.kinds:
            settings = _settings(own, place, trade, kind, around)
            findings.extend(settings.findings)
            core["settings"] = settings.value
        elif isinstance(kind, str):
            findings.append(_unknown_kind(place, kind, trade))
        out[name] = core
    return {**document, trade.table: out}, tuple(findings)


@dataclass(frozen=True, slots=True)
class _Checked:
    value: Settings
    findings: tuple[Finding, ...]


def _settings(
    own: Mapping[str, Any], place: Place, trade: Trade, kind: str, around: Surroundings
) -> _Checked:
    model = trade.kinds[kind]
    resolved = resolve_secrets(
        own, model, place=place, folder=around.folder, environ=around.environ
    )
    secrets = secret_fields(model)
    table = _with_whole_paths(resolved.table, model, around.folder)
    try:
        settings = model.model_validate(table, context=dict(around.context))
    except ValidationError as error:
        found = findings_of(error, model, prefix=place, keys=[*trade.core_keys], reveal=False)
        told = (_secret_is_a_file(finding, secrets) for finding in found)
        # An empty stand-in keeps the rest of the file under examination.
        return _Checked(Settings(), (*resolved.findings, *told))
    return _Checked(settings, resolved.findings)


def _with_whole_paths(
    table: Mapping[str, Any], model: type[Settings], folder: Path
) -> dict[str, Any]:
    """Paths in a plugin's keys start at the config's folder too, not where the service stands."""
    paths = {name for name, field in model.model_fields.items() if _is_path(field.annotation)}
    return {
        key: folder / value if key in paths and isinstance(value, str) and value.strip() else value
        for key, value in table.items()
    }


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(_is_path(part) for part in typing.get_args(annotation))


def _secret_is_a_file(finding: Finding, secrets: frozenset[str]) -> Finding:
    field = finding.place[-1]
    if field in secrets and finding.message == "is missing":
        return Finding(finding.place, "is missing", f"write {field}_file")
    return finding


def _unknown_kind(place: Place, kind: str, trade: Trade) -> Finding:
    known = sorted(trade.kinds)
    listed = f"there are: {', '.join(known)}" if known else "no plugin is installed"
    return Finding(
        (*place, "kind"),
        f'nothing installed can {trade.verb} "{kind}"',
        did_you_mean(kind, known) or listed,
    )


def possible_variables(
    document: Mapping[str, Any], trades: tuple[Trade, ...]
) -> Iterator[tuple[Place, str]]:
    """Every (place, secret field) that this document could take from the environment."""
    for trade in trades:
        tables = document.get(trade.table)
        for name, table in tables.items() if isinstance(tables, Mapping) else ():
            kind = table.get("kind") if isinstance(table, Mapping) else None
            model = trade.kinds.get(kind) if isinstance(kind, str) else None
            for field in sorted(secret_fields(model)) if model else ():
                yield (trade.table, name), field
