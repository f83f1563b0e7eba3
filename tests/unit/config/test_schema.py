"""What a loaded configuration answers: who is told, and whether it may be relied on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from monitor.config.people import ContactConfig, LawfulConfig
from monitor.config.schema import Config
from monitor.config.schools import StaffConfig
from monitor.model import Role

if TYPE_CHECKING:
    Read = Callable[..., Config]
    Write = Callable[..., Path]

SECOND_SCHOOL = """
[[schools]]
id = "infants"
name = "Thornleigh Infants"

[schools.tell]
headteacher = "carrow"

[[schools.staff]]
id = "ines-carrow"
name = "Ines Carrow"

[[people]]
id = "carrow"
name = "Ines Carrow"
email = "i.carrow@thornleigh.example"
staff = "ines-carrow"
"""


# --- who --------------------------------------------------------------------------------------


def test_each_school_may_have_its_own_people_and_shares_the_rest(read: Read, write: Write) -> None:
    config = read(write(SECOND_SCHOOL))

    def told(role: Role, school: str | None) -> str:
        person = config.person_for(role, school)
        return person.id if person else ""

    assert told(Role.HEADTEACHER, "thornleigh") == "holt"
    assert told(Role.HEADTEACHER, "infants") == "carrow"
    assert told(Role.SECOND_PERSON, "infants") == "osei"
    assert told(Role.HEADTEACHER, None) == "holt"
    assert told(Role.HEADTEACHER, "closed-long-ago") == "holt"


def test_a_part_that_nobody_plays_is_none(read: Read, write: Write) -> None:
    config = read(write(replace={'deputy = "osei"\n': ""}))

    assert config.person_for(Role.DEPUTY, "thornleigh") is None


def test_a_head_is_head_of_their_own_school_only(read: Read, write: Write) -> None:
    config = read(write(SECOND_SCHOOL))

    assert config.is_headteacher("marian-holt")
    assert config.is_headteacher("ines-carrow")
    assert not config.is_headteacher("desmond-lowe")
    assert not config.is_headteacher("nobody")


def test_a_school_may_name_its_head_itself(read: Read, write: Write) -> None:
    name = 'name = "Thornleigh Academy"\n'
    named = {'staff = "marian-holt"\n': "", name: f'{name}headteacher = "marian-holt"\n'}
    config = read(write(replace=named))

    assert config.is_headteacher("marian-holt")
    assert config.warnings == ()


def test_people_are_found_on_the_roster_with_their_school(read: Read, write: Write) -> None:
    config = read(write(SECOND_SCHOOL))
    school, person = config.school_of("ines-carrow"), config.staff_member("ines-carrow")

    assert (school.id if school else None, person.name if person else None) == (
        "infants",
        "Ines Carrow",
    )
    assert config.school_of("nobody") is None
    assert config.staff_member("nobody") is None


@pytest.mark.parametrize(
    ("day", "watched"),
    [("2026-08-31", False), ("2026-09-01", True), ("2027-07-20", True), ("2027-07-21", False)],
)
def test_watching_begins_and_ends_with_its_days(day: str, watched: bool) -> None:
    table = {"id": "a", "name": "Ann Low", "from": "2026-09-01", "until": "2027-07-20"}
    person = StaffConfig.model_validate(table)

    assert person.is_watched(date.fromisoformat(day)) is watched


def test_nobody_is_watched_after_an_objection() -> None:
    table = {"id": "a", "name": "Ann Low", "watch": False, "objection_on": "2026-09-21"}

    assert not StaffConfig.model_validate(table).is_watched(date(2026, 11, 21))


def test_an_alias_may_be_text_or_a_table_and_a_name_may_be_one_word() -> None:
    aliases = ["Lowey", {"text": "Low Life", "insulting": True}]
    person = StaffConfig.model_validate({"id": "a", "name": "Madonna", "aliases": aliases})

    assert [(alias.text, alias.insulting) for alias in person.aliases] == [
        ("Lowey", False),
        ("Low Life", True),
    ]


def test_nothing_can_be_changed_afterwards(read: Read, fixtures: Path) -> None:
    config = read(fixtures / "good.toml")

    with pytest.raises(ValidationError, match="frozen"):
        config.timezone = "Europe/Paris"  # type: ignore[misc]  # the point of the test


# --- law and contacts -------------------------------------------------------------------------

COMPLETE = {
    "basis": "public-task",
    "dpia_date": "2026-09-01",
    "staff_notice_on": "2026-09-08",
    "consulted_on": "2026-09-08",
    "consulted_whom": "all staff and three unions",
    "approved_by": "Governing body",
    "review_on": "2027-09-01",
}


def test_an_empty_record_lacks_everything(read: Read, fixtures: Path) -> None:
    assert read(fixtures / "good.toml").not_yet_lawful(date(2026, 11, 21)) == (
        "no lawful basis is recorded",
        "no data-protection impact assessment",
        "staff have not been told",
        "staff or unions have not been consulted",
        "nobody has approved it",
        "no review date",
    )


@pytest.mark.parametrize("missing", list(COMPLETE))
def test_each_missing_part_is_one_phrase(missing: str) -> None:
    lawful = LawfulConfig.model_validate(
        {key: value for key, value in COMPLETE.items() if key != missing}
    )

    assert len(lawful.not_yet(date(2026, 11, 21))) == 1


def test_a_complete_record_is_lawful_until_its_review_is_due() -> None:
    lawful = LawfulConfig.model_validate(COMPLETE)

    assert lawful.not_yet(date(2027, 9, 1)) == ()
    assert lawful.not_yet(date(2027, 9, 2)) == ("the review was due on 2027-09-01",)


@pytest.mark.parametrize(
    ("checked", "today", "stale"),
    [
        ("2025-11-21", "2026-11-21", False),
        ("2025-11-20", "2026-11-21", True),
        ("2024-02-29", "2025-02-28", False),
        ("2024-02-29", "2025-03-01", True),
        ("2025-12-31", "2026-12-31", False),
        ("2025-12-31", "2027-01-01", True),
        (None, "2026-11-21", True),
    ],
)
def test_a_contact_is_stale_after_twelve_months(
    checked: str | None, today: str, stale: bool
) -> None:
    table = {"name": "LADO", "telephone": "01632 960 200", "checked_on": checked}

    assert ContactConfig.model_validate(table).is_stale(date.fromisoformat(today)) is stale


def test_stale_and_missing_contacts_are_named(read: Read, write: Write) -> None:
    config = read(
        write(
            '[contacts.lado]\nname = "The LADO"\ntelephone = "01632 960 200"\n'
            "checked_on = 2024-01-01\n"
            '[[contacts.unions]]\nname = "T. Marsh"\nemail = "t.marsh@thornleigh.example"\n'
        )
    )

    assert config.stale_contacts(date(2026, 11, 21)) == (
        "contacts.lado: The LADO was last checked on 2024-01-01",
        "contacts.unions[1]: T. Marsh was never checked",
    )
    assert config.contacts.missing() == (
        "safeguarding_lead",
        "police_force",
        "hr",
        "data_protection_officer",
        "employee_assistance",
        "chair",
        "press_office",
    )


# --- compared ---------------------------------------------------------------------------------


def test_the_digest_changes_with_any_setting_and_with_no_comment(read: Read, write: Write) -> None:
    plain = read(write()).digest()

    assert read(write("# a comment")).digest() == plain
    assert read(write("poll_concurrency = 9")).digest() != plain
    assert len(bytes.fromhex(plain)) == 32
