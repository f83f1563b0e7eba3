"""Staff whose names are words: found where people are meant, and nobody where the words are.

The grids beside this file hold one sentence a line, each of which says when it was written.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Certainty, Post, PostRef, Scope, TargetKind

_GRIDS = Path(__file__).parent / "grids"
_FIRST = {
    "hope": ("Marcus Hope", "Mr"),
    "savage": ("Caroline Savage", "Ms"),
    "wood": ("William Wood", "Mr"),
    "swift": ("Jack Swift", "Mr"),
    "bishop": ("Oliver Bishop", "Mr"),
    "church": ("Leroy Church", "Mr"),
    "moody": ("Farida Moody", "Ms"),
    "grant": ("Olivia Grant", "Miss"),
    "young": ("Mark Young", "Mr"),
    "blunt": ("Thomas Blunt", "Mr"),
    "bell": ("Sandra Bell", "Mrs"),
    "lamb": ("Denise Lamb", "Miss"),
    "marsh": ("Peter Marsh", "Mr"),
    "frost": ("Rhodri Frost", "Mr"),
    "long": ("Gareth Long", "Mr"),
    "sharp": ("Annette Sharp", "Mrs"),
    "joy": ("Joy Amoah", "Mrs"),
    "heather": ("Heather Okafor", "Mrs"),
    "patience": ("Patience Mensah", "Mrs"),
}
_SECOND = {
    "cook": ("Simon Cook", "Mr"),
    "pope": ("Helen Pope", "Mrs"),
    "banks": ("Amy Banks", "Miss"),
    "stone": ("Dan Stone", "Mr"),
    "fox": ("Lucy Fox", "Miss"),
    "price": ("Ravi Price", "Mr"),
    "cross": ("Ines Cross", "Ms"),
    "rich": ("Paul Rich", "Mr"),
    "bird": ("Zara Bird", "Ms"),
    "page": ("Kemi Page", "Mrs"),
    "small": ("Lena Small", "Miss"),
    "short": ("Owen Short", "Mr"),
    "best": ("Tara Best", "Mrs"),
    "faith": ("Faith Okoro", "Miss"),
    "grace": ("Grace Adeyemi", "Mrs"),
    "amber": ("Amber Nowak", "Miss"),
    "fields": ("Rob Fields", "Mr"),
    "steel": ("Mark Steel", "Mr"),
    "king": ("Tom King", "Mr"),
    "rivers": ("Nadia Rivers", "Ms"),
    "love": ("Sana Love", "Miss"),
    "hunter": ("Colin Hunter", "Mr"),
    "lake": ("Faye Lake", "Miss"),
    "green": ("Gwen Green", "Mrs"),
    "power": ("Bill Power", "Mr"),
    "castle": ("Ruby Castle", "Miss"),
    "summer": ("Summer Walsh", "Miss"),
    "ivy": ("Ivy Patel", "Mrs"),
}
_WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "CHURCH")
_STAFF = {False: _FIRST, True: _SECOND}


@cache
def _matcher(afresh: bool) -> Matcher:
    staff = [
        {"id": word, "name": name, "title": title} for word, (name, title) in _STAFF[afresh].items()
    ]
    school = {
        "id": "withy", "name": "Withybrae High School", "places": ["Sallowford"], "staff": staff,
    }  # fmt: skip
    return Matcher(Roster.from_table({"schools": [school]}))


def _people(text: str, *, afresh: bool = False, place: str | None = None) -> set[str]:
    scope = Scope.OPEN if place else Scope.SCHOOL
    return {
        mention.target.id
        for mention in _matcher(afresh).match(
            Post(PostRef("line", "1"), text), scope=scope, place=place
        )
        if mention.target.kind is TargetKind.PERSON and mention.certainty is not Certainty.POSSIBLE
    }


def _lines(name: str) -> list[str]:
    rows = (_GRIDS / name).read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("#")]


def _cases(sentence: str) -> tuple[str, str]:
    """Return a sentence as it is written, nearly always in small letters, and in capitals."""
    return sentence, sentence.upper()


def _wrong_in(grid: str, *, afresh: bool) -> tuple[int, list[str]]:
    """Return how many sentences a grid of names makes, and those that find not just that one."""
    tried, wrong = 0, []
    for line in _lines(grid):
        pattern, _, left_out = line.partition(" - ")
        for name in _STAFF[afresh]:
            if name not in left_out.split():
                tried += 1
                text = pattern.replace("X", name)
                wrong += [each for each in _cases(text) if _people(each, afresh=afresh) != {name}]
    return tried, wrong


@pytest.mark.parametrize(
    ("grid", "afresh"),
    [("threats.txt", False), ("insults.txt", False), ("deeds.txt", False), ("afresh.txt", True)],
)
def test_a_word_is_a_name_where_only_a_person_can_be_meant(grid: str, afresh: bool) -> None:
    tried, wrong = _wrong_in(grid, afresh=afresh)
    assert tried > 1500
    assert wrong == []


@pytest.mark.parametrize(
    ("sentence", "afresh"),
    [
        *((sentence, False) for sentence in _lines("harmless.txt")),
        *((sentence, True) for sentence in _lines("harmless_afresh.txt")),
    ],
)
def test_a_word_is_a_word_in_ordinary_talk(sentence: str, afresh: bool) -> None:
    assert [_people(each, afresh=afresh) for each in _cases(sentence)] == [set()] * 2


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("ranking: swift > moody > a bag of sand > young", {"swift", "moody", "young"}),
        ("wood > hope > joy", {"wood", "hope", "joy"}),
        ("bishop and wood are the only decent ones left", {"bishop", "wood"}),
        ("moody/blunt/sharp all off today", {"moody", "blunt", "sharp"}),
        ("worst teachers are bishop, bell and marsh", {"bishop", "bell", "marsh"}),
        ("top 3: wood, hope, long", {"wood", "hope", "long"}),
        ("1. swift 2. moody 3. wood", {"swift", "moody", "wood"}),
        ("1) hope\n2) joy\n3) wood", {"hope", "joy", "wood"}),
        ("sack hope and joy", {"hope", "joy"}),
        ("wood and frost are shagging", {"wood", "frost"}),
        ("frost and bell on playground duty together", {"frost", "bell"}),
        ("hope, joy and peace", set()),
        ("hope + joy = love", set()),
        ("a swift, savage and blunt reply", set()),
        ("that long and moody film", set()),
    ],
)
def test_lists_and_rankings_of_staff_are_read_as_names(text: str, people: set[str]) -> None:
    assert [_people(each) for each in _cases(text)] == [people] * 2


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("h0pe is a w4steman", {"hope"}),
        ("s4vage", {"savage"}),
        ("hate b1shop", {"bishop"}),
        ("y*ung is the op", {"young"}),
        ("m1ss y0ung stinks of polos", {"young"}),
        ("j0y is getting a brick thru her windscreen", {"joy"}),
        (f"{_WIDE} reversed the minibus", {"church"}),
        ("slash swifts tyres", {"swift"}),
        ("h0pe u all have a g00d half term", set()),
        ("l0ng day", set()),
        ("the w00d is dead", set()),
        ("b*llend", set()),
    ],
)
def test_a_disguised_word_is_a_name_where_it_does_or_suffers_something(
    text: str, people: set[str]
) -> None:
    assert _people(text) == people


@pytest.mark.parametrize(
    "text",
    [
        "Mr Hope the chimney sweep is brilliant, 40 quid and no mess",
        "Mr Marsh cut mine back lovely, tree surgeon from over the hill",
        "Mr Wood, window cleaner, does our road on fridays",
        "Mr Long did our gutters, £60 and no mess",
    ],
)
def test_a_tradesman_of_the_town_is_nobody_in_its_own_forum(text: str) -> None:
    assert _people(text, place="Sallowford") == set()
    assert _people("Mr Hope was in the paper shop", place="Sallowford") == {"hope"}


def test_a_trade_of_two_words_beside_a_name_is_somebody_else_even_in_a_school_s_source() -> None:
    assert _people("Mr Hope the chimney sweep is brilliant") == set()
    assert _people("Mr Hope reckons his chimney needs a sweep") == {"hope"}


def test_full_names_of_two_words_may_be_words() -> None:
    assert _people("Reminder to mark young trees") == set()
    assert _people("happy joy amoah day, mark young turned up") == {"joy", "young"}


@pytest.mark.parametrize(
    "text", ["joy from inside out", "Mr Church from fifa", "bishop from aliens"]
)
def test_somebody_in_a_story_is_nobody(text: str) -> None:
    assert _people(text) == set()


# --- where nobody can tell -----------------------------------------------------------------------


def _certainty(text: str, *, afresh: bool = False) -> dict[str, Certainty]:
    found = _matcher(afresh).match(Post(PostRef("line", "1"), text), scope=Scope.SCHOOL)
    return {mention.target.id: mention.certainty for mention in found}


@pytest.mark.parametrize(
    ("text", "person", "afresh"),
    [
        ("head resigns after hope row", "hope", False),
        ("bishop probe deepens as governors quit", "bishop", False),
        ("governors meet over church sacking", "church", False),
        ("fr0st on the cars", "frost", False),
        ("half of year 8 came dressed as gaz", "long", False),
        ("gaz came as a pirate", "long", False),
        ("fox got run over on the main road", "fox", True),
        ("power came back at ten", "power", True),
        ("banks got bailed out again", "banks", True),
    ],
)
def test_what_fits_a_person_and_a_thing_is_only_possible(
    text: str, person: str, afresh: bool
) -> None:
    for each in _cases(text):
        assert _certainty(each, afresh=afresh) == {person: Certainty.POSSIBLE}


@pytest.mark.parametrize(
    ("text", "person", "afresh"),
    [
        ("fr0st is a nonce", "frost", False),
        ("hate fr0st", "frost", False),
        ("gareth came as a pirate", "long", False),
        ("we all came dressed as mr wood", "wood", False),
        ("fox is getting run over", "fox", True),
        ("power came to my house", "power", True),
    ],
)
def test_what_only_a_person_does_stays_as_sure_as_it_was(
    text: str, person: str, afresh: bool
) -> None:
    for each in _cases(text):
        assert _certainty(each, afresh=afresh)[person] is not Certainty.POSSIBLE


@pytest.mark.parametrize(
    "text", ["front row", "the church row goes on", "a long row", "a bishop probe", "in the wood"]
)
def test_a_headline_s_words_behind_an_article_are_nobody(text: str) -> None:
    assert _certainty(text) == {}
