"""Every place that tomllib reads has the line on which a person would look for it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.config.lines import Place, line_of, lines_of

ROOT = Path(__file__).parents[3]
BESIDE = Path(os.environ.get("STAFF_MENTIONS_SHARED", ROOT.parent / "shared"))
FILES = [
    path
    for path in [
        ROOT / "config.example.toml",
        ROOT / "pyproject.toml",
        ROOT / "tests" / "fixtures" / "config" / "good.toml",
        BESIDE / "matching" / "dev" / "roster.toml",
    ]
    if path.is_file()
]
ODD = '''\
a = 1 # [x]
b.c = """
[not.a.table]
k = 1
"""
"quoted key" = [ 1,
  { x = 1, y = [1,
   2] }, # ]
  "],[",
]
[t]
d = 2026-01-01 07:00:00
u = "https://a.b/c#d" # comment
[[s]]
id = "1"
[[s.staff]]
id = "p"
[[s.staff]]
id = "q"
[[s]]
[[s.staff]]
id = \'\'\'r\'\'\'
[s.tell]
head = 'x'
[c."m.n"]
k = \'\'\' ' \'\'\'
z = """a\\""" ""
"""
q = 1
'''


def places(value: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every place in a document with the last name that leads there."""
    names = [step for step in at if isinstance(step, str)]
    if at:
        yield at, names[-1]
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*at, number))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_key_has_a_line_that_holds_its_name(path: Path) -> None:
    text = path.read_text("utf-8")
    lines, written = lines_of(text), text.splitlines()

    for place, name in places(tomllib.loads(text)):
        assert place in lines
        if isinstance(place[-1], str):
            assert name in written[lines[place] - 1], place


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("a",), 1),
        (("b", "c"), 2),
        (("quoted key", 1, "y"), 7),
        (("quoted key", 1, "y", 1), 8),
        (("quoted key", 2), 9),
        (("t", "u"), 13),
        (("s", 0, "staff", 1, "id"), 19),
        (("s", 1, "staff", 0, "id"), 22),
        (("s", 1, "tell", "head"), 24),
        (("c", "m.n", "z"), 27),
        (("c", "m.n", "q"), 29),
    ],
)
def test_lines_hold_in_odd_corners_of_toml(place: Place, line: int) -> None:
    tomllib.loads(ODD)

    assert lines_of(ODD)[place] == line


def test_what_is_missing_is_looked_for_at_the_table_around_it() -> None:
    lines = lines_of("x = 1\n[mail]\nquote = 1\n")

    assert line_of(lines, ("mail", "missing", "deeper")) == 2
    assert line_of(lines, ("alerts", "channel")) is None
