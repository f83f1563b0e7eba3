"""What `init` writes is accepted by `load`, whatever was typed in."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config.schema import Config
from monitor.config.toml_text import quoted
from monitor.config.write import Answers, MailServer, Named, StaffAnswer, example_config
from monitor.model import Role

if TYPE_CHECKING:
    Load = Callable[[str], Config]

HEAD = Named("Marian Holt", "m.holt@thornleigh.example")
CHAIR = Named("Abena Osei", "chair@thornleigh.example")
OFFICE = Named("Jo Pike", "office@thornleigh.example")
SMTP = MailServer("smtp.thornleigh.example", "staff-mentions@thornleigh.example")


@pytest.fixture
def loaded(read_shipped: Callable[[Path], Config], tmp_path: Path) -> Load:
    """Load a text with the plugins that this program ships."""

    def load_text(text: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        return read_shipped(path)

    return load_text


def test_a_full_set_of_answers_becomes_a_config_without_a_needless_warning(
    loaded: Load, tmp_path: Path
) -> None:
    password = tmp_path / "mail-password"
    password.write_text("correct horse")
    password.chmod(0o600)
    answers = Answers(
        school="Thornleigh Academy",
        aliases=("Thornleigh", "TLA"),
        town="Brackwater",
        staff=(StaffAnswer("Desmond Lowe", "Mr"), StaffAnswer("Marian Holt", "Mrs")),
        headteacher=HEAD,
        second_person=CHAIR,
        administrator=OFFICE,
        feeds=("https://gazette.example/feed.xml", "https://www.gazette.example/comments.xml"),
        mail=MailServer(
            "smtp.thornleigh.example",
            "staff-mentions@thornleigh.example",
            port=465,
            security="tls",
            user="mentions",
            password_file=password,
        ),
        data_dir=tmp_path / "data",
    )

    config = loaded(example_config(answers))

    school = config.schools[0]
    assert (school.id, school.aliases, school.places) == (
        "thornleigh-academy",
        ("Thornleigh", "TLA"),
        ("Brackwater",),
    )
    assert [(person.name, person.title) for person in school.staff] == [
        ("Desmond Lowe", "Mr"),
        ("Marian Holt", "Mrs"),
    ]
    assert config.is_headteacher("marian-holt")
    assert list(config.sources) == ["gazette-example", "gazette-example-2"]
    assert config.engine.data_dir == tmp_path / "data"
    assert config.channel().settings.model_dump()["security"] == "tls"
    assert sorted(warning.path for warning in config.warnings) == [
        "tell.deputy",
        "tell.safeguarding_lead",
    ]


def test_the_fewest_answers_are_enough_and_the_head_joins_the_roster(loaded: Load) -> None:
    config = loaded(example_config(Answers("Abbey School", HEAD, CHAIR, OFFICE, SMTP)))

    assert [person.name for person in config.schools[0].staff] == ["Marian Holt"]
    assert config.is_headteacher("marian-holt")


def test_an_export_is_taken_as_the_roster(loaded: Load, tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text("Code,Name\nMHO,Marian Holt\n")
    answers = Answers("Abbey", HEAD, CHAIR, OFFICE, SMTP, staff_csv=Path("staff.csv"))

    config = loaded(example_config(answers))

    assert [person.id for person in config.schools[0].staff] == ["MHO"]
    assert any("second person would not hear" in str(warning) for warning in config.warnings)


def test_one_person_in_two_parts_is_one_person(loaded: Load) -> None:
    config = loaded(example_config(Answers("Abbey", HEAD, CHAIR, HEAD, SMTP)))

    assert len(config.people) == 2
    assert config.person_for(Role.ADMINISTRATOR) == config.person_for(Role.HEADTEACHER)


def test_people_of_one_name_get_different_ids(loaded: Load) -> None:
    other = Named("Marian Holt", "other@thornleigh.example")
    staff = (StaffAnswer("Ann Low"), StaffAnswer("Ann Low"), StaffAnswer("赵敏"))

    config = loaded(example_config(Answers("Abbey", HEAD, other, OFFICE, SMTP, staff=staff)))

    assert [person.id for person in config.people] == ["marian-holt", "marian-holt-2", "jo-pike"]
    assert [person.id for person in config.schools[0].staff][1:] == [
        "ann-low",
        "ann-low-2",
        "staff",
    ]


NAMES = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=40)
    .map(lambda text: f"Ann {text} Low")
    .filter(lambda text: text.strip() == text)
)


@given(school=NAMES, town=NAMES, names=st.lists(NAMES, max_size=3), alias=NAMES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_typed_in_comes_back_as_it_was(
    school: str, town: str, names: list[str], alias: str, loaded: Load
) -> None:
    staff = tuple(StaffAnswer(name) for name in names)
    answers = Answers(school, HEAD, CHAIR, OFFICE, SMTP, aliases=(alias,), town=town, staff=staff)

    config = loaded(example_config(answers))

    assert (config.schools[0].name, config.schools[0].places) == (school, (town,))
    assert [person.name for person in config.schools[0].staff][1:] == names


@given(text=st.text())
def test_any_text_survives_as_a_toml_string(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}
