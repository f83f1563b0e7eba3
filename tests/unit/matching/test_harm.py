"""Threats and insults that call somebody by a surname which is a word: found; the word: not."""

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
                    "id": "withy",
                    "name": "Withybrae High School",
                    "staff": [
                        {"id": "bishop", "name": "Rupert Bishop", "title": "Mr"},
                        {"id": "winter", "name": "Joy Winter", "title": "Mrs"},
                        {"id": "gray", "name": "Olivia Gray", "title": "Miss"},
                        {"id": "marsh", "name": "Robert Marsh", "title": "Mr"},
                        {"id": "baker", "name": "Gwen Baker", "title": "Mrs"},
                        {"id": "pugh", "name": "Gethin Pugh", "title": "Mr"},
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
    ("text", "person"),
    [
        ("someone should stab bishop", "bishop"),
        ("im gonna batter gray", "gray"),
        ("kill marsh", "marsh"),
        ("hope baker dies", "baker"),
        ("hope bishop gets hit by a bus", "bishop"),
        ("bishop you are dead", "bishop"),
        ("MARSH I WILL FIND YOU", "marsh"),
        ("i know where winter lives", "winter"),
        ("WINTER IS A LIAR", "winter"),
        ("stab that bitch gray", "gray"),
        ("that nonce bishop", "bishop"),
        ("M*rsh is a nonce", "marsh"),
        ("Who hired that Bishop bloke", "bishop"),
        ("Marsh. I will find you", "marsh"),
        ("bishop youll regret it", "bishop"),
        ("honestly winter was a thief", "winter"),
        ("you fat bitch winter", "winter"),
    ],
)
def test_what_is_only_done_or_said_to_people_makes_a_word_a_name(text: str, person: str) -> None:
    assert _people(text) == {person}


@pytest.mark.parametrize(
    "text",
    [
        "fuck winter",
        "kill frost with vinegar, winter is a nightmare",
        "this is where winter lives on",
        "hope winter ends soon",
        "hit the marsh path after school",
        "the best baker is a thief of my heart",
        "gray is the new black",
        "stab marsh reeds with a fork",
        "b****p bakery opens friday",
        "marsh you can walk over at low tide",
        "the bishop is a bully",
        "winter is a bully's dream",
    ],
)
def test_the_same_words_about_weather_places_and_colours_are_nobody(text: str) -> None:
    assert _people(text) == set()


def test_a_list_goes_on_over_trades_and_ends_in_a_plural_verb() -> None:
    assert _people("pugh, baker, bishop and gray all need to go") == {
        "pugh",
        "baker",
        "bishop",
        "gray",
    }
    assert _people("Mr Pugh, Winter and Marsh want stringing up") == {"pugh", "winter", "marsh"}
    assert _people("1 Pugh 2 Bishop 3 Marsh") == {"pugh", "bishop", "marsh"}
