"""The JSON lines of `match`, what is explained, and the advice that `check` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.matching.advice import Advice, advise
from monitor.matching.lines import LineError, read_line, write_line
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster, load_roster
from monitor.model import Author, Certainty, Post, PostRef, Scope

_FOLDER = Path(__file__).resolve().parents[2] / "fixtures/matching/academy"
_REF = PostRef("test", "1")


@pytest.fixture(scope="module")
def roster() -> Roster:
    return load_roster(_FOLDER / "roster.toml")


@pytest.fixture(scope="module")
def matcher(roster: Roster) -> Matcher:
    return Matcher(roster)


def test_a_line_becomes_a_post_with_its_scope_school_and_place() -> None:
    identity, post, scope, school, place = read_line(
        {
            "id": 7, "text": "hello", "title": None, "author": "@somebody", "scope": "school",
            "source_school": "oak", "place": "Ottersby", "expect": {"staff": []},
        }
    )  # fmt: skip
    assert (identity, scope, school, place) == ("7", Scope.SCHOOL, "oak", "Ottersby")
    assert post.author == Author(handle="@somebody")
    assert post.title == ""


@pytest.mark.parametrize(
    "line",
    [
        7,
        [],
        {},
        {"text": None},
        {"text": 3},
        {"text": "a", "scope": "moon"},
        {"text": "a", "id": []},
    ],
)
def test_a_line_that_is_no_post_is_refused(line: Any) -> None:
    with pytest.raises(LineError):
        read_line(line)


def test_an_answer_has_the_form_of_the_design(matcher: Matcher) -> None:
    post = Post(_REF, "Rebecca Okafor at Brackenfold, and Rebecca Okafor again")
    answer = write_line("x", matcher.match(post))
    assert answer["id"] == "x"
    assert answer["staff"] == ["rebecca-okafor"]
    assert answer["schools"] == ["brackenfold"]
    assert answer["possible"] == []
    people = [match for match in answer["matches"] if match["target"] == "rebecca-okafor"]
    assert [(match["start"], match["end"]) for match in people] == [(0, 14), (35, 49)]
    assert set(people[0]) == {"target", "field", "rule", "start", "end", "text", "confidence"}


def test_a_famous_name_without_a_tie_is_only_possible(matcher: Matcher) -> None:
    (mention,) = matcher.match(Post(_REF, "Daniel Craig was the best Bond"))
    assert mention.certainty is Certainty.POSSIBLE
    assert write_line("x", [mention])["possible"] == ["daniel-craig"]


def test_a_refusal_says_why(matcher: Matcher) -> None:
    explained = matcher.explain(Post(_REF, "Rebecca Okafor-Lane has opened a bakery"))
    assert not explained.mentions
    assert {(refused.text, refused.why) for refused in explained.refused} == {
        ("Rebecca Okafor", "part of a longer name")
    }


def test_offsets_count_the_characters_of_the_post_and_not_of_its_folded_form(
    matcher: Matcher,
) -> None:
    text = "ﬁne 😂 Re\u200bbe\u0301cca Ok\u00e0for"
    (mention,) = matcher.match(Post(_REF, text))
    match = mention.matches[0]
    assert text[match.start : match.end] == "Re\u200bbe\u0301cca Ok\u00e0for"


def _about(found: tuple[Advice, ...], path: str) -> list[Advice]:
    return [advice for advice in found if advice.path == path]


def test_check_warns_about_names_that_will_be_trouble(roster: Roster) -> None:
    found = advise(roster)
    long = _about(found, "schools[0].staff[9].name")
    assert "also a word" in long[0].warning
    assert {(e.text, e.matches) for e in long[0].examples} >= {
        ("Mr Long was late", True),
        ("the long was late", False),
    }
    assert "famous" in " ".join(a.warning for a in _about(found, "schools[0].staff[23].name"))
    assert "single name" in _about(found, "schools[0].staff[7].name")[0].warning
    assert "fits everybody" in _about(found, "schools[0].staff[17].aliases[1]")[0].warning
    assert "ordinary word" in _about(found, "schools[0].aliases[3]")[0].warning


def test_two_people_who_cannot_be_told_apart_are_named_with_each_other() -> None:
    staff = [
        {"id": "a", "name": "Sarah Khan", "title": "Mrs"},
        {"id": "b", "name": "Amina Khan", "title": "Mrs"},
    ]
    roster = Roster.from_table({"schools": [{"id": "s", "name": "Oakfield", "staff": staff}]})
    warnings = [advice.warning for advice in advise(roster)]
    assert any(
        "share surname and title" in warning and "Amina Khan" in warning for warning in warnings
    )


def test_advice_calls_a_family_name_that_stands_first_by_its_name() -> None:
    staff = [{"id": "z", "name": "Wong Siu Ming", "title": "Mr"}]
    roster = Roster.from_table({"schools": [{"id": "s", "name": "Oakfield", "staff": staff}]})
    (advice,) = (one for one in advise(roster) if one.path == "schools[0].staff[0].name")
    assert "surname Wong is common" in advice.warning
    assert ("Mr Wong was late", True) in {(e.text, e.matches) for e in advice.examples}


@pytest.mark.parametrize(
    ("title", "name", "suggested"),
    [
        ("Mr", "Robert Webb", ["Webby", "Robert W"]),
        ("Ms", "Kirsty Jones", ["Jonesy", "Kirsty J"]),
        ("Miss", "Olivia Gray", ["Olivia G"]),
        ("Mr", "Wayne Carver", ["Wayne C"]),
        ("Mrs", "Sunita Patel", ["Sunita P"]),
        ("Mrs", "Niamh O'Hill", ["Niamh O", "Mrs OH"]),
    ],
)
def test_aliases_are_suggested_as_pupils_would_make_them(
    title: str, name: str, suggested: list[str]
) -> None:
    staff = [
        {"id": "a", "name": name, "title": title},
        {"id": "b", "name": f"Somebody {name.split(maxsplit=1)[1]}", "title": title},
    ]
    roster = Roster.from_table({"schools": [{"id": "s", "name": "Oakfield", "staff": staff}]})
    told = [advice.suggestions for advice in advise(roster) if advice.target.id == "a"]
    assert [alias for each in told for alias in each] == suggested, "and none of them twice"
    staff[0]["aliases"] = suggested  # type: ignore[assignment]
    roster = Roster.from_table({"schools": [{"id": "s", "name": "Oakfield", "staff": staff}]})
    assert not any(advice.suggestions for advice in advise(roster) if advice.target.id == "a")
