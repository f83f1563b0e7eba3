"""Case, diacritics and invisible characters never change a decision: who is meant, and how sure."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.matching.lines import read_line
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster, load_roster
from monitor.matching.text import Token
from monitor.matching.words import celebrities, common_surnames, english, known_forenames
from monitor.model import Post, PostRef, Scope

_SETS = sorted(
    file.parent
    for file in (Path(__file__).resolve().parents[2] / "fixtures/matching").rglob("posts.jsonl")
)
_INVISIBLE = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202e\u202c\u2066\u2069\ufe0f\u034f\u061c\u200e"
)
_MARKS = "\u0300\u0301\u0302\u0303\u0308\u0327\u0323"
_REF = PostRef("test", "1")
_SLOWLY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Decision = set[tuple[str, str, str]]


class Labelled(NamedTuple):
    """A labelled post, where it stood, and the matcher of its roster."""

    matcher: Matcher
    post: Post
    scope: Scope
    school: str | None
    place: str | None

    def decided(self, how: Callable[[str], str] = str) -> Decision:
        return decision(
            self.matcher, _rewritten(self.post, how), self.scope, self.school, self.place
        )


def decision(
    matcher: Matcher, post: Post, scope: Scope, school: str | None = None, place: str | None = None
) -> Decision:
    """Return (kind, id, certainty) of everybody and every school that a post is about."""
    return {
        (mention.target.kind.value, mention.target.id, mention.certainty.value)
        for mention in matcher.match(post, scope=scope, source_school=school, place=place)
    }


@cache
def labelled() -> tuple[Labelled, ...]:
    """Every labelled post of every set, with the matcher of its roster."""
    found: list[Labelled] = []
    for folder in _SETS:
        matcher = Matcher(load_roster(folder / "roster.toml"))
        for row in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
            _, post, scope, school, place = read_line(json.loads(row))
            found.append(Labelled(matcher, post, scope, school, place))
    return tuple(found)


def _rewritten(post: Post, how: Callable[[str], str]) -> Post:
    return replace(post, text=how(post.text), title=how(post.title), thread=how(post.thread))


def _bare(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not _is_mark(sign))


def _is_mark(sign: str) -> bool:
    return bool(unicodedata.combining(sign))


_ALWAYS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "swapped": str.swapcase,
    "capitalised": str.capitalize,
    "case folded": str.casefold,
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "without marks": _bare,
}


def _in_random_case(text: str, chance: Random) -> str:
    return "".join(chance.choice((sign.upper(), sign.lower(), sign.title(), sign)) for sign in text)


def _with_marks(text: str, chance: Random) -> str:
    return "".join(
        sign + (chance.choice(_MARKS) if sign.isalpha() and chance.random() < 0.3 else "")
        for sign in _bare(text)
    )


def _composed_with_marks(text: str, chance: Random) -> str:
    return unicodedata.normalize("NFC", _with_marks(text, chance))


def _with_invisible(text: str, chance: Random) -> str:
    return "".join(
        sign + (chance.choice(_INVISIBLE) if chance.random() < 0.3 else "") for sign in text
    )


def _with_all_of_it(text: str, chance: Random) -> str:
    return _with_invisible(_in_random_case(_with_marks(text, chance), chance), chance)


_BY_CHANCE: dict[str, Callable[[str, Random], str]] = {
    "random case": _in_random_case,
    "marks": _with_marks,
    "composed marks": _composed_with_marks,
    "invisible": _with_invisible,
    "all of it": _with_all_of_it,
}


def test_no_token_knows_how_it_was_written() -> None:
    """Case ends at the fold: no rule can ask for a capital."""
    assert "capital" not in Token._fields


@pytest.mark.parametrize("how", _ALWAYS.values(), ids=_ALWAYS)
def test_no_labelled_post_is_decided_otherwise_when_it_is_written_so(
    how: Callable[[str], str],
) -> None:
    assert len(labelled()) > 1300
    changed = [one.post.text for one in labelled() if one.decided(how) != one.decided()]
    assert changed == []


@pytest.mark.parametrize("how", _BY_CHANCE.values(), ids=_BY_CHANCE)
@_SLOWLY
@given(st.data(), st.randoms(use_true_random=False))
def test_no_labelled_post_is_decided_otherwise_when_it_is_altered_by_chance(
    how: Callable[[str, Random], str], data: st.DataObject, chance: Random
) -> None:
    one = data.draw(st.sampled_from(labelled()))
    assert one.decided(lambda text: how(text, chance)) == one.decided()


@cache
def _said() -> tuple[str, ...]:
    """Words that may stand beside a name: of the labelled posts, rare ones, names, signs."""
    words = {word for one in labelled() for word in one.post.text.split()}
    rare = sorted(english().words)[::400] + sorted(english().names)[::200]
    known = sorted(celebrities())[::10] + sorted(common_surnames())[::10]
    return (
        *sorted(words),
        *rare,
        *known,
        "for the Herons",
        "that",
        "Park",
        "Principal",
        "US",
        "us",
    )


_FORENAMES = [
    "Joy", "Will", "May", "Mark", "Hope", "Grace", "Rose", "Becky", "Zoë", "Seán", "Łukasz",
    "Élodie", "Ian", "Tom", "J.", "DEAN", "mary-kate", "İpek",
]  # fmt: skip
_SURNAMES = [
    "May", "Hill", "Cook", "Bishop", "Reid", "Okafor", "O'Meara", "van der Velde", "Ó Súilleabháin",
    "Straße", "Wiśniewska", "McAllister", "Al-Rashid", "Marsh", "PRICE", "Ng", "Iqbal",
    "I\u015f\u0131k",
]  # fmt: skip


@st.composite
def _schools(draw: st.DrawFn) -> tuple[Matcher, list[str]]:
    """A school of generated people, and the names that a post may call them by."""
    forenames = st.sampled_from([*_FORENAMES, *sorted(known_forenames())[::40]])
    surnames = st.sampled_from([*_SURNAMES, *sorted(english().names)[::300]])
    names = draw(st.lists(st.tuples(forenames, surnames), min_size=1, max_size=5, unique=True))
    titles = st.sampled_from(["Mr", "Mrs", "Dr", ""])
    staff = [
        {
            "id": f"p{at}",
            "name": f"{first} {last}",
            "title": draw(titles),
            "roles": draw(st.sampled_from([[], ["principal"], ["head of PE"], ["librarian"]])),
        }
        for at, (first, last) in enumerate(names)
    ]
    school = {"id": "s", "name": "Wrenfield High School", "places": ["Ostwick"], "staff": staff}
    called = [
        form
        for first, last in names
        for form in (f"{first} {last}", first, last, f"Miss {last}", f"{first[0]}. {last}",
                     f"#{first}{last}".replace(" ", ""), f"{last}, {first}", f"{last}'s")
    ]  # fmt: skip
    return Matcher(Roster.from_table({"schools": [school]})), [*called, "Wrenfield High School"]


@pytest.mark.parametrize("how", _BY_CHANCE.values(), ids=_BY_CHANCE)
@_SLOWLY
@given(st.data(), st.sampled_from(Scope), st.randoms(use_true_random=False))
def test_no_generated_post_about_generated_people_is_decided_otherwise(
    how: Callable[[str, Random], str], data: st.DataObject, scope: Scope, chance: Random
) -> None:
    matcher, called = data.draw(_schools())
    pieces = st.one_of(st.sampled_from(called), st.sampled_from(_said()))
    words = data.draw(st.lists(pieces, min_size=1, max_size=8))
    post = Post(_REF, " ".join(words))
    altered = _rewritten(post, lambda text: how(text, chance))
    assert decision(matcher, altered, scope) == decision(matcher, post, scope)
    for known in ("upper", "lower", "title", "swapped"):
        assert decision(matcher, _rewritten(post, _ALWAYS[known]), scope) == decision(
            matcher, post, scope
        )
