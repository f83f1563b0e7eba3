"""The roster: what is read, what is refused, and on which line it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import ConfigError
from monitor.matching import names
from monitor.matching.names import read_name
from monitor.matching.roster import Alias, Roster, load_roster
from monitor.matching.words import common_surnames, known_forenames

_GOOD = """\
[[schools]]
id = "oak"
name = "Oakfield High School"

[[schools.staff]]
id = "a"
name = "Rebecca Okafor"
aliases = ["Miss Oaky", { text = "The Witch", insulting = true }]

[[schools.staff]]
id = "b"
name = "Suharto"
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "roster.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_roster_keeps_who_is_insulted_by_an_alias(tmp_path: Path) -> None:
    roster = load_roster(_write(tmp_path, _GOOD))
    first, second = roster.schools[0].staff
    assert first.aliases == (Alias("Miss Oaky"), Alias("The Witch", insulting=True))
    assert second.name == "Suharto"


@pytest.mark.parametrize(
    ("old", "new", "path", "line"),
    [
        ('name = "Suharto"', 'name = ""', "schools[0].staff[1].name", 12),
        ('name = "Suharto"', 'name = "..."', "schools[0].staff[1].name", 12),
        ('name = "Suharto"', 'name = "S"', "schools[0].staff[1].name", 12),
        ('"Miss Oaky"', '"M"', "schools[0].staff[0].aliases[0]", 8),
        ('"The Witch"', '"?!"', "schools[0].staff[0].aliases[1]", 8),
        ('id = "b"', 'id = "a"', "schools[0].staff[1].id", 11),
        ('id = "b"', 'id = ""', "schools[0].staff[1].id", 11),
        ('id = "b"', 'id = "b"\npupil = true', "schools[0].staff[1].pupil", 12),
        ('name = "Oakfield High School"', "name = 7", "schools[0].name", 3),
        ("insulting = true", "insulting = 3", "schools[0].staff[0].aliases[1].insulting", 8),
    ],
)
def test_a_bad_entry_is_a_config_error_that_says_which_line(
    tmp_path: Path, old: str, new: str, path: str, line: int
) -> None:
    assert old in _GOOD
    with pytest.raises(ConfigError) as raised:
        load_roster(_write(tmp_path, _GOOD.replace(old, new)))
    assert next((problem.path, problem.line) for problem in raised.value.problems) == (path, line)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    bad = _GOOD.replace('"Suharto"', '""').replace('"Miss Oaky"', '"M"')
    with pytest.raises(ConfigError) as raised:
        load_roster(_write(tmp_path, bad))
    assert len(raised.value.problems) == 2


def test_a_file_that_is_no_toml_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_roster(_write(tmp_path, "[[schools"))


def test_a_roster_without_a_school_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="no school"):
        Roster.from_table({})


def test_a_name_of_one_chinese_character_is_a_name() -> None:
    roster = Roster.from_table(
        {"schools": [{"id": "s", "name": "Oakfield", "staff": [{"id": "z", "name": "赵"}]}]}
    )
    assert roster.schools[0].staff[0].name == "赵"


def test_a_plain_name_is_read_in_the_quick_way_as_at_length() -> None:
    forenames = sorted(known_forenames())[::7]
    surnames = sorted(common_surnames())
    for number, forename in enumerate(forenames):
        for written in (
            f"{forename} {surnames[number % len(surnames)]}".title(),
            f"{surnames[number % len(surnames)]} {forename}",
            f"Miss {forename}",
            f"{forename[0]} {surnames[number % len(surnames)]}",
        ):
            assert read_name(written) == names._read_at_length(written)
