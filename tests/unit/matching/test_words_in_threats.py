"""A word refused as a word is kept as possible where the post threatens whoever is called so."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from monitor.grading.grader import Grader
from monitor.judge import question_if_named
from monitor.matching.answer import RULE_IN_THREAT, Refused
from monitor.matching.lines import read_line
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster, load_roster
from monitor.model import Author, Certainty, Mention, Post, PostRef, Scope, Severity

_HERE = Path(__file__).parent
_SETS = sorted((_HERE.parents[1] / "fixtures/matching").rglob("posts.jsonl"))
_NAMES = {
    "winter": ("Joanna Winter", "Mrs"),
    "mills": ("Peter Mills", "Mr"),
    "storm": ("Dilys Storm", "Ms"),
    "gale": ("Hugh Gale", "Mr"),
    "rose": ("Rose Adeyinka", "Mrs"),
    "cannon": ("Wendy Cannon", "Miss"),
    "speed": ("Callum Speed", "Mr"),
    "noble": ("Farah Noble", "Ms"),
    "pike": ("Gwilym Pike", "Mr"),
    "temple": ("Sunita Temple", "Mrs"),
    "field": ("Bronwen Field", "Miss"),
}
_NINE = ("cannon", "gale", "mills", "noble", "pike", "rose", "speed", "storm", "temple")


@cache
def _matcher() -> Matcher:
    staff = [
        {"id": word, "name": name, "title": title} for word, (name, title) in _NAMES.items()
    ] + [{"id": "winter-2", "name": "Ewan Winter", "title": "Mr"}]
    school = {
        "id": "quarrydown", "name": "Quarrydown High School", "aliases": ["Quarrydown"],
        "staff": staff,
    }  # fmt: skip
    return Matcher(Roster.from_table({"schools": [school]}))


class Reader:
    """Says of every post the same, and remembers which words it was asked about."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, _post: Post, words: tuple[Refused, ...]) -> bool:
        self.asked.append(tuple(word.text for word in words))
        return self.answer


def _post(text: str, author: str = "") -> Post:
    return Post(PostRef("line", "1"), text, author=Author(name=author))


def _found(post: Post, reader: Reader, scope: Scope = Scope.SCHOOL) -> tuple[Mention, ...]:
    return _matcher().match(post, scope=scope, threatens=reader)


def _rules(found: tuple[Mention, ...]) -> list[str]:
    return [match.rule for mention in found for match in mention.matches]


@pytest.mark.parametrize("text", ["tick tock mills", "TICK TOCK MILLS"])
def test_whom_a_threat_calls_by_a_mere_word_is_possible_and_says_where_and_why(text: str) -> None:
    (mention,) = _found(_post(text), Reader())
    (match,) = mention.matches
    assert (mention.target.id, mention.certainty) == ("mills", Certainty.POSSIBLE)
    assert (match.rule, text[match.start : match.end]) == (RULE_IN_THREAT, match.text)
    assert match.text.casefold() == "mills"
    assert match.context == ("scope:school",)


def test_without_anybody_to_tell_a_threat_nothing_is_kept_that_was_not_before() -> None:
    assert _matcher().match(_post("tick tock mills"), scope=Scope.SCHOOL) == ()
    assert _found(_post("tick tock mills"), Reader(answer=False)) == ()


def test_what_was_refused_says_that_a_threat_would_overrule_it() -> None:
    (refused,) = _matcher().explain(_post("tick tock mills"), scope=Scope.SCHOOL).refused
    assert refused.unless_threat
    kept = _matcher().explain(_post("tick tock mills"), scope=Scope.SCHOOL, threatens=Reader())
    assert kept.refused == ()
    assert [mention.target.id for mention in kept.mentions] == ["mills"]


@pytest.mark.parametrize(
    "text",
    [
        "the storm is over",
        "a noble cause",
        "no speed bumps",
        "temple bells",
        "hard winter",
        "noble prize",
        "cannon balls",
        "they rose early",
        "my rose died",
        "#storm",
        "Mr Storm from Ashdown Primary",
        "my mum rose",
    ],
)
def test_a_word_that_is_plainly_the_thing_or_somebody_else_is_never_asked_about(text: str) -> None:
    reader = Reader()
    assert RULE_IN_THREAT not in _rules(_found(_post(text), reader))
    assert reader.asked == []


