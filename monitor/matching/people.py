"""The rules that find people in one field, in the order in which a reader would trust them."""

from __future__ import annotations

from collections import defaultdict

from monitor.matching.bare_names import find_bare
from monitor.matching.calls import find_accounts, find_aliases, find_roles
from monitor.matching.context import Ties
from monitor.matching.found import Found
from monitor.matching.full_names import MOST_NAMESAKES, find_full_names
from monitor.matching.index import Index
from monitor.matching.scene import Hit, Scene
from monitor.matching.slipped import find_slipped
from monitor.matching.text import Reading
from monitor.matching.titled import find_titled
from monitor.matching.words import fold_title, gender


def find_people(reading: Reading, index: Index, refs: Found, ties: Ties) -> Scene:
    """Return the scene of a field with every hit and refusal that the rules came to."""
    scene = Scene(reading, index, refs, ties)
    find_accounts(scene)
    find_full_names(scene)
    find_slipped(scene)
    find_aliases(scene)
    find_titled(scene)
    find_bare(scene)
    find_roles(scene)
    scene.hits = _settled(scene)
    return scene


def _settled(scene: Scene) -> list[Hit]:
    """Return the hits without rivals: of people of one name the tied one, else all, less sure.

    More than a few untied people of one name are nobody in particular.
    """
    if not scene.hits:
        return []
    rivals: dict[tuple[int, int], set[int]] = defaultdict(set)
    for hit in scene.hits:
        if hit.first >= 0:
            rivals[hit.first, hit.last].add(hit.person)
    ours = {
        span: {person for person in people if scene.is_tied(person)}
        for span, people in rivals.items()
    }
    kept: list[Hit] = []
    for hit in scene.hits:
        people = rivals.get((hit.first, hit.last), {hit.person})
        tied = ours.get((hit.first, hit.last), people if scene.is_tied(hit.person) else set())
        if tied and hit.person not in tied:
            scene.refuse(
                hit.person, (hit.first, hit.last), "the post is tied to a namesake's school"
            )
        elif not tied and len(people) > MOST_NAMESAKES:
            scene.refuse(hit.person, (hit.first, hit.last), "too many people bear this name")
        elif len({scene.index.school_of(person) for person in tied}) > 1:
            if hit.person in _by_title(scene, hit, tied):
                kept.append(hit._replace(confidence=min(hit.confidence, 0.6)))
        elif not tied and len(people) > 1:
            kept.append(hit._replace(confidence=min(hit.confidence, 0.6)))
        else:
            kept.append(hit)
    return kept


def _by_title(scene: Scene, hit: Hit, people: set[int]) -> set[int]:
    """Return, of people of one surname at several schools, those whom the written title fits."""
    title = scene.tokens[hit.first].word
    if not gender(title):
        return people
    own = {person: fold_title(scene.index.people[person].title) for person in people}
    exact = {person for person in people if own[person] == title}
    alike = {person for person in people if gender(own[person]) == gender(title)}
    return exact or alike or people
