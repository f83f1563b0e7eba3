"""Roles become people and times: the school's own day, its own heads, nobody left out."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.model import AlertKind, Notice, Role, Target, TargetKind, Urgency
from monitor.people.audience import Audience, next_time

Make = Any
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def audience(make: Make) -> Audience:
    return Audience(make.config())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # Winter: the school's clock is UTC.
        ("2026-11-20 06:59:59", "2026-11-20 07:00:00"),
        ("2026-11-20 07:00:00", "2026-11-20 07:00:00"),
        ("2026-11-20 19:59:59", "2026-11-20 19:59:59"),
        ("2026-11-20 20:00:00", "2026-11-21 07:00:00"),
        # A Saturday and Christmas count like any day.
        ("2026-11-21 12:00:00", "2026-11-21 12:00:00"),
        ("2026-12-25 12:00:00", "2026-12-25 12:00:00"),
        # Summer: seven in the morning is six in UTC.
        ("2026-07-01 05:59:00", "2026-07-01 06:00:00"),
        ("2026-07-01 19:30:00", "2026-07-02 06:00:00"),
        # The nights on which the clocks change.
        ("2026-03-28 23:00:00", "2026-03-29 06:00:00"),
        ("2026-10-24 22:00:00", "2026-10-25 07:00:00"),
        ("2026-10-25 01:30:00", "2026-10-25 07:00:00"),
    ],
)
@pytest.mark.parametrize("urgency", [Urgency.DAYTIME, Urgency.SAME_DAY])
def test_what_can_wait_waits_for_the_schools_morning(
    audience: Audience, urgency: Urgency, now: str, due: str
) -> None:
    assert audience.due_at(urgency, now=at(now)) == at(due)


def test_a_threat_waits_for_nothing(audience: Audience) -> None:
    for hour in range(24):
        now = datetime(2026, 11, 20, hour, tzinfo=UTC)
        assert audience.due_at(Urgency.NOW, now=now) == now


def test_the_next_time_is_after_now_and_within_a_day() -> None:
    local = datetime(2026, 11, 20, 7, 0, tzinfo=LONDON)
    found = next_time(local, time(7, 0))
    assert (found - local).days == 1


def everybody(*roles: Role, kind: AlertKind = AlertKind.CONCERN) -> tuple[Notice, ...]:
    return tuple(Notice(kind, Urgency.NOW, (role,)) for role in roles)


def heard(audience: Audience, notices: tuple[Notice, ...], target: Target, make: Make) -> list[str]:
    return [each.person for each in audience.hearings(notices, target, now=make.now)]


def test_each_role_is_the_person_that_the_config_names(audience: Audience, make: Make) -> None:
    asked = everybody(Role.HEADTEACHER, Role.SECOND_PERSON, Role.SAFEGUARDING_LEAD)
    assert heard(audience, asked, make.person(), make) == ["holt", "osei", "quill"]


def test_where_nobody_leads_safeguarding_the_headteacher_does(make: Make) -> None:
    tell = {role: who for role, who in make.tell.items() if role != "safeguarding_lead"}
    audience = Audience(make.config(tell=tell))
    assert heard(audience, everybody(Role.SAFEGUARDING_LEAD), make.person(), make) == ["holt"]


def test_who_plays_two_parts_is_told_once_as_urgently_as_either(make: Make) -> None:
    audience = Audience(make.config(tell={**make.tell, "safeguarding_lead": "holt"}))
    asked = (
        Notice(AlertKind.DIGEST, Urgency.DIGEST, (Role.HEADTEACHER,)),
        Notice(AlertKind.CONCERN, Urgency.NOW, (Role.SAFEGUARDING_LEAD,)),
    )
    (only,) = audience.hearings(asked, make.person(), now=make.now)
    assert (only.person, only.urgency) == ("holt", Urgency.NOW)


def federation(make: Make) -> Audience:
    second = {
        "id": "brackwater",
        "name": "Brackwater Primary",
        "headteacher": "ivy-stone",
        "staff": [
            {"id": "ivy-stone", "name": "Ivy Stone", "roles": ["headteacher"]},
            {"id": "omar-reid", "name": "Omar Reid"},
        ],
        "tell": {"headteacher": "stone"},
    }
    stone = {"id": "stone", "name": "Ivy Stone", "email": "i@b.example", "staff": "ivy-stone"}
    return Audience(make.config(schools=[*make.schools, second], people=[*make.people, stone]))


def test_in_a_federation_each_head_hears_of_their_own_school(make: Make) -> None:
    audience = federation(make)
    asked = everybody(Role.HEADTEACHER)
    assert heard(audience, asked, make.person("omar-reid"), make) == ["stone"]
    assert heard(audience, asked, make.person("chloe-barr"), make) == ["holt"]
    school = Target(TargetKind.SCHOOL, "brackwater")
    assert heard(audience, asked, school, make) == ["stone"]


def test_each_head_of_a_federation_is_known_as_one_and_nobody_else(make: Make) -> None:
    audience = federation(make)
    known = {
        name: audience.about_headteacher(make.person(name))
        for name in ("marian-holt", "ivy-stone", "omar-reid", "chloe-barr", "nobody")
    }
    assert known == {
        "marian-holt": True,
        "ivy-stone": True,
        "omar-reid": False,
        "chloe-barr": False,
        "nobody": False,
    }
    assert not audience.about_headteacher(Target(TargetKind.SCHOOL, "thornleigh"))


def test_somebody_who_left_the_roster_is_still_told_of(audience: Audience, make: Make) -> None:
    assert heard(audience, everybody(Role.HEADTEACHER), make.person("gone"), make) == ["holt"]
    assert audience.name_of(make.person("gone")) == "gone"
