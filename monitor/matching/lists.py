"""Lists and rankings of staff: "swift > okafor > moody", "day and wood are the decent ones"."""

from __future__ import annotations

from typing import Final, NamedTuple

from monitor.matching import sayings
from monitor.matching.scene import Scene
from monitor.matching.text import Token
from monitor.matching.words import is_ordinary

_SIGNS: Final = frozenset(",/>&+|<=")
_JOINS: Final = frozenset(["and", "n", "or", "then", "nd"])
_RANKS: Final = frozenset("><")
_MANY: Final = 3
_POINTS: Final = frozenset([". ", ") ", ".", ")", ": ", " - "])
_MOST: Final = 30


class _Member(NamedTuple):
    """One name in a list: its tokens [first, last) and whether it can be nothing else."""

    first: int
    last: int
    word: str
    sure: bool


def is_listed(scene: Scene, span: tuple[int, int], word: str, school: int) -> bool:
    """Whether a word stands among names of its own school where only people can be listed."""
    own = _Member(*span, word, sure=False)
    members = sorted({*_walk(scene, own, school, -1), own, *_walk(scene, own, school, 1)})
    if len(members) == 1:
        return False
    signs = {sign for each in members[1:] for sign in scene.tokens[each.first].gap.strip()}
    if not signs.isdisjoint(_RANKS):
        return True
    words = tuple(dict.fromkeys(each.word for each in members))
    first, last = members[0].first, members[-1].last
    if len(words) == 1:
        return False
    if sayings.are_people(scene.tokens, first, last, words):
        return True
    sure = any(each.sure for each in members)
    first_gap = scene.tokens[first].gap if first else ""
    counted = first_gap in _POINTS and scene.tokens[first - 1].word.isdigit()
    return (
        len(words) >= _MANY
        and (sure or counted or not sayings.are_alike(words))
        and _stands(scene, first, last)
    )


def _stands(scene: Scene, first: int, last: int) -> bool:
    """Whether a list has no article before it, and a clause ends behind it."""
    tokens = scene.tokens
    if first and tokens[first].gap == " " and sayings.leads_a_thing(tokens[first - 1].word):
        return False
    return (
        last >= len(tokens)
        or tokens[last].gap != " "
        or tokens[last].sentence != tokens[last - 1].sentence
    )


def _walk(scene: Scene, member: _Member, school: int, way: int) -> list[_Member]:
    """Return the names that follow each other in a list, before (-1) or behind (1) a name."""
    found: list[_Member] = []
    while len(found) < _MOST:
        beside = _beside(scene, member, school, way)
        if beside is None:
            return found
        found.append(beside)
        member = beside
    return found


def _beside(scene: Scene, member: _Member, school: int, way: int) -> _Member | None:
    """Return the next name of a list; in a ranking it may stand behind what is no name."""
    at = member.last if way > 0 else member.first
    if not 0 < at < len(scene.tokens):
        return None
    gap = scene.tokens[at].gap
    edge = _behind_joins(scene.tokens, at, way, parted=_parts(gap))
    if edge == at and not _parts(gap):
        return None
    ranks = _ranks(scene.tokens, edge, way) if not _RANKS.isdisjoint(gap) else []
    for end in (edge, *ranks):
        found = _member_from(scene, end, school) if way > 0 else _member_to(scene, end, school)
        if found is not None:
            return found
    return None


def _behind_joins(tokens: list[Token], at: int, way: int, *, parted: bool) -> int:
    """Return where the next name may begin (or end), behind "and" and the numbers of a list."""
    while 0 < at < len(tokens):
        number = at if way > 0 else at - 1
        word = tokens[number].word
        numbered = word.isdigit() and (parted or _counts(tokens, number))
        if not (word in _JOINS or numbered):
            break
        at, parted = at + way, True
    return at


def _counts(tokens: list[Token], number: int) -> bool:
    """Whether a number counts a list: "1. swift 2. moody"."""
    return number + 1 < len(tokens) and tokens[number + 1].gap in _POINTS


def _ranks(tokens: list[Token], at: int, way: int) -> list[int]:
    """Return where the further places of a ranking begin."""
    beyond = range(at + 1, len(tokens)) if way > 0 else range(at - 1, 0, -1)
    return [number for number in beyond if not _RANKS.isdisjoint(tokens[number].gap)]


def _parts(gap: str) -> bool:
    """Whether a gap parts the names of a list."""
    signs = gap.strip()
    return "\n" in gap or (bool(signs) and _SIGNS.issuperset(signs))


def _member_from(scene: Scene, at: int, school: int) -> _Member | None:
    """Return the name that begins at a token, after a title or not."""
    if at in scene.titles or at in scene.used:
        hits = [hit for hit in scene.hits if hit.first <= at < hit.last]
        if hits:
            return _Member(hits[0].first, hits[0].last, f"person {hits[0].person}", sure=True)
    for first, last in sorted(
        {*scene.surnames_from.get(at, ()), *scene.forenames_from.get(at, ())}
    ):
        span = first, last
        for edge in (*scene.surnames.get(span, ()), *scene.forenames.get(span, ())):
            if _is_ours(scene, school, edge.word):
                return _Member(first, last, edge.word, sure=not is_ordinary(edge.word))
    if at + 1 < len(scene.tokens) and at + 1 in scene.titles:
        return _member_from(scene, at + 1, school)
    return None


def _member_to(scene: Scene, end: int, school: int) -> _Member | None:
    """Return the name that ends before a token."""
    for at in range(end - 1, max(-1, end - 4), -1):
        found = _member_from(scene, at, school)
        if found is not None:
            return found if found.last == end else None
    return None


def _is_ours(scene: Scene, school: int, word: str) -> bool:
    """Whether a word is the surname, half of one, or forename of somebody at a school."""
    own = scene.locals[school]
    return (
        word in own.surnames
        or word in own.halves
        or any(word in scene.index.name(person).forenames for person, _ in own.forms.get(word, ()))
    )
