"""A file becomes a Config, or a list of every problem with its place and its remedy."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.config.load import load, load_schools
from monitor.config.schema import Config
from monitor.errors import ConfigError, Problem
from monitor.model import Scope

if TYPE_CHECKING:
    Read = Callable[..., Config]
    Write = Callable[..., Path]

FIXTURES = Path(__file__).parents[2] / "fixtures" / "config"
BAD = sorted((FIXTURES / "bad").glob("*.toml"))
BESIDE = Path(os.environ.get("STAFF_MENTIONS_SHARED", Path(__file__).parents[4] / "shared"))
ROSTERS = [path for path in [BESIDE / "matching" / "dev" / "roster.toml"] if path.is_file()]


def announced(path: Path) -> list[str]:
    """The problems that a bad file announces in its last lines: `# expect LINE: path: message`."""
    found = re.findall(r"(?m)^# expect (.*)$", path.read_text("utf-8"))
    return [line.replace("{folder}", str(path.resolve().parent)) for line in found]


def told(error: ConfigError, path: Path) -> list[str]:
    return [re.sub(rf"^{re.escape(str(path))}:\s?", "", str(each)) for each in error.problems]


def fits(said: str, expected: str) -> bool:
    """Equal, or equal as far as the ellipsis: the rest is worded by Python."""
    return said.startswith(expected[:-1]) if expected.endswith("…") else said == expected


def test_the_smallest_good_file_loads_without_a_warning(read: Read) -> None:
    config = read(FIXTURES / "good.toml")

    assert [school.id for school in config.schools] == ["thornleigh"]
    assert config.sources["gazette"].settings.model_dump()["url"].endswith("/feed.xml")
    assert config.warnings == ()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_named_with_its_line_and_its_remedy_and_nothing_else_is(
    path: Path, read: Read
) -> None:
    expected = announced(path)
    assert expected

    with pytest.raises(ConfigError) as refused:
        read(path)

    said = told(refused.value, path)
    assert len(said) == len(expected), said
    assert all(map(fits, said, expected)), said


def test_every_mistake_in_a_file_is_told_at_once(read: Read) -> None:
    path = FIXTURES / "many-mistakes.toml"

    with pytest.raises(ConfigError) as refused:
        read(path)

    assert told(refused.value, path) == announced(path)
    assert len(refused.value.problems) > 25


def test_a_file_that_is_not_there_says_how_to_make_one(read: Read, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="staff-mentions init writes one"):
        read(tmp_path / "config.toml")


def test_a_folder_in_place_of_a_file_is_a_problem(read: Read, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path)


def test_a_file_in_another_encoding_is_named_with_the_line(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('nation = "england"\nname = "Siobhán"\n'.encode("latin-1"))

    with pytest.raises(ConfigError, match=r"config\.toml:2: is not UTF-8"):
        read(path)


def test_a_file_of_a_gigabyte_is_not_read_to_its_end(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as file:
        file.truncate(1024**3)

    with pytest.raises(ConfigError, match="is larger than 32 MB"):
        read(path)


def test_nesting_without_end_is_a_problem_and_not_a_crash(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("a = " + "[" * 100_000)

    with pytest.raises(ConfigError, match="nested too deeply"):
        read(path)


def test_a_byte_order_mark_from_notepad_is_no_mistake(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (FIXTURES / "good.toml").read_bytes())

    assert read(path).warnings == ()


def test_line_numbers_hold_for_files_from_windows(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = (FIXTURES / "bad" / "too-small-a-number.toml").read_text("utf-8")
    path.write_bytes(text.replace("\n", "\r\n").encode())

    with pytest.raises(ConfigError) as refused:
        read(path)

    assert [problem.line for problem in refused.value.problems] == [37]


@given(text=st.text(max_size=200))
@example(text='[[schools]]\nstaff = [1, "x", {id = []}]\n[sources]\na = {kind = ["feed"]}')
@example(text="tell = 3\npeople = {a = 1}\nchannels = []\nterms = [{first_day = 1, last_day = 2}]")
@example(text='[sources."a.b"]\nkind = "feed"\nurl = "http://["\n[channels.mail]\nkind="email"')
@example(text="schools = [[]]\nsources = [1]\nengine = 1\nevidence = 2\nalerts = 3")
@example(text='[[schools]]\ntell = 1\nid = 5\nstaff_file = "a\\u0000b"')
@example(
    text='[[schools]]\nid = "a"\n[[schools.staff]]\nid = "b"\nroles = [5]\n'
    '[tell]\nheadteacher = "h"\n[[people]]\nid = "h"'
)
@settings(max_examples=100, deadline=None)
def test_no_text_whatever_brings_another_error_than_ours(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(ConfigError):
        load(
            path,
            connectors={},
            channels={},
            read_key=str,
            environ={},
            today=date(2026, 11, 21),
        )


@given(cut=st.integers(0, 1000), length=st.integers(0, 80), put=st.text(max_size=20))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_good_file_that_was_damaged_loads_or_is_refused_with_a_place(
    cut: int, length: int, put: str, read: Read, tmp_path: Path
) -> None:
    text = (FIXTURES / "good.toml").read_text("utf-8")
    path = tmp_path / "config.toml"
    path.write_bytes((text[:cut] + put + text[cut + length :]).encode("utf-8", "surrogatepass"))

    problems = problems_of(read, path)

    assert all(problem.file == str(path) and problem.message for problem in problems)


def problems_of(read: Read, path: Path) -> tuple[Problem, ...]:
    try:
        return read(path).warnings
    except ConfigError as error:
        return error.problems


# --- what follows from what -------------------------------------------------------------------


def test_paths_start_at_the_files_own_folder(read: Read, write: Write, tmp_path: Path) -> None:
    path = write(
        'data_dir = "data"\n[evidence]\nkey_file = "keys/log"\n',
        replace={'host = "': 'ca_file = "ca.pem"\nhost = "'},
    )

    config = read(path)

    assert config.engine.data_dir == tmp_path / "data"
    assert config.evidence.key_file == tmp_path / "keys" / "log"
    assert config.channels["mail"].settings.model_dump()["ca_file"] == tmp_path / "ca.pem"


def test_key_database_and_log_name_follow_from_folder_and_school(read: Read, write: Write) -> None:
    config = read(write('data_dir = "/srv/mentions"'))

    assert config.evidence.key_file == Path("/srv/mentions/signing-key")
    assert config.engine.database_url == "sqlite:////srv/mentions/staff-mentions.sqlite3"
    assert config.evidence.origin == "staff-mentions/thornleigh"


def test_the_only_school_is_the_school_of_a_source_about_a_school(read: Read, write: Write) -> None:
    config = read(write(replace={'kind = "feed"\n': 'kind = "feed"\nscope = "school"\n'}))

    assert config.sources["gazette"].scope is Scope.SCHOOL
    assert config.sources["gazette"].school == "thornleigh"


def test_an_open_source_belongs_to_no_school_unless_it_says_so(read: Read) -> None:
    assert read(FIXTURES / "good.toml").sources["gazette"].school is None


def test_a_plugins_own_unknown_key_is_compared_with_its_keys_and_with_ours(
    read: Read, write: Write
) -> None:
    path = write(replace={'kind = "feed"\n': 'kind = "feed"\nscop = "open"\n'})

    with pytest.raises(ConfigError, match=r"scop: unknown key \(did you mean scope\?\)"):
        read(path)


# --- warnings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replace", "said"),
    [
        ({"[engine]\n": "[engine]\n#"}, "sites cannot ask who is reading them"),
        ({'deputy = "osei"\n': ""}, "nobody stands in for a headteacher"),
        ({'safeguarding_lead = "osei"\n': ""}, "distress and danger to somebody else go to"),
        ({'title = "Mr"\n': 'title = "Mr"\nhandles = ["@lowe"]\n'}, "gave these accounts"),
        ({'staff = "marian-holt"\n': ""}, 'add staff = "marian-holt"'),
        (
            {'[sources.gazette]\nkind = "feed"\nurl = "https://gazette.example/feed.xml"\n': ""},
            "nothing is read",
        ),
    ],
)
def test_what_is_doubtful_but_usable_is_a_warning(
    replace: Mapping[str, str], said: str, read: Read, write: Write
) -> None:
    warnings = read(write(replace=replace)).warnings

    assert len(warnings) == 1
    assert said in str(warnings[0])


def test_a_roster_on_which_nobody_is_watched_is_a_warning(read: Read, write: Write) -> None:
    names = {'title = "Mr"\n': "until = 2026-08-31\n", 'roles = ["headteacher"]': "watch = false"}

    warnings = read(write(replace=names)).warnings

    assert ["nobody on the roster is watched for today" in str(each) for each in warnings] == [True]


# --- rosters alone ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ROSTERS, ids=lambda path: path.name)
def test_the_roster_of_the_matching_tests_needs_nothing_more(path: Path, today: date) -> None:
    schools = load_schools(path, today=today)

    assert [school.id for school in schools] == ["wexmoor"]
    assert len(schools[0].staff) == 18


def test_a_roster_may_stand_in_a_whole_configuration(today: date) -> None:
    schools = load_schools(FIXTURES / "good.toml", today=today)

    assert [person.id for person in schools[0].staff] == ["marian-holt", "desmond-lowe"]


def test_a_roster_beside_an_unknown_table_is_refused(tmp_path: Path, today: date) -> None:
    path = tmp_path / "roster.toml"
    path.write_text('[[schools]]\nid = "a"\nname = "Abbey"\n[scools]\nx = 1\n')

    with pytest.raises(ConfigError, match=r"roster\.toml:4: scools: unknown key .*schools"):
        load_schools(path, today=today)


def test_a_roster_alone_is_checked_like_one_in_a_configuration(tmp_path: Path, today: date) -> None:
    path = tmp_path / "roster.toml"
    path.write_text(
        '[[schools]]\nid = "a"\nname = "Abbey"\n'
        '[[schools.staff]]\nid = "x"\nname = "Ann Low"\nrole = "student"\n'
        '[[schools.staff]]\nid = "X"\nname = "Ben Low"\n'
    )

    with pytest.raises(ConfigError) as refused:
        load_schools(path, today=today)

    assert [problem.line for problem in refused.value.problems] == [7, 9]
