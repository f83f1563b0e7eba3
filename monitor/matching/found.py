"""What was found of the roster in a field, and which of its tokens name which school."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.matching.pointers import Crowd, PhraseRef
from monitor.matching.text import Token


class Ref(NamedTuple):
    """A word of the roster found in a field: tokens [first, last), characters [start, end)."""

    ref: PhraseRef
    first: int
    last: int
    start: int
    end: int

    def tokens(self, tokens: list[Token]) -> range:
        """Return the numbers of the tokens that this word covers, also where it is an account."""
        if self.first >= 0:
            return range(self.first, self.last)
        first = bisect_right(tokens, self.start, key=lambda token: token.end)
        return range(first, bisect_left(tokens, self.end, key=lambda token: token.start))


class CrowdRef(NamedTuple):
    """Words that a crowd of schools bears, found in a field: of themselves they name none of them.

    `before` is how many references stood before it; schools in `without` are not meant here.
    """

    crowd: Crowd
    first: int
    last: int
    start: int
    end: int
    before: int
    without: AbstractSet[int]

    def names(self, school: int) -> bool:
        return school in self.crowd and school not in self.without


@dataclass(slots=True)
class Found:
    """Every word of the roster in a field; those of crowds apart: few of their schools matter."""

    refs: list[Ref] = field(default_factory=list)
    crowds: list[CrowdRef] = field(default_factory=list)

    def of(self, schools: AbstractSet[int]) -> list[Ref]:
        """Return all references, from the crowds those to these schools, in the order found."""
        if not self.crowds:
            return self.refs
        refs: list[Ref] = []
        done = 0
        for found in self.crowds:
            refs += self.refs[done : found.before]
            done = found.before
            refs.extend(
                Ref(found.crowd[school], found.first, found.last, found.start, found.end)
                for school in sorted(found.crowd.keys() & schools - found.without)
            )
        return refs + self.refs[done:]


class Places:
    """Which tokens of a field name each school of the roster, or its places."""

    def __init__(self, found: Found, tokens: list[Token]) -> None:
        self._tokens: dict[int, set[int]] = defaultdict(set)
        self._crowds = found.crowds
        for ref in found.refs:
            if ref.ref.person < 0:
                self._tokens[ref.ref.school].update(ref.tokens(tokens))
        self.all = {at for own in self._tokens.values() for at in own}
        for crowd in self._crowds:
            self.all.update(range(crowd.first, crowd.last))

    def of(self, school: int) -> set[int]:
        """Return the numbers of the tokens that name a school or its places."""
        own = set(self._tokens.get(school, ()))
        for crowd in self._crowds:
            if crowd.names(school):
                own.update(range(crowd.first, crowd.last))
        return own

    def __contains__(self, school: int) -> bool:
        return school in self._tokens or any(crowd.names(school) for crowd in self._crowds)
