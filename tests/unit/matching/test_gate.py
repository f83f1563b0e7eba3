"""The gate lets through what the rules find: names masked inside, and places written with "'s"."""

from __future__ import annotations

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Post, PostRef

_ROSTER = Roster.from_table(
    {
        "schools": [
            {
                "id": "trinity",
                "name": "Holy Trinity CE Primary School",
                "aliases": ["Holy Trinity"],
                "hashtags": ["#HolyTrinityThistledon"],
                "places": ["Cooper's Row"],
                "staff": [
                    {"id": "dangelo", "name": "Francesca D'Angelo", "title": "Ms"},
                    {"id": "velde", "name": "Pieter van der Velde", "title": "Mr"},
                    {"id": "boateng", "name": "Adwoa Boateng", "title": "Mrs"},
                    {"id": "pryce", "name": "Cordelia Ashworth-Pryce", "title": "Dr"},
                    {"id": "winter", "name": "Joy Winter", "title": "Mrs", "aliases": ["Frosty"]},
                    {"id": "ali", "name": "Amina Ali", "title": "Mrs"},
                ],
            }
        ]
    }
)
_MATCHER = Matcher(_ROSTER)


@pytest.mark.parametrize(
    "text",
    [
        "Francesca D'Ang*lo will hear from my solicitor",
        "Pi*ter van der Velde",
        "Pieter van der V*lde",
        "Boateng, Adw*a",
        "Boateng Adw*a is late",
        "Adwoa Asantewaa Boat*ng",
        "Adw*a Asantewaa Boateng",
        "C*rdelia Ashworth-Pryce",
        "Mrs Winter parked across my drive on Cooper's Row, again",
        "Mrs Winter parked across my drive on Cooper\u2019s Row, again",
        "Mrs Winter parked across my drive on Cooper`s Row, again",
        "Holy Trinity on COOPER'S ROW is closed",
    ],
)
def test_masked_names_and_owned_places_pass_the_gate_by_themselves_and_in_a_batch(
    text: str,
) -> None:
    post = Post(PostRef("line", "1"), text)
    found = _MATCHER.explain(post).mentions
    assert found
    assert _MATCHER.match(post) == found
    assert _MATCHER.match_all([post]) == [found]


def _written(name: str, title: str, aliases: list[str]) -> list[str]:
    """Every way in which a post may call somebody, disguised too."""
    words = name.split()
    first, last = words[0], words[-1]
    leet = last.translate(str.maketrans("oea", "034"))
    return [
        name, f"{last}, {first}", f"{first[0]}. {last}", f"{first[0]} {last}",
        f"{last}, {first[0]}",
        f"{title} {last}", f"{title} {last[0]}", f"{title} {first}", last, first, f"{last}'s car",
        f"#{first}{last}", f"#sack{title}{last}", f"#{title}{last}", leet, f"{title} {leet}",
        f"{title} {last}{last[-1] * 3}", f"{title} {last[:2]}*{last[3:]}", " ".join(last),
        f"{title} {' '.join(last)}", f"{title} {last[:-2]}{last[-1]}{last[-2]}", f"{last} sir",
        f"{first}{last}".lower(), f"{title}{last}".lower(), f"{title} {last}a",
        *aliases, *(f"#{alias.replace(' ', '')}" for alias in aliases),
    ]  # fmt: skip


def test_whoever_the_rules_find_beside_a_school_or_its_place_passes_the_gate() -> None:
    (school,) = _ROSTER.schools
    tried = 0
    for person in school.staff:
        aliases = [alias.text for alias in person.aliases]
        for called in _written(person.name, person.title, aliases):
            for tie in (school.name, *school.aliases, *school.hashtags, *school.places):
                for text in (f"{called} in {tie}", f"{tie}: {called} is a liar"):
                    if _MATCHER.explain(Post(PostRef("line", "1"), text)).mentions:
                        tried += 1
                        assert _MATCHER.wanted(text), text
    assert tried > 500


@pytest.mark.parametrize("text", ["Adwoa Boateng'R. Khan",
                                  "A. Boateng'J. is a liar"])  # fmt: skip
def test_a_letter_behind_an_apostrophe_that_is_no_contraction_parts_two_names(text: str) -> None:
    assert _MATCHER.explain(Post(PostRef("line", "1"), text)).mentions
    assert _MATCHER.wanted(text)


def test_a_masked_oath_beside_ordinary_words_and_no_forename_is_stopped() -> None:
    assert not _MATCHER.wanted("what the f**k was that lasagne, never again")
    assert not _MATCHER.wanted("sh*t weather on the row again")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ms D'Ang*lo double booked us", "dangelo"),
        ("Mr van der V*lde played the last post", "velde"),
        ("Dr Ashw*rth-Pryce has a new car", "pryce"),
        ("Dr 45hw0rth-Pryc3 has a new car", "pryce"),
        ("Mr v4n d3r V3lde played the last post", "velde"),
    ],
)
def test_disguised_pieces_of_a_surname_of_several_words_are_read_together(
    text: str, person: str
) -> None:
    tied = f"{text} #HolyTrinityThistledon"
    mentions = _MATCHER.match(Post(PostRef("line", "1"), tied))
    assert person in {mention.target.id for mention in mentions}
