"""Title and surname ("Miss Okafor"), also slipped, inflected, or with the title behind the name."""

from __future__ import annotations

from monitor.matching import grammar, longer, strangers
from monitor.matching.edges import Edge
from monitor.matching.local import Local
from monitor.matching.names import PREFIXES, is_unusual, spellings_of
from monitor.matching.scene import Scene
from monitor.matching.slipped import word_may_be_slip
from monitor.matching.trades import is_character, works_elsewhere
from monitor.matching.words import TITLES, TITLES_BEHIND, fold_title, gender, is_ordinary

_PLAIN = frozenset({"", "joined", "possessive"})
_LONGEST_NAME = 5
_MOST_INITIALS = 2


def find_titled(scene: Scene) -> None:
    """Say which titled names stand in the field, for each school that the post is tied to."""
    found: set[int] = set()
    for school, local in scene.locals.items():
        for at in sorted(scene.titles):
            titled = at < len(scene.tokens) and scene.title_of(at) and scene.is_free(at, at + 1)
            if titled and _titled(scene, school, local, at):
                found.add(at)
        _titles_behind(scene, school, local)
    for at in found:
        scene.take(scene.titles[at][0], _end_of_name(scene, at))


def _end_of_name(scene: Scene, at: int) -> int:
    return max((hit.last for hit in scene.hits if hit.first <= at < hit.last), default=at + 1)


def _titled(scene: Scene, school: int, local: Local, at: int) -> bool:
    """Try, at one title, the surname, half of it, a spelling, a slip, an inflection, a forename."""
    begin, title = scene.titles[at]
    for span in sorted(scene.surnames_from.get(at, ()), key=lambda span: -span[1]):
        for edge in scene.surnames[span]:
            people = local.surnames.get(edge.word, ())
            hyphened = span[1] < len(scene.tokens) and scene.tokens[span[1]].gap == "-"
            if not people and school in scene.ties.scoped and not hyphened:
                people = local.halves.get(edge.word, ())
            if people:
                _judge(scene, (begin, span[1]), edge, people, title, rule="title-surname")
                return True
    if at in scene.surnames_from and any(
        scene.index.has_surname(edge.word) and edge.how in _PLAIN
        for span in scene.surnames_from[at]
        for edge in scene.surnames[span]
    ):
        return False
    misses = _near_misses(scene, local, at)
    if _is_initial(scene, at, title) and not (misses and scene.tokens[at].word in PREFIXES):
        return school in scene.ties.named and _titled_initial(scene, local, at, title)
    for rule, edge, people in misses:
        _judge(scene, (begin, edge.last), edge, people, title, rule=rule)
        return True
    return school in scene.ties.named and _titled_forename(scene, local, at, title)


def _is_initial(scene: Scene, at: int, title: str) -> bool:
    """Whether a single letter stands for a surname after a title of more than a letter."""
    tokens = scene.tokens
    if (
        len(tokens[at].word) > 1
        or len(title) == 1
        or (tokens[at].tag and at + 1 < len(tokens) and tokens[at + 1].tag)
    ):
        return False
    if at + 1 >= len(tokens):
        return True
    if tokens[at].word == "a" and tokens[at + 1].gap == " ":  # "miss a gym period"
        return grammar.is_said(tokens[at + 1].word)
    return not tokens[at + 1].gap.startswith((".", "-", "'"))


def _titled_initial(scene: Scene, local: Local, at: int, title: str) -> bool:
    """Find "Mr B": the initial of one surname, where only one or two people fit."""
    begin, letter = scene.titles[at][0], scene.tokens[at].word
    people = {
        person
        for surname, bearers in local.surnames.items()
        for person in bearers
        if surname[0] == letter
        and gender(fold_title(scene.index.people[person].title)) in {gender(title), ""}
    }
    exact = {p for p in people if fold_title(scene.index.people[p].title) == title}
    fitting = exact or people
    after = scene.tokens[at + 1] if at + 1 < len(scene.tokens) else None
    if after is not None and strangers.reads_as_name(after.word):
        return False
    if not fitting or len(fitting) > _MOST_INITIALS:
        return False
    for person in sorted(fitting):
        scene.hit(person, (begin, at + 1), "title-initial", 0.65 if len(fitting) == 1 else 0.6)
    return True


def _near_misses(scene: Scene, local: Local, at: int) -> list[tuple[str, Edge, tuple[int, ...]]]:
    """Return (rule, reading, people) for words that are almost a surname of this school."""
    found: list[tuple[str, Edge, tuple[int, ...]]] = []
    joined, prefixed = "", True
    for last in range(at + 1, min(at + _LONGEST_NAME, len(scene.tokens) + 1)):
        token = scene.tokens[last - 1]
        if token.hidden or (joined and token.gap not in {"'", "-", " "}):
            break
        if token.gap == " " and len(joined) > 3 and not prefixed:  # noqa: PLR2004
            break
        joined += token.word
        prefixed = prefixed and token.word in PREFIXES
        for rule, names in (
            ("spelling", spellings_of(joined)),
            ("slip", scene.index.near(joined) if word_may_be_slip(scene, joined) else ()),
            ("inflected", tuple(stem for stem in grammar.stems(joined) if is_unusual(stem))),
        ):
            people = tuple(sorted({p for name in names for p in local.surnames.get(name, ())}))
            if people:
                found.append((rule, Edge(at, last, joined, ""), people))
    return found


