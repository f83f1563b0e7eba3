"""Hostile text, the gate and reading in one go never change a decision."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitor.matching import normalise, scene
from monitor.matching.answer import Explanation
from monitor.matching.edges import Edge, plain_edges
from monitor.matching.gate import Gate
from monitor.matching.index import Index
from monitor.matching.kinds import BEGINS
from monitor.matching.lines import read_line
from monitor.matching.matcher import Matcher
from monitor.matching.normalise import Folded, fold
from monitor.matching.roster import load_roster
from monitor.matching.text import Token
from monitor.model import Post, PostRef, Scope

_FOLDER = Path(__file__).resolve().parents[2] / "fixtures/matching/academy"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202e\u202c\u2066\u2069\ufe0f\u034f"
_MARKS = "\u0300\u0301\u0302\u0303\u0308\u0327\u0323"
_REF = PostRef("test", "1")


@cache
def matcher() -> Matcher:
    return Matcher(load_roster(_FOLDER / "roster.toml"))


@cache
def gate() -> Gate:
    return Gate(Index(matcher().roster))


@cache
def posts() -> tuple[tuple[Post, Scope, str | None], ...]:
    rows = (_FOLDER / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for row in rows:
        _, post, scope, _, place = read_line(json.loads(row))
        found.append((post, scope, place))
    return tuple(found)


_POSTS = st.integers(0, 10_000).map(lambda number: posts()[number % len(posts())])
_CASES = ("upper", "lower", "title", "swapcase", "capitalize")
_NAMES = ["Rebecca Okafor", "R. Okafor", "'Pieter van der Merwe'", "#RebeccaOkafor", "the", "Will"]
_SLOWLY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SLOWLY
@given(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4), st.sampled_from(_CASES))
def test_case_never_changes_whether_a_name_is_seen_by_the_gate(names: list[str], how: str) -> None:
    text = " and ".join(names)
    assert matcher().wanted(getattr(text, how)()) == matcher().wanted(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=300), st.sampled_from(list(Scope)))
def test_no_text_of_any_plane_raises_and_offsets_stay_inside_it(text: str, scope: Scope) -> None:
    explained = matcher().explain(Post(_REF, f"{text} Miss Okafor {text}"), scope=scope)
    whole = f"{text} Miss Okafor {text}"
    for mention in explained.mentions:
        for match in mention.matches:
            assert 0 <= match.start < match.end <= len(whole)
            assert whole[match.start : match.end] == match.text
    for refused in explained.refused:
        assert 0 <= refused.start < refused.end <= len(whole)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.one_of(st.characters(), st.sampled_from("aZ \n\t`'\u2019\u00e9\U0001f602\u0130\u00df")),
        max_size=40,
    )
)
def test_the_quick_way_to_fold_a_text_folds_it_as_the_long_way_does(text: str) -> None:
    long_way = normalise._latinised(text.translate(normalise._TABLE))
    assert fold(text) == long_way


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=120))
def test_a_span_of_folded_text_leads_back_to_the_characters_it_came_from(text: str) -> None:
    folded = Folded(text)
    for at in range(len(folded.text)):
        start, end = folded.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert folded.text[at] in Folded(text[start:end]).text or not text.isascii()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_the_gate_never_refuses_what_the_rules_would_find(text: str) -> None:
    for sandwich in (f"{text} rebecca okafor {text}", f"{text}\n0kafor rebecca{text}", text):
        if matcher().explain(Post(_REF, sandwich)).mentions:
            assert matcher().wanted(sandwich)


def _pieces() -> list[str]:
    """Names, aliases, places and accounts of the roster, as they may stand in a text."""
    found = ["the", "will", "my", "Mr", "miss", "J.", "#", "@", "0kaf0r", "Ok*for", "\U0001f602"]
    for school in matcher().roster.schools:
        found += [school.name, *school.aliases, *school.places, *school.handles]
        for person in school.staff:
            first, last = person.name.split()[0], person.name.split()[-1]
            found += [person.name, first, last, f"{first}{last}", f"{last}'s", f"{last}, {first}"]
            found += [alias.text for alias in person.aliases]
            found += [f"{first} {last}{last[-1] * 3}", f"#{first}{last}", f"{first[0]}. {last}"]
    return found


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(_pieces()),
            st.sampled_from([" ", " ", " ", "'", " '", "\u2018", ". ", ", ", "-", "_", "\n", "*"]),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_the_gate_lets_through_what_the_rules_find_in_names_however_they_stand(
    pieces: list[tuple[str, str]],
) -> None:
    text = "".join(sign + piece for piece, sign in pieces)
    # "Begin'T. Khan", with either sign: too like "can't" to look into.
    assume(not re.search(r"n['\u2018]t\b", text, re.IGNORECASE))
    if matcher().explain(Post(_REF, text)).mentions:
        assert matcher().wanted(text)
        assert gate().passing(["so", text, "it"]) == [1]


@_SLOWLY
@given(st.lists(st.one_of(_POSTS.map(lambda row: row[0].text), st.text(max_size=80)), max_size=12))
def test_posts_read_in_one_go_are_decided_as_each_alone(texts: list[str]) -> None:
    together = [Post(_REF, text) for text in texts]
    assert matcher().match_all(together) == [matcher().match(post) for post in together]
    assert gate().passing(texts) == [at for at, text in enumerate(texts) if gate().passes(text)]


def test_posts_with_a_thread_or_an_author_may_be_read_in_one_go_too() -> None:
    together = [row[0] for row in posts()]
    assert matcher().match_all(together) == [matcher().match(post) for post in together]


def test_looking_only_where_a_name_can_begin_loses_no_name_in_several_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [
        f"Saw {name[:at]} {name[at:]} today"
        for person in matcher().roster.schools[0].staff
        for name in (person.name, f"{person.name}s")
        for at in range(1, len(name))
    ]

    def said() -> list[Explanation]:
        return [
            matcher().explain(Post(_REF, text), scope=scope) for text in texts for scope in Scope
        ]

    def everywhere(
        tokens: list[Token], kinds_of: Callable[[str], int], known: Callable[[str], bool], _: object
    ) -> Iterable[Edge]:
        return plain_edges(tokens, lambda word: kinds_of(word) | BEGINS, known, lambda _: True)

    quick = said()
    monkeypatch.setattr(scene, "plain_edges", everywhere)
    assert quick == said()
    assert any(one.mentions for one in quick)


_SIZE = 20_000
_HOSTILE = {
    "one token": "a" * _SIZE,
    "digits": "0" * _SIZE,
    "a name without end": "okafor" * (_SIZE // 6),
    "names": "rebecca okafor " * (_SIZE // 15),
    "forenames": "rebecca " * (_SIZE // 8),
    "titles": "miss " * (_SIZE // 5),
    "surnames": "okafor " * (_SIZE // 7),
    "combining marks": "o" + "\u0301" * _SIZE,
    "marks on a name": "Rebecca Okafor" + "\u0323" * _SIZE,
    "joiners": "\u200d" * _SIZE,
    "overrides": "\u202eokafor\u202c " * (_SIZE // 9),
    "lone surrogates": "\ud800" * _SIZE,
    "letters apart": "o " * (_SIZE // 2),
    "dotted letters": "o." * (_SIZE // 2),
    "stars": "o*" * (_SIZE // 2),
    "only stars": "*" * _SIZE,
    "hashtags": "#okafor" * (_SIZE // 7),
    "one hashtag": "#" + "okafor" * (_SIZE // 6),
    "accounts": "@okafor" * (_SIZE // 7),
    "addresses": "a@b." * (_SIZE // 4),
    "dots of an address": "a." * (_SIZE // 2) + "com/x",
    "web addresses": "https://x.com/okafor " * (_SIZE // 21),
    "lines": "okafor\n" * (_SIZE // 7),
    "quoted lines": "> -- \n" * (_SIZE // 6),
    "leet": "0k4f0r" * (_SIZE // 6),
    "leet words": "0k4f0r " * (_SIZE // 7),
    "masked words": "ok*for " * (_SIZE // 7),
    "emoji": "😂" * (_SIZE // 4),
    "apostrophes": "o'" * (_SIZE // 2),
    "hyphens": "okafor-" * (_SIZE // 7),
    "school": "brackenfold " * (_SIZE // 12),
    "roles": "head of year 9 " * (_SIZE // 15),
    "aliases": "the dragon " * (_SIZE // 11),
    "cyrillic": "окафор " * (_SIZE // 7),
    "unknown words behind names": " ".join(
        f"daniel {number:08b}".translate({48: "x", 49: "q"}) for number in range(_SIZE // 15)
    ),
    "closings": "kind regards " * (_SIZE // 13),
    "signs that close": "f*cking " + "!," * (5 * _SIZE),
    "signs that open": "f*cking " + "(" * (10 * _SIZE),
}


def _seconds(text: str) -> float:
    """Processor time, the least of three: what else the machine does must not count."""
    taken = []
    for _ in range(3):
        begin = time.thread_time()
        matcher().match(Post(_REF, text), scope=Scope.SCHOOL)
        matcher().wanted(text)
        taken.append(time.thread_time() - begin)
        if taken[-1] < 1:
            break
    return min(taken)


@pytest.mark.parametrize("text", _HOSTILE.values(), ids=_HOSTILE)
def test_time_grows_with_the_length_and_not_with_its_square(text: str) -> None:
    """Ten times the text may take some fifteen times as long, never a hundred times."""
    small = _seconds(text[: len(text) // 10])
    assert _seconds(text) < max(40 * small, 2.0)


@pytest.mark.parametrize(
    "sign", ["a", "0", "\u0301", "\u200d", "\u202e", "\ud800", "*", "!", "#", "@", "\n", " "]
)
def test_a_megabyte_of_one_character_needs_no_more_than_seconds(sign: str) -> None:
    assert _seconds(f"Miss Okafor {sign * 1_000_000} Miss Okafor") < 10
