"""Staff whose names are words: found where people are meant, and nobody where the words are.

The grids beside this file hold one sentence a line. They were written before the rules.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Certainty, Post, PostRef, Scope, TargetKind

_GRIDS = Path(__file__).parent / "grids"
_STAFF = {
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
_MATCHER = Matcher(
    Roster.from_table(
        {
            "schools": [
                {
                    "id": "withy",
                    "name": "Withybrae High School",
                    "staff": [
                        {"id": word, "name": name, "title": title}
                        for word, (name, title) in _STAFF.items()
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


def _lines(name: str) -> list[str]:
    rows = (_GRIDS / name).read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row and not row.startswith("#")]


def _cases(sentence: str) -> tuple[str, str, str]:
    return sentence, sentence.upper(), sentence.lower()


def _wrong_in(grid: str) -> tuple[int, list[str]]:
    """Return how many sentences a grid of names makes, and those that find not just that one."""
    tried, wrong = 0, []
    for line in _lines(grid):
        pattern, _, left_out = line.partition(" - ")
        for name in _STAFF:
            if name not in left_out.split():
                tried += 1
                text = pattern.replace("X", name)
                wrong += [each for each in _cases(text) if _people(each) != {name}][:1]
    return tried, wrong


@pytest.mark.parametrize("grid", ["threats.txt", "insults.txt", "deeds.txt"])
def test_a_word_is_a_name_where_only_a_person_can_be_meant(grid: str) -> None:
    tried, wrong = _wrong_in(grid)
    assert tried > 1500
    assert wrong == []


@pytest.mark.parametrize("sentence", _lines("harmless.txt"))
def test_a_word_is_a_word_in_ordinary_talk(sentence: str) -> None:
    assert [_people(each) for each in _cases(sentence)] == [set()] * 3