def test_a_word_in_an_open_source_counts_only_beside_the_school() -> None:
    assert _found(_post("tick tock mills"), Reader(), Scope.OPEN) == ()
    found = _found(_post("quarrydown pupils: tick tock mills"), Reader(), Scope.OPEN)
    assert "mills" in {mention.target.id for mention in found}
    posts = [_post("nothing"), _post("quarrydown pupils: tick tock mills")]
    several = _matcher().match_all(posts, threatens=Reader())
    assert several == [(), found]


def test_whoever_is_meant_elsewhere_in_the_post_is_not_asked_about_and_stays_certain() -> None:
    reader = Reader()
    found = _found(_post("mr mills is back. tick tock mills"), reader)
    assert [(each.target.id, each.certainty) for each in found] == [("mills", Certainty.CERTAIN)]
    assert reader.asked == []


def test_two_of_one_name_are_both_possible_and_the_reader_is_asked_once() -> None:
    reader = Reader()
    found = _found(_post("tick tock winter, tick tock"), reader)
    assert {each.target.id for each in found} == {"winter", "winter-2"}
    assert reader.asked == [("winter",)]


def test_all_places_of_a_word_are_one_question() -> None:
    reader = Reader()
    (mention,) = _found(_post("tick tock mills. mills tick tock"), reader)
    assert reader.asked == [("mills", "mills")]
    assert [match.start for match in mention.matches] == [10, 17]


def test_of_a_heap_of_words_only_the_first_eight_are_asked_about() -> None:
    reader = Reader()
    words = ("field", "gale", "rose", "speed", "noble", "pike", "temple", "mills", "winter")
    text = ". ".join(f"tick tock {word}" for word in words)
    assert _rules(_found(_post(text), reader)) == [RULE_IN_THREAT] * 8
    assert reader.asked == [(word,) for word in words[:8]]
    assert _rules(_found(_post("tick tock winter"), Reader())) == [RULE_IN_THREAT] * 2


def test_whoever_wrote_the_post_is_not_its_subject() -> None:
    assert _found(_post("tick tock mills", author="Peter Mills"), Reader()) == ()


# --- with the shipped model ---------------------------------------------------------------------


@cache
def _grader() -> Grader:
    return Grader.load()


def _threatens(post: Post, words: tuple[Refused, ...]) -> bool:
    grade = _grader().grade(question_if_named(post, words, Scope.SCHOOL), reasons=False)
    return grade.severity is Severity.THREATENING


def test_most_threats_in_words_that_no_pattern_knows_are_kept() -> None:
    rows = (_HERE / "grids/new_words.txt").read_text(encoding="utf-8").splitlines()
    tried = kept = missed = 0
    for row in rows:
        for word in _NINE if not row.startswith("#") else ():
            post = _post(row.replace("X", word))
            if word in {each.target.id for each in _matcher().match(post, scope=Scope.SCHOOL)}:
                continue
            missed += 1
            found = _matcher().match(post, scope=Scope.SCHOOL, threatens=_threatens)
            kept += word in {each.target.id for each in found}
        tried += not row.startswith("#")
    assert tried == 36
    assert missed > 100
    assert kept / missed >= 0.68


def test_of_the_labelled_posts_of_own_sources_hardly_one_gains_somebody() -> None:
    own = gained = 0
    for path in _SETS:
        matcher = Matcher(load_roster(path.with_name("roster.toml")))
        for row in path.read_text(encoding="utf-8").splitlines():
            _, post, scope, school, place = read_line(json.loads(row))
            if scope is Scope.SCHOOL:
                own += 1
                found = matcher.match(
                    post, scope=scope, source_school=school, place=place, threatens=_threatens
                )
                gained += RULE_IN_THREAT in _rules(found)
    assert own > 900
    assert gained / own < 0.005
