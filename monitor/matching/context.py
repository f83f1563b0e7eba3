"""What ties a post to a school: its words, its accounts and its places."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.matching.found import Found
from monitor.matching.index import Index
from monitor.matching.phrases import handle_key, words_of
from monitor.matching.refs import KINDS_OF_SCHOOL, find_phrases
from monitor.matching.text import Reading
from monitor.model import PostField

_MANY_SCHOOLS = 20


@dataclass(slots=True)
class Ties:
    """Which schools a post is tied to and by what ("scope:school", "name:wexmoor", "place:…")."""

    named: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    placed: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    scoped: set[int] = field(default_factory=set)

    def schools(self) -> set[int]:
        return {*self.named, *self.placed}

    def words(self, school: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.named.get(school, ()), *self.placed.get(school, ()))))


def tie_up(
    fields: dict[str, Found],
    index: Index,
    *,
    scoped: Iterable[int] = (),
    place: str | None = None,
    author: str = "",
) -> tuple[Ties, set[int]]:
    """Return the ties of a post, and the schools named in its text or title.

    `fields` holds the references of "title", "text" and "thread". A word that many schools bear
    counts only for those whose place, hashtag or account stands beside it.
    """
    ties = Ties()
    places = _places(fields, index, place)
    ties.scoped.update(scoped)
    mentioned = _named(fields, index, ties, places)
    if len(places) <= _MANY_SCHOOLS:
        for number, how in places.items():
            ties.placed[number][f"{how}:{index.schools[number].id}"] = None
    for number in ties.scoped:
        ties.named[number]["scope:school"] = None
    accounts = index.handles.get(handle_key(author), ()) if author else ()
    own = {account.school for account in accounts if account.person < 0}
    for number in own:
        ties.named[number]["author:school"] = None
    return ties, mentioned - own


def _places(fields: dict[str, Found], index: Index, place: str | None) -> dict[int, str]:
    """Return the schools whose town, road or postcode the post or its source names."""
    places = {
        ref.ref.school: "place"
        for found in fields.values()
        for ref in found.refs
        if ref.ref.kind == "place"
    }
    if place:
        for ref in find_phrases(Reading(place).tokens, index).refs:
            if ref.ref.kind == "place":
                places[ref.ref.school] = "place-of-source"
    return places


def _named(fields: dict[str, Found], index: Index, ties: Ties, places: dict[int, str]) -> set[int]:
    """Fill in the schools that the words of each field name; return those of text and title."""
    mentioned: set[int] = set()
    anchors = _anchors(fields)
    if not (anchors or places or ties.scoped):
        return mentioned  # words that many schools bear, and nothing beside them
    sharers = _sharers(fields)
    may_count = {*anchors, *places, *ties.scoped}
    for name, found in fields.items():
        for ref in found.of(may_count):
            target = ref.ref
            if target.person >= 0 or target.kind == "place":
                continue
            doubtful = target.kind in {"name", "alias"} and (
                not target.alone or len(sharers[name, ref.start]) > 1
            )
            school = target.school
            own = target.kind == "name" and sharers[name, ref.start] & ties.scoped == {school}
            if doubtful and not (
                school in places
                or anchors[school] - {(name, ref.start)}
                or (own and _says_its_kind(index.schools[school].name))
            ):
                continue
            how = "thread" if name == PostField.THREAD else target.kind
            ties.named[school][f"{how}:{index.schools[school].id}"] = None
            if name != PostField.THREAD:
                mentioned.add(school)
    return mentioned


def _sharers(fields: dict[str, Found]) -> dict[tuple[str, int], set[int]]:
    """Return the schools that the words at each place of each field may name."""
    sharers: dict[tuple[str, int], set[int]] = defaultdict(set)
    for name, found in fields.items():
        for ref in found.refs:
            if ref.ref.person < 0 and ref.ref.kind != "place":
                sharers[name, ref.start].add(ref.ref.school)
        for crowd in found.crowds:
            sharers[name, crowd.start].update(crowd.crowd.keys() - crowd.without)
    return sharers


def _says_its_kind(name: str) -> bool:
    """Whether a name ends in a kind of school: "St Mary's Primary School", no bare "The Moor"."""
    return (*words_of(name), "")[-2] in {*KINDS_OF_SCHOOL, "school"}


def _anchors(fields: dict[str, Found]) -> dict[int, set[tuple[str, int]]]:
    """Return where each school is named beyond doubt: accounts, hashtags, names of its own."""
    anchors: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for name, found in fields.items():
        for ref in found.refs:
            sure = ref.ref.kind in {"hashtag", "handle"} or ref.ref.alone
            if ref.ref.person < 0 and ref.ref.kind != "place" and sure:
                anchors[ref.ref.school].add((name, ref.start))
    return anchors
