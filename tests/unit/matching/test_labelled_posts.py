"""The labelled posts: people and schools that the rules must find, and strangers they must not."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from monitor.matching.lines import read_line, write_line
from monitor.matching.matcher import Matcher
from monitor.matching.roster import load_roster

_REPOSITORY = Path(__file__).resolve().parents[3]
_OURS = _REPOSITORY / "tests/fixtures/matching"
_SHARED = Path(os.environ.get("STAFF_MENTIONS_SHARED", str(_REPOSITORY / "../shared"))) / "matching"
_SETS = sorted(
    posts.parent
    for folder in (_OURS, _SHARED)
    if folder.is_dir()
    for posts in folder.rglob("posts.jsonl")
)
_POOLED_UNDER = 8


class Score(NamedTuple):
    staff: tuple[int, int, int]
    schools: tuple[int, int, int]
    categories: dict[str, list[bool]]
    wrong: list[str]


def _counts(pairs: list[tuple[set[str], set[str]]]) -> tuple[int, int, int]:
    """Return (right, too many, missed) over (expected, found) pairs."""
    return (
        sum(len(expected & found) for expected, found in pairs),
        sum(len(found - expected) for expected, found in pairs),
        sum(len(expected - found) for expected, found in pairs),
    )


def _expected_schools(row: dict[str, Any], found: list[str]) -> tuple[set[str], set[str]]:
    """Return the schools as (expected, found); a bare true or false speaks of any school."""
    expect = row["expect"]
    names = expect.get("schools", expect["school"])
    if isinstance(names, list):
        return set(names), set(found)
    return ({"some"} if names else set()), ({"some"} if found else set())


@cache
def score(folder: Path) -> Score:
    matcher = Matcher(load_roster(folder / "roster.toml"))
    staff: list[tuple[set[str], set[str]]] = []
    schools: list[tuple[set[str], set[str]]] = []
    categories: dict[str, list[bool]] = defaultdict(list)
    wrong = []
    for line in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        identity, post, scope, source_school, place = read_line(row)
        mentions = matcher.match(post, scope=scope, source_school=source_school, place=place)
        answer = write_line(identity, mentions)
        expected, found = set(row["expect"]["staff"]), set(answer["staff"])
        staff.append((expected, found))
        categories[row["category"]].append(expected == found)
        if "school" not in row.get("unsure", []):
            schools.append(_expected_schools(row, answer["schools"]))
        if expected != found:
            wrong.append(f"{identity}: {row['text'][:80]!r}: {expected} but {found}")
    return Score(_counts(staff), _counts(schools), dict(categories), wrong)


def _share(right: int, others: int) -> float:
    return right / (right + others) if right + others else 1.0


@pytest.mark.parametrize("folder", _SETS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_nearly_everybody_is_found_and_nearly_no_stranger(folder: Path) -> None:
    result = score(folder)
    for right, too_many, missed in (result.staff, result.schools):
        assert _share(right, too_many) >= 0.97, result.wrong
        assert _share(right, missed) >= 0.97, result.wrong


@pytest.mark.parametrize("folder", _SETS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_in_each_category_most_posts_have_exactly_the_right_people(folder: Path) -> None:
    result = score(folder)
    pooled: list[bool] = []
    for category, right in result.categories.items():
        if len(right) < _POOLED_UNDER:
            pooled += right
        else:
            assert sum(right) / len(right) >= 0.85, (category, result.wrong)
    assert not pooled or sum(pooled) / len(pooled) >= 0.85, result.wrong


def test_the_set_of_our_own_is_large_enough_to_mean_something() -> None:
    posts = list(_OURS.rglob("posts.jsonl"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in posts) >= 300


@pytest.mark.parametrize("folder", _SETS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_the_gate_lets_through_every_post_in_which_the_rules_find_something(folder: Path) -> None:
    matcher = Matcher(load_roster(folder / "roster.toml"))
    for line in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        alone = {"id": row["id"], "text": row["text"]}
        _, post, _, _, _ = read_line(alone)
        if matcher.explain(post).mentions:
            assert matcher.wanted(post.text), row["text"]


@pytest.mark.parametrize("folder", _SETS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_every_match_says_the_characters_that_stand_at_its_offsets(folder: Path) -> None:
    matcher = Matcher(load_roster(folder / "roster.toml"))
    for line in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        _, post, scope, source_school, place = read_line(json.loads(line))
        for mention in matcher.match(post, scope=scope, source_school=source_school, place=place):
            for match in mention.matches:
                words = post.title if match.field == "title" else post.text
                assert words[match.start : match.end] == match.text
                assert match.text.strip()
