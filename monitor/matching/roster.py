"""The roster: which schools and people a post may be about, read from a table and checked."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.errors import ConfigError, Problem

_STAFF_KEYS = frozenset({"id", "name", "title", "aliases", "handles", "roles", "email"})
_SCHOOL_KEYS = frozenset({"id", "name", "aliases", "handles", "hashtags", "places", "staff"})
_HEADER = re.compile(r"^\s*\[\[\s*schools(?P<staff>\s*\.\s*staff)?\s*\]\]")
_KEY = re.compile(r"^\s*(?P<key>[A-Za-z_]+)\s*=")


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for somebody; an insulting one is matched like the rest, and masked in print."""

    text: str
    insulting: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff; `id` is their slug, unique in the whole roster."""

    id: str
    name: str
    title: str = ""
    aliases: tuple[Alias, ...] = ()
    handles: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    email: str = ""


@dataclass(frozen=True, slots=True)
class School:
    """A school with the words that point to it, and its people."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    staff: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Roster:
    """Every school that this installation watches for."""

    schools: tuple[School, ...]

    @classmethod
    def from_table(cls, table: Mapping[str, Any], *, file: str = "roster") -> Roster:
        """Read the form of a roster file (`[[schools]]` with `[[schools.staff]]`).

        Raises:
            ConfigError: with every problem at once; paths are like `schools[0].staff[3].name`.
        """
        reader = _Reader(file)
        schools = tuple(
            reader.school(entry, f"schools[{number}]")
            for number, entry in enumerate(reader.tables(table.get("schools", []), "schools"))
        )
        if not schools and not reader.problems:
            reader.problem("schools", "there is no school", "add a [[schools]] table")
        if reader.problems:
            raise ConfigError(tuple(reader.problems))
        return cls(schools)


class _Reader:
    """Reads tables and remembers everything that is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._school_ids: dict[str, str] = {}
        self._person_ids: dict[str, str] = {}

    def problem(self, path: str, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.file, path, message, suggestion=suggestion))

    def tables(self, value: object, path: str) -> Sequence[Mapping[str, Any]]:
        if isinstance(value, Sequence) and all(isinstance(entry, Mapping) for entry in value):
            return value
        self.problem(path, "must be a list of tables")
        return ()

    def school(self, entry: Mapping[str, Any], path: str) -> School:
        self._unknown(entry, _SCHOOL_KEYS, path)
        staff = self.tables(entry.get("staff", []), f"{path}.staff")
        return School(
            id=self._id(entry, path, self._school_ids),
            name=self._word(entry.get("name", ""), f"{path}.name", least=2),
            aliases=self._words(entry, "aliases", path, least=2),
            handles=self._words(entry, "handles", path, least=2),
            hashtags=self._words(entry, "hashtags", path, least=2),
            places=self._words(entry, "places", path, least=2),
            staff=tuple(
                self._person(person, f"{path}.staff[{number}]")
                for number, person in enumerate(staff)
            ),
        )

    def _person(self, entry: Mapping[str, Any], path: str) -> Person:
        self._unknown(entry, _STAFF_KEYS, path)
        aliases = self._list(entry.get("aliases", []), f"{path}.aliases")
        return Person(
            id=self._id(entry, path, self._person_ids),
            name=self._word(entry.get("name", ""), f"{path}.name", least=2),
            title=self._text(entry.get("title", ""), f"{path}.title"),
            aliases=tuple(
                self._alias(alias, f"{path}.aliases[{number}]")
                for number, alias in enumerate(aliases)
            ),
            handles=self._words(entry, "handles", path, least=2),
            roles=self._words(entry, "roles", path, least=2),
            email=self._text(entry.get("email", ""), f"{path}.email"),
        )

    def _alias(self, value: object, path: str) -> Alias:
        if isinstance(value, Mapping):
            self._unknown(value, frozenset({"text", "insulting"}), path)
            insulting = value.get("insulting", False)
            if not isinstance(insulting, bool):
                self.problem(f"{path}.insulting", "must be true or false")
            return Alias(self._word(value.get("text", ""), path, least=2), insulting is True)
        return Alias(self._word(value, path, least=2))

    def _id(self, entry: Mapping[str, Any], path: str, seen: dict[str, str]) -> str:
        identity = self._text(entry.get("id", ""), f"{path}.id").strip()
        if not identity:
            self.problem(f"{path}.id", "is missing or empty", "a short name in lower case")
        elif identity in seen:
            self.problem(f"{path}.id", f"{identity!r} is already used by {seen[identity]}")
        else:
            seen[identity] = path
        return identity

    def _words(
        self, entry: Mapping[str, Any], key: str, path: str, *, least: int
    ) -> tuple[str, ...]:
        values = self._list(entry.get(key, []), f"{path}.{key}")
        return tuple(
            self._word(value, f"{path}.{key}[{number}]", least=least)
            for number, value in enumerate(values)
        )

    def _list(self, value: object, path: str) -> Sequence[object]:
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return value
        self.problem(path, "must be a list")
        return ()

    def _text(self, value: object, path: str) -> str:
        if isinstance(value, str):
            return value
        self.problem(path, "must be a text")
        return ""

    def _word(self, value: object, path: str, *, least: int) -> str:
        """Return a name, of at least `least` letters or digits (one CJK sign is two)."""
        text = self._text(value, path).strip()
        letters = sum(
            2 if unicodedata.category(sign) == "Lo" else 1 for sign in text if sign.isalnum()
        )
        if not text:
            self.problem(path, "is empty", "write the name or remove the line")
        elif letters == 0:
            self.problem(path, "holds no letter or digit")
        elif letters < least:
            self.problem(path, "is a single letter", "it would match everything")
        return text

    def _unknown(self, entry: Mapping[str, Any], known: frozenset[str], path: str) -> None:
        for key in entry:
            if key not in known:
                self.problem(f"{path}.{key}", "unknown key", "known: " + ", ".join(sorted(known)))


def load_roster(path: Path) -> Roster:
    """Read a roster from a TOML file.

    Raises:
        ConfigError: for TOML that cannot be read and for bad entries, each with its line.
    """
    try:
        source = path.read_text(encoding="utf-8")
        table = tomllib.loads(source)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError((Problem(str(path), "", f"cannot be read: {error}"),)) from error
    try:
        return Roster.from_table(table, file=str(path))
    except ConfigError as error:
        raise ConfigError(
            tuple(
                Problem(
                    problem.file,
                    problem.path,
                    problem.message,
                    line=line_of(source, problem.path),
                    suggestion=problem.suggestion,
                )
                for problem in error.problems
            )
        ) from error


def line_of(source: str, path: str) -> int | None:
    """Return the line (from 1) of a roster's TOML text on which the entry at `path` stands.

    The nearest known line is given where the key itself is missing; None where nothing is known.
    """
    where = re.match(r"schools\[(\d+)\](?:\.staff\[(\d+)\])?(?:\.([a-z_]+))?", path)
    if where is None:
        return None
    school, person, key = int(where[1]), where[2], where[3]
    at_school, at_person, header = -1, -1, None
    for number, line in enumerate(source.splitlines(), start=1):
        head = _HEADER.match(line)
        if head is not None and head["staff"]:
            at_person += 1
        elif head is not None:
            at_school, at_person = at_school + 1, -1
        wanted = at_school == school and at_person == (int(person) if person else -1)
        if head is not None and wanted:
            header = number
        found = _KEY.match(line)
        if wanted and key and found is not None and found["key"] == key:
            return number
    return header
