"""Where things stand in a TOML file: `tomllib` gives values, and this gives their lines.

The text has been accepted by `tomllib` before it comes here, so this reader only has to step over
values, never to judge them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field

Place = tuple[str | int, ...]
"""The way to a value: table names, keys, and positions in lists counted from 0."""

_TOKEN = re.compile(
    r"""
    (?P<string> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5}
              | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<comment> \#[^\n]*)
    | (?P<newline> \n)
    | (?P<mark> [\[\]{}=,.])
    | (?P<bare> [A-Za-z0-9_-]+)
    | (?P<other> .)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "other"
        piece = found.group()
        if kind not in {"comment", "other"}:
            yield _Token(kind, piece, line)
        line += piece.count("\n")
    yield _Token("end", "", line)


@dataclass(slots=True)
class _Reader:
    """Walks the tokens once and notes the line at which each place begins."""

    tokens: list[_Token]
    at: int = 0
    lines: dict[Place, int] = field(default_factory=dict)
    counts: dict[Place, int] = field(default_factory=dict)

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def step(self) -> _Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def read(self) -> dict[Place, int]:
        table: Place = ()
        while self.now.kind != "end":
            if self.now.text == "[":
                table = self.header()
            elif self.now.kind in {"bare", "string"}:
                self.pair(table)
            else:
                self.step()
        return self.lines

    def header(self) -> Place:
        """`[a.b]` or `[[a.b]]`: the table that the lines below belong to."""
        line = self.step().line
        is_list = self.now.text == "["
        if is_list:
            self.step()
        names = self.key()
        place: Place = ()
        for name in names[:-1] if is_list else names:
            place = self.last_of((*place, name))
            self.lines.setdefault(place, line)
        if is_list:
            rows = (*place, names[-1])
            self.lines.setdefault(rows, line)
            self.counts[rows] = self.counts.get(rows, -1) + 1
            place = (*rows, self.counts[rows])
        self.lines[place] = line
        while self.now.text == "]":
            self.step()
        return place

    def last_of(self, place: Place) -> Place:
        return (*place, self.counts[place]) if place in self.counts else place

    def key(self) -> list[str]:
        names = [_named(self.step())]
        while self.now.text == ".":
            self.step()
            names.append(_named(self.step()))
        return names

    def pair(self, table: Place) -> None:
        line = self.now.line
        place = table
        for name in self.key():
            place = (*place, name)
            self.lines.setdefault(place, line)
        if self.now.text == "=":
            self.step()
            self.value(place)

    def value(self, place: Place) -> None:
        self.lines.setdefault(place, self.now.line)
        if self.now.text == "[":
            self.elements(place)
        elif self.now.text == "{":
            self.inline_table(place)
        else:
            while self.now.kind not in {"newline", "end"} and self.now.text not in {",", "]", "}"}:
                self.step()

    def elements(self, place: Place) -> None:
        self.step()
        count = 0
        while self.now.kind != "end" and self.now.text != "]":
            if self.now.kind == "newline" or self.now.text == ",":
                self.step()
            else:
                self.value((*place, count))
                count += 1
        self.step()

    def inline_table(self, place: Place) -> None:
        self.step()
        while self.now.kind != "end" and self.now.text != "}":
            if self.now.kind in {"bare", "string"}:
                self.pair(place)
            else:
                self.step()
        self.step()


def _named(token: _Token) -> str:
    if token.kind == "string":
        return str(tomllib.loads(f"name = {token.text}")["name"])
    return token.text


def lines_of(text: str) -> dict[Place, int]:
    """The line, counted from 1, of every table, key and list element of a valid TOML text."""
    return _Reader(list(_tokens(text.replace("\r\n", "\n")))).read()


def line_of(lines: dict[Place, int], place: Place) -> int | None:
    """The line of `place`, or of the nearest thing around it that the file does hold."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)
