"""Full names: forename and surname in either order, initials, short forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from monitor.matching import grammar, longer, sayings, strangers
from monitor.matching.edges import Edge
from monitor.matching.index import Index
from monitor.matching.names import is_unusual
from monitor.matching.scene import Scene
from monitor.matching.words import (
    celebrities,
    common_surnames,
    is_ordinary,
    known_forenames,
    of_kind,
)

NAME_GAP = re.compile(r"^(?:[ \t\n]{1,3}|\. ?|-|)$")
_EMOJI_GAP = re.compile(r"^ ?[\u2600-\u27bf\U0001f300-\U0001faff]{1,4} ?$")
_SPACED_GAP = re.compile(r"^[ .\-_*·|/]{0,4}$")
_MIDDLES = 2
_MOST_BEARERS = 50
MOST_NAMESAKES = 4
_PLAIN = frozenset({"", "joined", "possessive"})


class _Pair(NamedTuple):
    """A forename reading that leads to, or follows, a surname: tokens [first, last) in all."""

    first: int
    last: int
    form: str
    how: str
    commaed: bool = False


def find_full_names(scene: Scene) -> None:
    """Say which full names stand in the field, the longest surnames first."""
    for span in sorted(scene.surnames, key=lambda span: (span[0] - span[1], span)):
        for edge in scene.surnames[span]:
            if scene.index.has_surname(edge.word) and scene.is_free(*span):
                _full_name(scene, edge)


def _full_name(scene: Scene, edge: Edge) -> None:
    fitting = [
        (person, pair, rank)
        for pair in (*_before(scene, edge), *_behind(scene, edge))
        for person, rank in _bearers(scene, edge, pair).items()
    ]
    if fitting:
        best = max(rank for _, _, rank in fitting)
        for person, pair, rank in fitting:
            if rank == best:
                _settle(scene, edge, pair, person, rank)
        return
    initial = _initial(scene, edge)
    if initial is not None:
        _settle_initial(scene, edge, initial)


def _bearers(scene: Scene, edge: Edge, pair: _Pair) -> Mapping[int, int]:
    """Return who may be meant, with the rank of the form: the tied, or else a few in all.

    Without a tie two words of the language are no name just because somebody is called so
    ("little will", "brown, chazza"), nor are names that stood in one word without a hashtag.
    """
    people = scene.index.named(edge.word, pair.form)
    tied = {person: rank for person, rank in people.items() if scene.is_tied(person)}
    if tied or not people:
        return tied
    why = ""
    if len(people) > MOST_NAMESAKES:
        why = "too many people bear this name"
    elif scene.is_glued(pair.first, pair.last) or reads_as_words(
        scene.index, edge.word, pair.form, turned=pair.first == edge.first and not pair.commaed
    ):
        why = "words, and nothing ties them to the school"
    if why:
        for person in sorted(people)[:MOST_NAMESAKES]:
            scene.refuse(person, (pair.first, pair.last), why)
        return {}
    return people


def reads_as_words(index: Index, surname: str, form: str, *, turned: bool) -> bool:
    """Whether a full name could be two words of the language that only happen to meet."""
    if not is_ordinary(surname):
        return False
    return (
        turned or of_kind(form, "function") or (is_ordinary(form) and form not in index.forenames)
    )


def _before(scene: Scene, edge: Edge) -> list[_Pair]:
    """Return the forenames that lead to a surname, with at most two middle names between."""
    tokens, found = scene.tokens, []
    for end in range(edge.first, max(-1, edge.first - _MIDDLES - 1), -1):
        for span in scene.forenames_to.get(end, ()):
            for reading in scene.forenames[span]:
                if reading.how == "possessive" and (
                    tokens[end].gap == "-" or tokens[end - 1].word in common_surnames()
                ):
                    continue  # "Edmonds-Barr" is no Edmond
                allowed = _SPACED_GAP if "spaced" in {reading.how, edge.how} else NAME_GAP
                decorated = is_unusual(edge.word) and _EMOJI_GAP.match(tokens[edge.first].gap)
                if tokens[end - 1].owner or not all(
                    allowed.match(tokens[step].gap) or (step == edge.first and decorated)
                    for step in range(end, edge.first + 1)
                ):
                    continue
                if tokens[span[0]].tag == tokens[edge.first].tag:
                    found.append(_Pair(span[0], edge.last, reading.word, reading.how))
        if end and not _is_middle(scene, end - 1):
            break
    return found


def _is_middle(scene: Scene, at: int) -> bool:
    token = scene.tokens[at]
    if token.hidden or token.owner:
        return False
    if len(token.word) == 1:
        return token.word.isalpha() and token.word not in "ai"
    if token.word in known_forenames():
        return not is_ordinary(token.word) or token.word in {"rose", "grace", "may", "hope"}
    return strangers.is_unknown(token.word) or token.word in _plain_surnames()


@cache
def _plain_surnames() -> frozenset[str]:
    """Return the common surnames that are no words, so that they may stand as middle names."""
    return frozenset(word for word in common_surnames() if not is_ordinary(word))


def _behind(scene: Scene, edge: Edge) -> list[_Pair]:
    """Return the forenames after a surname: "Okafor, Rebecca", "HILL Fergus"."""
    at, tokens = edge.last, scene.tokens
    if at >= len(tokens) or tokens[at].gap not in {" ", ", ", ",", "  "} or tokens[at - 1].owner:
        return []
    found: list[_Pair] = []
    for span in scene.forenames_from.get(at, ()):
        goes_on = scene.leads_a_surname(span) or _goes_on(scene, span[1])
        if not goes_on:
            found.extend(
                _Pair(edge.first, span[1], reading.word, reading.how, "," in tokens[at].gap)
                for reading in scene.forenames[span]
            )
    return found


def _goes_on(scene: Scene, at: int) -> bool:
    """Whether a surname that is not on the roster follows ("… Hill, Fergus Brown")."""
    if at >= len(scene.tokens) or scene.tokens[at].gap != " ":
        return False
    word = scene.tokens[at].word
    return word in common_surnames() and not is_ordinary(word)


def _settle(scene: Scene, edge: Edge, pair: _Pair, person: int, rank: int) -> None:
    span = (pair.first, pair.last)
    scene.take(*span)
    rare = is_unusual(edge.word)
    why = refusal_of_full_name(scene, person, span, edge, rare=rare)
    plain = edge.how in _PLAIN and pair.how in _PLAIN and pair.first < edge.first
    if not why and plain and sayings.only_meet(scene.tokens, *span, pair.form, edge.word):
        why = "words that only meet"
    if why:
        scene.refuse(person, span, why)
        return
    tied = scene.is_tied(person)
    confidence = 0.95 if tied or rare else 0.7
    how = next((how for how in (edge.how, pair.how) if how not in _PLAIN), "")
    confidence -= 0.1 * ((rank == 1) + bool(how))
    words = " ".join(token.word for token in scene.tokens[pair.first : pair.last])
    if words in celebrities() and pair.last - pair.first > 2:  # noqa: PLR2004 - a middle name decides
        scene.refuse(person, span, "somebody famous")
        return
    if not tied and f"{pair.form} {edge.word}" in celebrities():
        confidence = 0.4
    own = pair.form in scene.index.name(person).forenames
    scene.hit(person, span, "full-name" if own else "short-form", confidence, how)


def refusal_of_full_name(
    scene: Scene, person: int, span: tuple[int, int], edge: Edge, *, rare: bool
) -> str:
    """Return why a full name here is somebody else's, or no name; empty where it is theirs."""
    school = scene.index.school_of(person)
    known = school if school in scene.places else -1  # all others are refused alike
    asked = span, edge, rare or scene.is_tied(person), known
    if asked not in scene.answers:
        scene.answers[asked] = _why_not(scene, *asked)
    return scene.answers[asked]


