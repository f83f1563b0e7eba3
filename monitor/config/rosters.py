"""A school's roster: the entries of the config file, joined with the export of its system."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.problems import Finding, findings_of
from monitor.config.roster_csv import StaffList, read_staff
from monitor.config.schema import Config
from monitor.config.schools import SchoolConfig, StaffConfig
from monitor.errors import ConfigError, Problem

SMALL_ROSTER = 10
"""Below this many people a roster may lose more than half of them at one reading."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The `schools` of a document with every `staff_file` read in, and what was found."""

    schools: Any
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    listed: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)


def join_rosters(schools: Any, folder: Path) -> Joined:
    """Read each school's `staff_file` (relative to `folder`) into its `staff`."""
    if not isinstance(schools, list):
        return Joined(schools)
    out: list[Any] = []
    findings: list[Finding] = []
    problems: list[Problem] = []
    notes: list[Problem] = []
    listed: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for place, school in enumerate(schools):
        file = school.get("staff_file") if isinstance(school, dict) else None
        own = school.get("staff", []) if isinstance(school, dict) else None
        if not isinstance(file, str) or not isinstance(own, list):
            out.append(school)
            continue
        path = folder / file
        if "\0" in file or not path.is_file():
            message, advice = f"there is no file {path}", "correct the path, or export it again"
            findings.append(Finding(("schools", place, "staff_file"), message, advice))
            out.append(school)
            continue
        staff_list = read_staff(path)
        problems.extend(staff_list.problems)
        notes.extend(staff_list.notes)
        entries = tuple(entry for entry in own if isinstance(entry, dict))
        if isinstance(school.get("id"), str):
            listed[school["id"]] = entries
        joined = join(own, staff_list)
        out.append({**school, "staff_file": str(path), "staff": joined})
    return Joined(out, tuple(findings), tuple(problems), tuple(notes), listed)


def join(entries: Sequence[Any], staff_list: StaffList) -> list[Any]:
    """The entries first and in place, each over the row of the same id; then the rows left over.

    An entry wins key by key, so that `watch = false` or an alias can be added to somebody whom the
    export knows, without repeating their name.
    """
    rows = {str(row.table["id"]).casefold(): row.table for row in staff_list.rows}
    out: list[Any] = []
    for entry in entries:
        known = isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
        row = rows.pop(entry["id"].casefold(), {}) if known else {}
        out.append({**row, **entry} if isinstance(entry, Mapping) else entry)
    return [*out, *(StaffConfig.model_validate(row) for row in rows.values())]


def roster_digest(config: Config) -> str:
    """SHA-256, hex, of all staff files as they are now: differs when one has to be read again."""
    digest = hashlib.sha256()
    for school in config.schools:
        if school.staff_file:
            path = Path(school.staff_file)
            try:
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                content = "unreadable"
            digest.update(f"{school.id}\n{content}\n".encode())
    return digest.hexdigest()


def reload_staff(config: Config) -> Config:
    """The same configuration with every staff file read again.

    Raises:
        ConfigError: a file is bad, or has lost more than half of its people (an export that broke
            off must not end the watch over a school); go on with the roster that you have.
    """
    problems: list[Problem] = []
    schools = []
    for school in config.schools:
        if school.staff_file is None:
            schools.append(school)
            continue
        staff_list = read_staff(Path(school.staff_file))
        problems.extend(staff_list.problems)
        staff = _typed(join(config.listed(school.id), staff_list), school, problems)
        if not staff_list.problems and len(school.staff) >= SMALL_ROSTER:
            problems.extend(_shrunk(school, staff))
        schools.append(school.model_copy(update={"staff": tuple(staff)}))
    problems.extend(_twice(schools))
    if problems:
        raise ConfigError(tuple(problems))
    return config.model_copy(update={"schools": tuple(schools)})


def _typed(
    staff: Sequence[Any], school: SchoolConfig, problems: list[Problem]
) -> list[StaffConfig]:
    out = []
    for person in staff:
        try:
            out.append(StaffConfig.model_validate(person))
        except ValidationError as error:
            # An entry that the config completes from a row, and whose row is gone.
            path = f"schools.{school.id}.staff.{person.get('id')}"
            problems.extend(
                Problem(str(school.staff_file), f"{path}.{found.place[0]}", found.message)
                for found in findings_of(error, StaffConfig)
            )
    return out


def _shrunk(school: SchoolConfig, staff: Sequence[StaffConfig]) -> Iterator[Problem]:
    if len(staff) * 2 < len(school.staff):
        yield Problem(
            str(school.staff_file),
            f"schools.{school.id}.staff_file",
            f"lists {len(staff)} people where it listed {len(school.staff)}",
            suggestion="if that is right, restart the service",
        )


def _twice(schools: Sequence[SchoolConfig]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for school in schools:
        for person in school.staff:
            first = seen.setdefault(person.id.casefold(), school.id)
            if first != school.id:
                path = f"schools.{school.id}.staff.{person.id}"
                said = f'{first} has somebody with the id "{person.id}" already'
                yield Problem(str(school.staff_file or ""), path, said)


def who_and_why(config: Config, school: str, person: str) -> tuple[str, str]:
    """Who put a person on a school's roster or took them off it, and why, as far as it says.

    Where nobody is named it is the file in which the change was made.
    """
    found = config.school(school)
    member = next((each for each in found.staff if each.id == person), None) if found else None
    by = member.added_by if member else None
    because = member.added_because if member else None
    origin = Path(found.staff_file).name if found and found.staff_file else "config"
    return by or origin, because or ""
