"""Names and addresses are taken out of a text; what may be one and stays is said."""

from __future__ import annotations

import pytest

from monitor.matching.masking import Masker, StandIns
from monitor.matching.roster import Alias, Person, Roster, School

ROSTER = Roster(
    (
        School(
            "thornleigh",
            "Thornleigh Academy",
            handles=("thornleigh_sch",),
            places=("Dunnowby",),
            staff=(
                Person(
                    "lowe", "Desmond Lowe", "Mr", (Alias("Lowlife", insulting=True),), ("des.lowe",)
                ),
                Person("cook", "Will Cook", "Mr"),
                Person("obrien", "Siobhán O'Brien", "Miss"),
            ),
        ),
    )
)
MASKER = Masker(ROSTER)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("saw desmond lowe's car", "saw [NAME]'s car"),
        ("DESMOND LOWE again", "[NAME] again"),
        ("Lowe, again", "[NAME], again"),
        ("des.lowe posted it", "[NAME] posted it"),
        ("miss siobhan o'brien was there", "miss [NAME] was there"),
        ("what a lowlife", "what a [NAME]"),
        ("will you cook tea", "will you cook tea"),
        ("it was Cook who did it", "it was [NAME] who did it"),
        ("Thornleigh Academy in Dunnowby", "[SCHOOL] in [SCHOOL]"),
        ("thornleigh_sch said", "[SCHOOL] said"),
        ("jayden told me", "[NAME] told me"),
        ("ask @gate_mum or u/someone", "ask @somebody or @somebody"),
        ("see https://forum.example/p?x=1 now", "see a link now"),
        ("see forum.example/posts/1 now", "see a link now"),
        ("write to head@school.example please", "write to an e-mail address please"),
        ("ring 01632 960 001 today", "ring a telephone number today"),
        ("ring +44 (0)1632 960001 today", "ring a telephone number today"),
        ("she lives at 14 Elm Tree Road mate", "she lives at an address mate"),
        ("she lives on Elm Road mate", "she lives on an address mate"),
        ("DN4 5PQ it is", "a postcode it is"),
        ("her car is AB12 CDE", "her car is a number plate"),
    ],
)
def test_what_names_or_finds_somebody_is_masked(text: str, masked: str) -> None:
    assert MASKER.mask(text).text == masked


def test_words_that_may_be_names_are_listed_each_once() -> None:
    found = MASKER.mask("the Grimbleton lot met at number 204, grimbleton and Grimbleton")
    assert found.doubtful == ("Grimbleton", "204", "grimbleton")


def test_ordinary_words_are_not_doubted() -> None:
    text = "Worst parents' evening ever. She had no idea who my son was!"
    assert MASKER.mask(text).doubtful == ()


def test_what_a_person_found_to_be_a_name_is_masked() -> None:
    found = MASKER.mask("the Grimbleton lot", more=["grimbleton"])
    assert (found.text, found.doubtful) == ("the [NAME] lot", ())


def test_other_stand_ins_can_be_chosen() -> None:
    masker = Masker(ROSTER, StandIns("Mx Colleague", "the school", "Mx Other"))
    found = masker.mask("Desmond Lowe and Jayden at Thornleigh Academy")
    assert found.text == "Mx Colleague and Mx Other at the school"
    assert masker.mask(found.text).text == found.text


@pytest.mark.parametrize(
    "text", ["", "@", "a" * 200_000, "1 " * 50_000, "a." * 50_000, "Ab " * 50_000]
)
def test_any_text_is_masked_in_a_moment(text: str) -> None:
    assert MASKER.mask(text).text is not None
