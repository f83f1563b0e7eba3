"""Staff lists as information systems export them: any heading, order, case and encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.csv_headings import not_staff, recognised
from monitor.config.fields import LONGEST_TEXT, slugged
from monitor.config.problems import findings_of
from monitor.config.schools import REFUSED_ROLES, StaffConfig, StaffRole
from monitor.errors import Problem

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes; 8,000 people with every column of an export are about 2 million."""
_MOST_PROBLEMS = 50
_ROWS_BEFORE_HEADINGS = 10
_TITLE = re.compile(
    r"^(mr|mrs|miss|ms|mx|dr|prof|professor|rev|revd|sir|dame|lady|lord|fr|sr|br)\.?\s+(?=\S+\s*\S)",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BRITISH_DAY = re.compile(r"(\d{1,2})[/.\- ](\d{1,2}|[A-Za-z]{3,9})[/.\- ](\d{4})")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a file: the line (from 1) and the keys of a `[[schools.staff]]` table."""

    line: int
    table: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StaffList:
    """What a file says; `notes` do not stop anything."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


class _UnfitRowError(Exception):
    """A row that cannot be taken, with its problem."""

    def __init__(self, column: str, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.column, self.message, self.suggestion = column, message, suggestion


def read_staff(path: Path) -> StaffList:
    """Read a staff list; every row that cannot be taken is a problem with its line."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return StaffList((), (Problem(str(path), "", f"cannot be read: {error.strerror}"),))
    return parse_staff(content, file=str(path))


def parse_staff(content: bytes, *, file: str) -> StaffList:
    """As `read_staff`, from bytes; `file` names them in problems."""
    if len(content) > LARGEST_FILE:
        limit = LARGEST_FILE // 1024 // 1024
        return StaffList((), (Problem(file, "", f"is larger than {limit} MB", None),))
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        said = "holds a NUL byte: this is no CSV file"
        return StaffList((), (Problem(file, "", said, line, "export it again as CSV"),))
    try:
        text, note = _decoded(content)
    except UnicodeDecodeError:
        said = "is neither UTF-8 nor Windows-1252 text"
        return StaffList((), (Problem(file, "", said, None, "save it as CSV UTF-8"),))
    reading = _Reading(file, notes=[Problem(file, "", note)] if note else [])
    return reading.read(text)


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16"), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return content.decode("cp1252"), "was read as Windows-1252, as Excel saves it"


@dataclass(slots=True)
class _Reading:
    """One reading of one file, with what it found so far."""

    file: str
    notes: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)

    def read(self, text: str) -> StaffList:
        first = text.split("\n", 1)[0].strip()
        separator = re.fullmatch(r'"?sep=(.)"?', first, re.IGNORECASE)
        records = self.records(text, separator.group(1) if separator else _separator(text))
        headings = self.headings(records)
        if headings:
            for line, cells in records:
                self.take(line, dict(zip(headings, cells, strict=False)))
                if len(self.problems) >= _MOST_PROBLEMS:
                    self.say(line, "", f"more than {_MOST_PROBLEMS} problems: reading ends here")
                    break
        if headings and not self.rows and not self.problems:
            self.say(None, "", "lists nobody below its headings")
        return StaffList(tuple(self.rows.values()), tuple(self.problems), tuple(self.notes))

    def say(self, line: int | None, column: str, message: str, suggestion: str = "") -> None:
        self.problems.append(Problem(self.file, column, message, line, suggestion))

    def records(self, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of every record that is not blank; the line is where it begins."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                self.say(line, "", f"is not CSV from here on: {error}", "check the quotes")
                return
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1

    def headings(self, records: Iterator[tuple[int, list[str]]]) -> list[str]:
        """The headings, after the title lines that reports put above them; empty if none."""
        for count, (line, cells) in enumerate(records):
            known = recognised(cells)
            if foreign := not_staff(cells):
                said = f'has a column "{foreign}": this is a list of pupils or applicants'
                self.say(line, "", said, "this program watches over staff and over nobody else")
                return []
            if "surname" in known or "name" in known:
                unknown = [cell.strip() for cell in cells if cell.strip() not in known.values()]
                named = ", ".join(name for name in unknown if name)
                if named:
                    note = f"columns not used: {named[:LONGEST_TEXT]}"
                    self.notes.append(Problem(self.file, "", note, line))
                return [cell.strip() for cell in cells]
            if count >= _ROWS_BEFORE_HEADINGS:
                break
        if not self.problems:
            advice = (
                "the first line names the columns, such as Title, Forename, Surname, Staff code"
            )
            self.say(None, "", "has no column that gives a name", advice)
        return []

    def take(self, line: int, cells: Mapping[str, str]) -> None:
        try:
            table = _table(cells)
            StaffConfig.model_validate(table)
        except _UnfitRowError as unfit:
            self.say(line, unfit.column, unfit.message, unfit.suggestion)
            return
        except ValidationError as error:
            for found in findings_of(error, StaffConfig):
                self.say(line, str(found.place[0]), found.message, found.suggestion)
            return
        self.keep(Row(line, table))

    def keep(self, row: Row) -> None:
        """A person with two posts stands on two lines: the same id and name are one person."""
        key = str(row.table["id"]).casefold()
        first = self.rows.setdefault(key, row)
        if first is row:
            return
        if first.table["name"] != row.table["name"]:
            said = f'line {first.line} has somebody else with the id "{row.table["id"]}"'
            self.say(row.line, "id", said, "every person needs a code of their own")
            return
        roles = dict.fromkeys((*first.table.get("roles", ()), *row.table.get("roles", ())))
        self.rows[key] = Row(first.line, {**first.table, "roles": tuple(roles)})


def _separator(text: str) -> str:
    """The separator that stands most often outside quotes in the first lines."""
    head = re.sub(r'"[^"]*"', "", "\n".join(text.splitlines()[:_ROWS_BEFORE_HEADINGS]))
    return max(",;\t|", key=head.count)


def _table(cells: Mapping[str, str]) -> dict[str, Any]:
    known = recognised(list(cells))
    values = {key: _cell(heading, cells[heading]) for key, heading in known.items()}
    title, name = _title_and_name(values)
    if not name:
        raise _UnfitRowError("name", "is missing")
    table: dict[str, Any] = {"id": _id(values.get("id", ""), name), "name": name}
    table |= {"title": title} if title else {}
    table |= {"email": values["email"]} if values.get("email") else {}
    for key in ("roles", "aliases"):
        if values.get(key):
            table[key] = tuple(
                part.strip() for part in re.split(r"[;|/\n]", values[key]) if part.strip()
            )
    for key in ("from", "until"):
        if values.get(key):
            table[key] = _day(known[key], values[key])
    capacity = values.get("role", "").lower()
    known_as = next((role for role in StaffRole if role in capacity.split()), None)
    if capacity in REFUSED_ROLES or known_as:
        # A refused one is refused by `StaffConfig`, with the sentence that explains it.
        table["role"] = known_as or capacity
    return table


def _cell(heading: str, text: str) -> str:
    text = text.strip()
    if text in {"-", "\N{EN DASH}", "n/a", "N/A"}:
        return ""
    if text.startswith(("=", "+", "@", "-")):
        raise _UnfitRowError(heading, "holds a formula", "export values, not formulas")
    if len(text) > LONGEST_TEXT:
        raise _UnfitRowError(heading, f"has {len(text)} characters, at most {LONGEST_TEXT} fit")
    return text


def _title_and_name(values: Mapping[str, str]) -> tuple[str, str]:
    title = values.get("title", "")
    parts = (values.get("forename", ""), values.get("surname", ""))
    if values.get("surname"):
        return title, " ".join(part for part in parts if part)
    name = values.get("name", "")
    if name.count(",") == 1:
        surname, forename = (part.strip() for part in name.split(","))
        name = f"{forename} {surname}".strip()
    found = _TITLE.match(name)
    if found:
        title = title or found.group(1)
        name = name[found.end() :].strip()
    return title, name


def _id(code: str, name: str) -> str:
    made = (code if _CODE.fullmatch(code) else slugged(code)) or slugged(name)
    if not made:
        raise _UnfitRowError(
            "id", "is missing, and none can be made of the name", "add staff codes"
        )
    return made


def _day(heading: str, text: str) -> str:
    """A day as exports write it, British order, a time of day dropped; ISO 8601."""
    iso = _ISO_DAY.match(text)
    if iso:
        return iso.group()
    british = _BRITISH_DAY.match(text)
    if british:
        day, month, year = british.groups()
        short = month[:3].lower()
        number = (
            _MONTHS.index(short) + 1 if short in _MONTHS else int(month) if month.isdigit() else 0
        )
        if number:
            return f"{year}-{number:02}-{int(day):02}"
    raise _UnfitRowError(heading, f'is not a day: "{text[:30]}"', "such as 01/09/2026")
