"""Words, pieces of hashtags and other people's names that ordinary posts hold: nobody is meant."""

from __future__ import annotations

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Certainty, Post, PostRef, Scope, TargetKind

_MATCHER = Matcher(
    Roster.from_table(
        {
            "schools": [
                {
                    "id": "ardnairn",
                    "name": "Ardnairn High School",
                    "staff": [
                        {"id": "saoir", "name": "Ruaridh Mac an t-Saoir", "title": "Mr"},
                        {"id": "amina", "name": "Amina Khan", "title": "Miss"},
                        {"id": "tom", "name": "Tom Frost", "title": "Mr"},
                        {"id": "ada", "name": "Adaeze Okwuosa", "title": "Mrs"},
                        {"id": "phil", "name": "Philip Church", "title": "Mr"},
                        {"id": "will", "name": "William Reid", "title": "Mr"},
                        {"id": "tran", "name": "Chloe Tran", "title": "Miss", "roles": ["cook"]},
                        {
                            "id": "bell",
                            "name": "Stephen Bell",
                            "title": "Mr",
                            "aliases": ["Belly", "Feathers"],
                            "roles": ["principal", "jannie"],
                        },
                        {"id": "ap", "name": "Cordelia Ashworth-Pryce", "title": "Miss"},
                    ],
                }
            ]
        }
    )
)


def _people(text: str) -> set[str]:
    return {
        mention.target.id
        for mention in _MATCHER.match(Post(PostRef("line", "1"), text), scope=Scope.SCHOOL)
        if mention.target.kind is TargetKind.PERSON and mention.certainty is not Certainty.POSSIBLE
    }


@pytest.mark.parametrize(
    "text",
    [
        "I'm an early bird and proud of it",
        "I am in a queue that has not moved",
        "death to m u l t i choice tests",
        "greetings from #Canada",
        "the #Pedophilia trial is on tonight",
        "we go to church on Sundays, and church is a bit of a walk",
        "Joy Reid said nothing wrong",
        "the club is open to gay and trans pupils",
        "leave them to cook down for an hour",
        "not going to miss a gym lesson for that",
        "a pound of feathers weighs a pound",
        "a very large belly",
        "Principal Skinner is the best of the Simpsons",
        "he is the power-jannie of that forum",
        "Bryce Williams was on at the festival",
    ],
)
def test_words_and_names_of_others_in_a_schools_own_source_are_nobody(text: str) -> None:
    assert _people(text) == set()


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Mr Saoir sang at the Mod", "saoir"),
        ("Will Reid be in tomorrow?", "will"),
        ("the cook gave us seconds", "tran"),
        ("Miss A shouted at us", "ap"),
        ("Belly never marks anything", "bell"),
        ("our principal is leaving", "bell"),
        ("#ThankYouTom", "tom"),
        ("Amina is lovely", "amina"),
    ],
)
def test_the_people_who_are_called_so_are_still_found(text: str, person: str) -> None:
    assert person in _people(text)
