"""A TOML file in; a `Config`, or every problem at once, out."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from monitor.config.authorities import authority_secrets, with_authorities
from monitor.config.checks import all_checks, roster_checks
from monitor.config.entries import Document
from monitor.config.fields import Part
from monitor.config.plugin_tables import (
    Surroundings,
    Trade,
    possible_variables,
    split_plugin_tables,
)
from monitor.config.problems import Finding, Place, Reporter, findings_of, keys_at, nearest
from monitor.config.rosters import Joined, join_rosters
from monitor.config.schema import Config, SchoolConfig
from monitor.config.secrets import (
    PREFIX,
    environment_name,
    resolve_secrets,
    secret_fields,
    shared_variables,
)
from monitor.config.sections import EngineConfig
from monitor.config.sources import CHANNEL_KEYS, SOURCE_KEYS
from monitor.contract import Settings
from monitor.errors import ConfigError, Problem

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes; a trust of 8,000 people written out in full is about 3 million."""
_PATHS = (("engine", "data_dir"), ("evidence", "key_file"))
_SYNTAX_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(
    path: Path,
    *,
    connectors: Mapping[str, type[Settings]],
    channels: Mapping[str, type[Settings]],
    read_key: Callable[[str], object],
    environ: Mapping[str, str] = os.environ,
    today: date,
) -> Config:
    """Read, check and complete the configuration; paths in it start at its own folder.

    Args:
        path: the TOML file.
        connectors: the settings class of each installed kind of source.
        channels: the settings class of each installed kind of channel.
        read_key: raises EvidenceError where a text is no witness's key.
        environ: where secrets may also come from.
        today: dates of what has happened may not lie after it.

    Raises:
        ConfigError: with every problem at once, each with its path, line and what to write instead.
    """
    text = _text_of(path)
    document = _parsed(path, text)
    folder = path.resolve().parent
    trades = (
        Trade("sources", "read", SOURCE_KEYS, connectors),
        Trade("channels", "send by", CHANNEL_KEYS, channels),
    )
    context = {"today": today, "read_key": read_key}
    draft = _Draft(document, Surroundings(folder, environ, context))
    draft.take_rosters()
    draft.take_plugins(trades)
    draft.take_engine_secrets()
    draft.take_authorities()
    draft.resolve_paths()
    config = draft.validated()
    draft.findings += all_checks(Document(draft.document, sources=document.get("sources")))
    places = _secret_places(document, trades)
    draft.findings += shared_variables(places, environ)
    draft.findings += _stray_variables(places, environ)
    problems, warnings = draft.sorted(Reporter(str(path), text, document))
    if problems or config is None:
        raise ConfigError(problems)
    warnings = (*warnings, *_unwatched(config, str(path), today))
    return config.with_origins(warnings, draft.rosters.listed)


class _RosterOnly(Part):
    """A file, or the part of one, that says who is looked for and nothing else."""

    schools: tuple[SchoolConfig, ...] = Field(default=(), description="As in `Config`.")


def load_schools(path: Path, *, today: date) -> tuple[SchoolConfig, ...]:
    """Only the schools and rosters of a file, which need hold nothing more (command `match`).

    Raises:
        ConfigError: as `load`, for the schools and for tables that no configuration knows.
    """
    text = _text_of(path)
    document = _parsed(path, text)
    surroundings = Surroundings(path.resolve().parent, {}, {"today": today})
    draft = _Draft({"schools": document.get("schools", [])}, surroundings)
    draft.take_rosters()
    known = keys_at(Config, ())
    draft.findings += [
        Finding((key,), "unknown key", _did_you_mean_anywhere(key, known))
        for key in document
        if key not in known
    ]
    schools: tuple[SchoolConfig, ...] = ()
    try:
        context = dict(surroundings.context)
        schools = _RosterOnly.model_validate(draft.document, context=context).schools
    except ValidationError as error:
        draft.findings += findings_of(error, _RosterOnly)
    draft.findings += roster_checks(Document(draft.document))
    problems, _ = draft.sorted(Reporter(str(path), text, document))
    if problems:
        raise ConfigError(problems)
    return schools


