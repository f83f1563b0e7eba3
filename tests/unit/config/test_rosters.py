"""A roster is joined from config and export, read again when that changes, and logged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.config.rosters import reload_staff, roster_digest, who_and_why
from monitor.config.schema import Config
from monitor.errors import ConfigError

if TYPE_CHECKING:
    Read = Callable[..., Config]
    Write = Callable[..., Path]

WITH_FILE = {'places = ["Brackwater"]\n': 'staff_file = "staff.csv"\n'}
LIST = "Code,Title,Name\ndesmond-lowe,Dr,Desmond Q. Lowe\nicarrow,Ms,Ines Carrow\n"


@pytest.fixture
def staff_file(tmp_path: Path) -> Path:
    path = tmp_path / "staff.csv"
    path.write_text(LIST)
    return path


def names(config: Config) -> list[str]:
    return [person.name for person in config.schools[0].staff]


def test_the_config_wins_over_the_export_key_by_key(
    read: Read, write: Write, staff_file: Path
) -> None:
    without_name = {**WITH_FILE, 'name = "Desmond Lowe"\ntitle = "Mr"\n': "watch = false\n"}

    config = read(write(replace=without_name))

    lowe = config.staff_member("desmond-lowe")
    assert lowe is not None
    assert (lowe.name, lowe.title, lowe.watch) == ("Desmond Q. Lowe", "Dr", False)
    assert names(config) == ["Marian Holt", "Desmond Q. Lowe", "Ines Carrow"]


def test_problems_of_the_export_stand_beside_those_of_the_config(
    read: Read, write: Write, staff_file: Path
) -> None:
    staff_file.write_text(LIST + "=1,Mr,Mark Hollis\n")

    with pytest.raises(ConfigError) as refused:
        read(write("poll_concurrency = 0", replace=WITH_FILE))

    files = [(Path(each.file).name, each.line) for each in refused.value.problems]
    assert files == [("config.toml", 46), ("staff.csv", 4)]


def test_an_id_of_the_export_that_another_school_has_is_a_problem(
    read: Read, write: Write, staff_file: Path
) -> None:
    infants = (
        '[[schools]]\nid = "infants"\nname = "Infants"\nheadteacher = "icarrow"\n'
        '[[schools.staff]]\nid = "icarrow"\nname = "Ian Carrow"\n'
    )

    with pytest.raises(ConfigError, match='another member of staff has the id "icarrow"'):
        read(write(infants, replace=WITH_FILE))


def test_an_id_that_comes_first_in_the_config_and_then_in_an_export_is_told_at_the_school(
    read: Read, write: Write, staff_file: Path
) -> None:
    staff_file.write_text("Code,Name\nmarian-holt,Mary Holt\n")
    infants = '[[schools]]\nid = "infants"\nname = "Infants"\nstaff_file = "staff.csv"\n'

    with pytest.raises(ConfigError) as refused:
        read(write(infants))

    assert [(each.path, each.line) for each in refused.value.problems] == [
        ("schools.infants.staff[1].id", 46)
    ]


def test_the_digest_of_the_files_says_that_one_has_changed(
    read: Read, write: Write, staff_file: Path
) -> None:
    config = read(write(replace=WITH_FILE))
    before = roster_digest(config)

    assert roster_digest(config) == before
    staff_file.write_text(LIST + "mho,Mr,Mark Hollis\n")
    after = roster_digest(config)
    staff_file.unlink()

    assert len({before, after, roster_digest(config)}) == 3


def test_reading_again_takes_the_new_list_and_keeps_what_the_config_says(
    read: Read, write: Write, staff_file: Path
) -> None:
    old = read(write(replace=WITH_FILE))
    staff_file.write_text("Code,Title,Name\ndesmond-lowe,Prof,D. Lowe\nmho,Mr,Mark Hollis\n")

    new = reload_staff(old)

    assert names(new) == ["Marian Holt", "Desmond Lowe", "Mark Hollis"]
    assert reload_staff(new).digest() == new.digest()
    assert new.sources == old.sources
    for changed in ("icarrow", "mho"):
        assert who_and_why(new, "thornleigh", changed) == ("staff.csv", "")


def test_reading_again_gives_what_a_fresh_start_would_give(
    read: Read, write: Write, staff_file: Path
) -> None:
    path = write(replace=WITH_FILE)
    old = read(path)
    staff_file.write_text(LIST + "mho,Mr,Mark Hollis\n")

    assert reload_staff(old).digest() == read(path).digest()


def test_an_entry_whose_name_came_from_a_row_that_is_gone_is_a_problem(
    read: Read, write: Write, staff_file: Path
) -> None:
    without_name = {**WITH_FILE, 'name = "Desmond Lowe"\ntitle = "Mr"\n': "watch = false\n"}
    config = read(write(replace=without_name))
    staff_file.write_text("Code,Name\nicarrow,Ines Carrow\n")

    with pytest.raises(ConfigError, match=r"staff\.desmond-lowe\.name: is missing"):
        reload_staff(config)


def test_an_export_that_broke_off_does_not_end_the_watch(
    read: Read, write: Write, staff_file: Path
) -> None:
    rows = [f"s{number},Ann Low{'abcdefghijklmnopqrstuvwxyz'[number]}\n" for number in range(20)]
    staff_file.write_text("Code,Name\n" + "".join(rows))
    config = read(write(replace=WITH_FILE))
    staff_file.write_text("Code,Name\n" + "".join(rows[:8]))

    with pytest.raises(ConfigError, match="lists 10 people where it listed 22"):
        reload_staff(config)


def test_a_list_that_lost_just_half_of_its_people_is_believed(
    read: Read, write: Write, staff_file: Path
) -> None:
    rows = [f"s{number},Ann Low{'abcdefgh'[number]}\n" for number in range(8)]
    staff_file.write_text("Code,Name\n" + "".join(rows))
    config = read(write(replace=WITH_FILE))
    staff_file.write_text("Code,Name\n" + "".join(rows[:3]))

    assert len(reload_staff(config).schools[0].staff) == 5


@pytest.mark.parametrize("content", ["", "Code,Name\nx,=1\n", None])
def test_a_bad_list_at_the_second_reading_leaves_the_first_in_force(
    content: str | None, read: Read, write: Write, staff_file: Path
) -> None:
    config = read(write(replace=WITH_FILE))
    if content is None:
        staff_file.unlink()
    else:
        staff_file.write_text(content)

    with pytest.raises(ConfigError, match=r"staff\.csv"):
        reload_staff(config)

    assert "Ines Carrow" in names(config)


def test_an_addition_says_who_and_why(read: Read, write: Write) -> None:
    added = 'title = "Mr"\nadded_by = "J. Pike"\nadded_because = "new here"\n'
    config = read(write(replace={'title = "Mr"\n': added}))
    assert who_and_why(config, "thornleigh", "desmond-lowe") == ("J. Pike", "new here")


def test_a_removal_without_an_export_is_the_configs(read: Read, write: Write) -> None:
    entry = '[[schools.staff]]\nid = "desmond-lowe"\nname = "Desmond Lowe"\ntitle = "Mr"\n'
    config = read(write(replace={entry: ""}))
    assert who_and_why(config, "thornleigh", "desmond-lowe") == ("config", "")
