"""One typing slip in a surname of several pieces, behind its forename."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Post, PostRef, Scope

_NAMES = {
    "callaghan": "Conor O'Callaghan",
    "merwe": "Pieter van der Merwe",
    "rourke": "Nuala O'Rourke",
    "angelo": "Luca D'Angelo",
    "fuente": "Inés de la Fuente",
    "gillivray": "Ailsa MacGillivray",
}


@cache
def _matcher() -> Matcher:
    staff = [{"id": key, "name": name} for key, name in _NAMES.items()]
    school = {"id": "quarrydown", "name": "Quarrydown High School", "staff": staff}
    return Matcher(Roster.from_table({"schools": [school]}))


def _people(text: str, scope: Scope = Scope.OPEN) -> dict[str, str]:
    found = _matcher().match(Post(PostRef("line", "1"), text), scope=scope)
    return {mention.target.id: mention.matches[0].rule for mention in found}


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Conor O'Calaghan should be sacked", "callaghan"),
        ("CONOR O'CALLAHGAN SHOULD BE SACKED", "callaghan"),
        ("ask nuala o'roarke", "rourke"),
        ("Nuala O\u2019Rorke's car is outside", "rourke"),
        ("it was luca d'angleo again", "angelo"),
    ],
)
def test_a_slip_behind_an_apostrophe_is_found_as_one_in_a_plain_surname(
    text: str, person: str
) -> None:
    assert _people(text) == {person: "slip"}


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("conor o callagan is a joke", "callaghan"),
        ("pieter van der merve is a joke", "merwe"),
        ("ailsa mac gillivary is a joke", "gillivray"),
        ("ines de la fuete is a joke", "fuente"),
    ],
)
def test_a_slip_behind_a_particle_is_found_in_every_source(text: str, person: str) -> None:
    assert _people(text, Scope.SCHOOL) == _people(text) == {person: "slip"}


@pytest.mark.parametrize("name", ["O Callagan", "van der Merve", "Van Der Merw", "mac gillivary"])
def test_a_slip_between_a_title_and_a_school_is_found_behind_a_particle(name: str) -> None:
    assert set(_people(f"Mr {name} at Quarrydown High School").values()) >= {"slip"}


@pytest.mark.parametrize(
    "text",
    [
        "Conor O'Neill was there",
        "Conor O'Callaghan-Reid was there",
        "Nuala O'Rorrke-Byrne was there",
        "Pieter van der Meer was there",
        "Luca D'Angelis was there",
        "Luca O'Angelo was there",
        "Conor o callagn was there",
    ],
)
def test_another_surname_and_two_slips_are_nobody(text: str) -> None:
    assert _people(text) == {}


def test_another_letter_behind_the_particle_is_another_surname() -> None:
    rules = _people("we met ines de la puente", Scope.SCHOOL)
    assert "slip" not in rules.values()