@dataclass(slots=True)
class _Draft:
    """A document on its way to a `Config`, and what was found wrong in it so far."""

    document: dict[str, Any]
    around: Surroundings
    findings: list[Finding] = field(default_factory=list)
    rosters: Joined = field(default_factory=lambda: Joined(None))

    def take_rosters(self) -> None:
        self.rosters = join_rosters(self.document.get("schools"), self.around.folder)
        self.findings += self.rosters.findings
        if "schools" in self.document:
            self.document = {**self.document, "schools": self.rosters.schools}

    def take_plugins(self, trades: Iterable[Trade]) -> None:
        for trade in trades:
            self.document, found = split_plugin_tables(self.document, trade, self.around)
            self.findings += found

    def take_engine_secrets(self) -> None:
        engine = self.document.get("engine", {})
        if not isinstance(engine, Mapping):
            return
        resolved = resolve_secrets(
            engine,
            EngineConfig,
            place=("engine",),
            folder=self.around.folder,
            environ=self.around.environ,
        )
        self.findings += resolved.findings
        self.document = {**self.document, "engine": resolved.table}

    def take_authorities(self) -> None:
        self.document, found = with_authorities(self.document, self.around)
        self.findings += found

    def resolve_paths(self) -> None:
        for table, key in _PATHS:
            value = self.document.get(table)
            if (
                isinstance(value, Mapping)
                and isinstance(value.get(key), str)
                and value[key].strip()
            ):
                whole = {**value, key: self.around.folder / value[key]}
                self.document = {**self.document, table: whole}

    def validated(self) -> Config | None:
        try:
            return Config.model_validate(self.document, context=dict(self.around.context))
        except ValidationError as error:
            self.findings += (_with_a_place(found) for found in findings_of(error, Config))
            return None

    def sorted(self, reporter: Reporter) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """(problems, warnings), each once and in the order of the file."""
        grave = [reporter.problem(found) for found in self.findings if found.grave]
        mild = [reporter.problem(found) for found in self.findings if not found.grave]
        return (
            _in_order((*grave, *self.rosters.problems)),
            _in_order((*mild, *self.rosters.notes)),
        )


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    once = dict.fromkeys(problems)
    return tuple(sorted(once, key=lambda problem: (problem.file, problem.line or 0)))


def _text_of(path: Path) -> str:
    """The file's text; raises ConfigError where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        advice = "staff-mentions init writes one" if isinstance(error, FileNotFoundError) else ""
        raise _only(path, f"cannot be read: {error.strerror}", advice=advice) from error
    if len(content) > LARGEST_FILE:
        raise _only(path, f"is larger than {LARGEST_FILE // 1024 // 1024} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _only(path, "is not UTF-8 text", line, "save it as UTF-8") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        line = int(found.group(1)) if found and found.group(1) else text.count("\n") + 1
        message = _SYNTAX_LINE.sub("", str(error))
        advice = "text stands in quotes, lists in [ ], and no key or table comes twice"
        raise _only(path, f"is not TOML: {message}", line, advice) from error
    except RecursionError as error:
        raise _only(path, "is nested too deeply") from error


def _only(path: Path, message: str, line: int | None = None, advice: str = "") -> ConfigError:
    return ConfigError((Problem(str(path), "", message, line, advice),))


def _with_a_place(finding: Finding) -> Finding:
    """An unknown key without a suggestion may stand in the wrong table."""
    if finding.message != "unknown key" or finding.suggestion:
        return finding
    key = str(finding.place[-1])
    return Finding(finding.place, finding.message, _did_you_mean_anywhere(key, ()))


def _did_you_mean_anywhere(key: str, known: Iterable[str]) -> str:
    near = nearest(key, known)
    if near:
        return f"did you mean {near}?"
    if key in keys_at(Config, ()):
        return "it belongs at the top of the file, above the first [table]"
    for table in Config.model_fields:
        if key in keys_at(Config, (table,)) and key not in keys_at(Config, ()):
            return f"it belongs in [{table}]"
    return ""


def _unwatched(config: Config, file: str, today: date) -> Iterator[Problem]:
    for school in config.schools:
        if not school.watched(today):
            said = "nobody on the roster is watched for today"
            yield Problem(file, f"schools.{school.id}.staff", said, None, "see from, until, watch")


def _secret_places(
    document: Mapping[str, Any], trades: tuple[Trade, ...]
) -> tuple[tuple[Place, str], ...]:
    """Every (place, secret field) that variables could give, called as they call it."""
    engine = ((("engine",), name) for name in sorted(secret_fields(EngineConfig)))
    return (*possible_variables(document, trades), *engine, *authority_secrets(document))


def _stray_variables(
    places: Iterable[tuple[Place, str]], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """A variable of ours that nothing reads is a misspelt secret, which nobody would notice."""
    known = {environment_name(place, name) for place, name in places}
    for variable in sorted(environ):
        is_ours = variable.startswith(
            tuple(f"{PREFIX}{word}_" for word in ("SOURCES", "CHANNELS", "ENGINE", "EVIDENCE"))
        )
        if is_ours and variable not in known:
            near = nearest(variable, known)
            advice = f"did you mean {near}?" if near else ""
            yield Finding((), f"nothing reads the variable {variable}", advice, grave=False)