def _why_not(scene: Scene, span: tuple[int, int], edge: Edge, strict: bool, school: int) -> str:
    tokens, (first, last) = scene.tokens, span
    hyphened = first > 0 and tokens[first].gap == "-" and not tokens[first].tag
    goes_on = longer.follows_longer_name(tokens, last, edge.word) if edge.last == last else "no"
    if hyphened or scene.is_cut(goes_on, last):
        return "part of a longer name"
    if edge.last == last and edge.how in _PLAIN and grammar.is_verb_here(tokens, last, edge.word):
        return "an ordinary word here"
    if strangers.other_trade(tokens, first, last, strict=strict):
        return "tied to another trade"
    if strangers.other_school(tokens, first, last, scene.places, school):
        return "tied to another school or town"
    return ""


def _initial(scene: Scene, edge: Edge) -> tuple[int, int, str] | None:
    """Return (first, last, letter) where a single letter stands before or behind a surname."""
    if edge.how == "spaced":
        return None
    return _initial_before(scene, edge) or _initial_behind(scene, edge)


def _initial_before(scene: Scene, edge: Edge) -> tuple[int, int, str] | None:
    tokens, first = scene.tokens, edge.first
    if first == 0 or tokens[first].gap not in {" ", ". ", "."} or tokens[first - 1].hidden:
        return None
    letter, gap = tokens[first - 1].word, tokens[first - 1].gap
    dotted = tokens[first].gap.startswith(".")
    if len(letter) != 1 or not letter.isalpha() or gap.endswith("'"):
        return None
    if letter in "aiou" and not dotted:
        return None
    begin = first - 1
    if (
        begin > 0
        and len(tokens[begin - 1].word) == 1
        and tokens[begin - 1].word.isalpha()
        and tokens[begin].gap in {" ", ". ", "."}
    ):
        begin -= 1
    return begin, edge.last, tokens[begin].word


def _initial_behind(scene: Scene, edge: Edge) -> tuple[int, int, str] | None:
    tokens, last = scene.tokens, edge.last
    if last >= len(tokens) or tokens[last].gap not in {", ", " ", ","} or tokens[last - 1].owner:
        return None
    letter = tokens[last].word
    if len(letter) != 1 or not letter.isalpha():
        return None
    ends = last + 1 == len(tokens) or tokens[last + 1].gap.startswith((".", ",", ";", ")", "\n"))
    commaed = tokens[last].gap.startswith(",")
    return (edge.first, last + 1, letter) if ends and (commaed or letter not in "aiou") else None


def _settle_initial(scene: Scene, edge: Edge, initial: tuple[int, int, str]) -> None:
    first, last, letter = initial
    rare = is_unusual(edge.word)
    scene.take(first, last)
    bearers = {p for local in scene.locals.values() for p in local.surnames.get(edge.word, ())}
    if rare:
        bearers.update(scene.index.bearers(edge.word, most=_MOST_BEARERS))
    for person in sorted(bearers):
        tied = scene.is_tied(person)
        if letter not in scene.index.name(person).initials:
            scene.refuse(person, (first, last), "another initial")
            continue
        why = refusal_of_full_name(scene, person, (first, last), edge, rare=rare)
        if not why and not tied and not rare:
            why = "an initial and a common surname, and nothing ties it"
        if why:
            scene.refuse(person, (first, last), why)
        else:
            how = "" if edge.how in _PLAIN else edge.how
            scene.hit(person, (first, last), "initial", 0.85 if tied else 0.65, how)