def _judge(
    scene: Scene,
    span: tuple[int, int],
    edge: Edge,
    people: tuple[int, ...],
    title: str,
    *,
    rule: str,
) -> None:
    school = scene.index.school_of(people[0])
    why = _refusal(scene, span, edge, school)
    if why:
        for person in people:
            scene.refuse(person, span, why)
        return
    chosen = choose(scene, people, title, span)
    other = _title_of_the_other(scene, span[0])
    if other:
        chosen |= choose(scene, people, other, span)
    for person, sure in chosen.items():
        half = rule == "title-surname" and edge.word not in scene.index.name(person).surnames
        confidence = 0.9 if sure else 0.6
        if half:
            confidence = min(confidence, 0.65)
        if rule != "title-surname" or edge.how not in _PLAIN:
            confidence = min(confidence, 0.75)
        scene.hit(person, span, "half-surname" if half else rule, confidence, _shown(edge))


def _title_of_the_other(scene: Scene, begin: int) -> str:
    """Return the first title of "Mr and Mrs Marsh"; empty where one title stands alone."""
    tokens = scene.tokens
    if begin == 0:
        return ""
    gap = tokens[begin].gap
    at = begin - 2 if tokens[begin - 1].word in {"and", "n"} and gap == " " else begin - 1
    joined = at < begin - 1 or gap.strip() in {"&", "/", "+"}
    return tokens[at].word if joined and at >= 0 and tokens[at].word in TITLES else ""


def _shown(edge: Edge) -> str:
    return "" if edge.how in _PLAIN else edge.how


def _refusal(scene: Scene, span: tuple[int, int], edge: Edge, school: int) -> str:
    tokens = scene.tokens
    if scene.is_cut(longer.follows_longer_name(tokens, edge.last, edge.word), edge.last):
        return "part of a longer name"
    wide = school not in scene.ties.named
    if strangers.other_trade(tokens, *span, strict=True) or works_elsewhere(
        tokens, *span, wide=wide
    ):
        return "tied to another trade"
    if is_character(tokens, span[1]):
        return "somebody in a story"
    if strangers.other_school(tokens, *span, scene.places, school):
        return "tied to another school"
    return ""


def choose(
    scene: Scene, people: tuple[int, ...], title: str, span: tuple[int, int]
) -> dict[int, bool]:
    """Return the people whom title or role points to, and whether that leaves only one."""
    if len(people) == 1:
        return {people[0]: True}
    own = {person: fold_title(scene.index.people[person].title) for person in people}
    exact = [person for person in people if own[person] == title]
    alike = [person for person in people if gender(title) and gender(own[person]) == gender(title)]
    fitting = tuple(exact or alike or people)
    if len(fitting) > 1:
        by_role = [person for person in fitting if role_is_near(scene, person, span)]
        fitting = tuple(by_role) if len(by_role) == 1 else fitting
    return dict.fromkeys(fitting, len(fitting) == 1)


_EMPTY_ROLE_WORDS = frozenset(
    ["head", "of", "teacher", "the", "year", "lead", "officer", "and", "for", "school", "deputy"]
)


def role_is_near(scene: Scene, person: int, span: tuple[int, int]) -> bool:
    """Whether the sentence speaks of what this person does ("… on the lunch tables")."""
    sentence = scene.tokens[span[0]].sentence
    near = range(max(0, span[0] - 25), min(len(scene.tokens), span[1] + 25))
    words = {scene.tokens[at].word for at in near if scene.tokens[at].sentence == sentence}
    for role in scene.index.people[person].roles:
        core = [word for word in role.lower().split() if word not in _EMPTY_ROLE_WORDS]
        if core and all(word in words or word + "s" in words for word in core):
            return True
        if any(word.removesuffix("time") in words for word in core if word.endswith("time")):
            return True
    return False


def _titled_forename(scene: Scene, local: Local, at: int, title: str) -> bool:
    """Find "Miss Becky": in some schools that is how staff are called."""
    begin = scene.titles[at][0]
    for span in scene.forenames_from.get(at, ()):
        readings = scene.forenames[span]
        people = {
            person
            for reading in readings
            for person, close in local.forms.get(reading.word, ())
            if close and reading.how != "possessive"
            and gender(fold_title(scene.index.people[person].title)) in {gender(title), ""}
        }  # fmt: skip
        whole = (begin, span[1])
        if (
            not people
            or scene.leads_a_surname(span)
            or _refusal(scene, whole, readings[0], scene.index.school_of(min(people)))
        ):
            continue
        if longer.another_surname(scene.tokens, span[1]):
            continue
        for person in sorted(people):
            scene.hit(person, whole, "title-forename", 0.75 if len(people) == 1 else 0.6)
        return True
    return False


def _titles_behind(scene: Scene, school: int, local: Local) -> None:
    """Find titles that stand behind the name: "Al-Khatib sahab", "Dhillon ji", "Okafor miss"."""
    for span, readings in scene.surnames.items():
        last = span[1]
        if last >= len(scene.tokens) or not scene.is_free(*span) or scene.tokens[last].gap != " ":
            continue
        if scene.title_of(span[0]):
            continue
        title = scene.tokens[last].word
        if title not in TITLES_BEHIND:
            continue
        for edge in readings:
            people = local.surnames.get(edge.word, ())
            foreign = title not in {"miss", "sir"}
            allowed = foreign or (school in scene.ties.named and not is_ordinary(edge.word))
            if people and edge.how in _PLAIN and allowed:
                _judge(scene, (span[0], last + 1), edge, people, title, rule="title-surname")
                scene.take(span[0], last + 1)
