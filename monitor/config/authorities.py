"""Time-stamp authorities as the file has them: each gets its password and the path of its roots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.evidence import AuthorityConfig
from monitor.config.plugin_tables import Surroundings
from monitor.config.problems import Finding, Place
from monitor.config.secrets import resolve_secrets, secret_fields


def with_authorities(
    document: Mapping[str, Any], around: Surroundings
) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The document with each authority's secrets in place, and what is wrong with those."""
    rows = _authorities(document)
    if not rows:
        return dict(document), ()
    findings: list[Finding] = []
    taken = [_taken(row, number, around, findings) for number, row in enumerate(rows)]
    return {**document, "evidence": {**document["evidence"], "authorities": taken}}, (*findings,)


def authority_secrets(document: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Every (place, secret field) of an authority that the environment could give."""
    for row in _authorities(document):
        if isinstance(row, Mapping):
            for name in sorted(secret_fields(AuthorityConfig)):
                yield _called(row), name


def _taken(row: Any, number: int, around: Surroundings, findings: list[Finding]) -> Any:
    if not isinstance(row, Mapping):
        return row
    resolved = resolve_secrets(
        row,
        AuthorityConfig,
        place=("evidence", "authorities", number),
        folder=around.folder,
        environ=around.environ,
        known_as=_called(row),
    )
    findings += resolved.findings
    path = row.get("ca_file")
    if isinstance(path, str) and path.strip():
        return {**resolved.table, "ca_file": around.folder / path}
    return resolved.table


def _authorities(document: Mapping[str, Any]) -> list[Any]:
    evidence = document.get("evidence")
    rows = evidence.get("authorities") if isinstance(evidence, Mapping) else None
    return rows if isinstance(rows, list) else []


def _called(authority: Mapping[str, Any]) -> Place:
    """How variables and credentials call an authority: by its name, whatever its number is."""
    return ("evidence", "authorities", str(authority.get("name")))
