"""Words that many schools bear, and words beside a forename that make nobody's name."""

from __future__ import annotations

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Post, PostRef

_TOWNS = [f"Brad{middle}{end}" for middle in ("en", "ol", "ith", "ow", "ar") for end in (
    "by", "wick", "thorpe", "combe", "stead", "mere"
)]  # fmt: skip


def _roster() -> Roster:
    """Thirty schools called St Mary's, each in a town of its own; one has four people."""
    staff = ("Poppy Tran", "Leonard Fletcher", "Joseph Navakomba", "Ines Quenderby-Ashcombe")
    return Roster.from_table(
        {
            "schools": [
                {
                    "id": town.lower(),
                    "name": "St Mary's Primary School",
                    "aliases": ["St Mary's", "SMP"],
                    "places": [town],
                    "staff": [
                        {"id": name.split()[0].lower(), "name": name}
                        for name in (staff if town == _TOWNS[7] else ())
                    ],
                }
                for town in _TOWNS
            ]
        }
    )


_MATCHER = Matcher(_roster())


def _found(text: str) -> list[str]:
    return [each.target.id for each in _MATCHER.match(Post(PostRef("test", "1"), text))]


def test_a_name_that_thirty_schools_bear_names_none_of_them() -> None:
    assert _found("St Mary's closed early because of the snow") == []


def test_a_town_beside_it_tells_which_school_is_meant() -> None:
    assert _found(f"St Mary's in {_TOWNS[7]} closed early because of the snow") == [
        _TOWNS[7].lower()
    ]


def test_the_words_of_the_other_schools_are_told_apart_from_those_of_ones_own() -> None:
    text = f"Poppy Tran of St Mary's, {_TOWNS[7]}, was kind"
    assert sorted(_found(text)) == sorted([_TOWNS[7].lower(), "poppy"])


def test_people_are_told_in_the_order_of_the_roster_and_before_schools() -> None:
    text = f"At St Mary's, {_TOWNS[7]}: Joseph Navakomba, Leonard Fletcher and Poppy Tran"
    assert _found(text) == ["poppy", "leonard", "joseph", _TOWNS[7].lower()]


def test_a_longer_name_is_not_named_once_more_by_the_words_inside() -> None:
    text = f"{_TOWNS[7]}: St Mary's Primary School is shut"
    mentions = _MATCHER.match(Post(PostRef("test", "1"), text))
    assert [[match.text for match in each.matches] for each in mentions] == [
        ["St Mary's Primary School"]
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Fletcher-Leonard was late again",
        "the poppy trans people wear",
        "so Leonard! Fletcher on the other hand",
        "Poppy Navakomva was late",
    ],
)
def test_words_that_the_rules_never_take_for_a_name_end_at_the_gate(text: str) -> None:
    assert _found(text) == []
    assert not _MATCHER.wanted(text)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Fletcher, Leonard was late again", "leonard"),
        ("that Poppy Tran's lesson", "poppy"),
        ("Joseph Navakomva was late", "joseph"),
        ("Ines Quenderby Ashcombe was late", "ines"),
    ],
)
def test_what_is_like_them_and_a_name_passes(text: str, who: str) -> None:
    assert _found(text) == [who]
