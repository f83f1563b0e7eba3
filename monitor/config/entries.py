"""A document that may still be wrong in places, read as far as it is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.config.problems import Place
from monitor.config.schools import StaffConfig


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the document with its place; `get` gives text or None, never another type."""

    place: Place
    table: Mapping[str, Any]

    def get(self, key: str) -> str | None:
        value = self.table.get(key)
        return value.strip() if isinstance(value, str) and value.strip() else None


def _entries(value: Any, place: Place) -> Iterator[Entry]:
    """The tables in a list, or in a table of named ones, as far as they are tables."""
    if isinstance(value, Mapping):
        pairs: Iterable[tuple[str | int, Any]] = value.items()
    elif isinstance(value, (list, tuple)):
        pairs = enumerate(value)
    else:
        return
    for key, inner in pairs:
        if isinstance(inner, StaffConfig):
            yield Entry((*place, key), {"id": inner.id, "roles": inner.roles})
        elif isinstance(inner, Mapping):
            yield Entry((*place, key), inner)


class Document:
    """The tables of a configuration that may still be wrong in places."""

    def __init__(self, document: Mapping[str, Any], *, sources: Any = None) -> None:
        """`sources` as the file has them: in `document` the plugins' keys are settings already."""
        self.schools = list(_entries(document.get("schools"), ("schools",)))
        self._rosters = {
            school.place: list(_entries(school.table.get("staff"), (*school.place, "staff")))
            for school in self.schools
        }
        self.staff = [person for roster in self._rosters.values() for person in roster]
        self.people = list(_entries(document.get("people"), ("people",)))
        self.people_are_listed = isinstance(document.get("people", []), list)
        self.sources = list(_entries(sources, ("sources",)))
        self.channels = list(_entries(document.get("channels"), ("channels",)))
        self.terms = list(_entries(document.get("terms"), ("terms",)))
        self.tell = self._table(document, "tell")
        self.alerts = self._table(document, "alerts")
        self.engine = self._table(document, "engine")

    def staff_of(self, school: Entry) -> list[Entry]:
        """The part of `staff` that stands on one school's roster."""
        return self._rosters[school.place]

    @staticmethod
    def _table(document: Mapping[str, Any], name: str) -> Entry:
        value = document.get(name)
        return Entry((name,), value if isinstance(value, Mapping) else {})
