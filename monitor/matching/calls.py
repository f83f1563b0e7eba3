"""What people are called besides their names: accounts, addresses, aliases and roles."""

from __future__ import annotations

from monitor.matching import grammar, strangers
from monitor.matching.names import is_unusual
from monitor.matching.refs import fits
from monitor.matching.scene import Hit, Scene
from monitor.matching.trades import is_character, is_costume
from monitor.matching.words import common_surnames, is_ordinary, is_word, word_list

_OUTSIDE = word_list("calls.outside")


def find_accounts(scene: Scene) -> None:
    """Keep accounts, addresses and aliases that count wherever they stand.

    Of several people with one alias all are kept here: ties, or their number, decide later.
    """
    kept: set[tuple[int, int]] = set()
    for ref in scene.refs:
        if ref.ref.person < 0:
            continue
        if ref.first < 0:
            scene.hits.append(
                Hit(ref.ref.person, -1, -1, ref.ref.kind, 0.97, "", ref.start, ref.end)
            )
        elif (ref.first, ref.last) in kept or (
            scene.is_free(ref.first, ref.last) and not _goes_on(scene, ref.first, ref.last)
        ):
            kept.add((ref.first, ref.last))
            scene.hit(ref.ref.person, (ref.first, ref.last), "alias", 0.9)
            scene.take(ref.first, ref.last)


def _goes_on(scene: Scene, first: int, last: int) -> bool:
    """Whether an alias is only the beginning of a longer name ("Mr B. Young")."""
    tokens = scene.tokens
    if tokens[first].gap == "-" and first:
        return True
    if last >= len(tokens) or tokens[last - 1].owner:
        return False
    if tokens[last].gap == "-":
        return True
    if len(tokens[last - 1].word) > 1 or tokens[last].gap not in {" ", ". "}:
        return False
    after = tokens[last].word
    if scene.index.has_surname(after) and not is_ordinary(after):
        return True
    return (after in common_surnames() and not is_ordinary(after)) or strangers.reads_as_name(after)


def find_aliases(scene: Scene) -> None:
    """Find the aliases that need a tie, for each school that the post is tied to."""
    for school, local in scene.locals.items():
        for at, token in enumerate(scene.tokens):
            for words, person in local.aliases.get(token.word, ()):
                span = (at, at + len(words))
                if fits(scene.tokens, at, words) and scene.is_free(*span):
                    why = _alias_refusal(scene, span, words, school)
                    if why:
                        scene.refuse(person, span, why)
                    else:
                        scene.doubt(span, is_costume(scene.tokens, at))
                        scene.hit(person, span, "alias", 0.85)
                        scene.take(*span)


def _alias_refusal(  # noqa: PLR0911 - one return for each reason
    scene: Scene, span: tuple[int, int], words: tuple[str, ...], school: int
) -> str:
    tokens, (first, last) = scene.tokens, span
    if _goes_on(scene, first, last):
        return "part of a longer name"
    if is_character(tokens, last):
        return "somebody in a story"
    if (
        len(words) == 1
        and (is_word(words[0]) or (words[0][-1] == "s" and is_word(words[0][:-1])))
        and not grammar.stands_as_name(tokens, first, last, words[0])
    ):
        return "an ordinary word here"
    if (
        len(words) > 1
        and all(is_word(word) for word in words)
        and grammar.is_compound(tokens, last)
    ):
        return "an ordinary word here"
    if (
        all(is_ordinary(word) or not is_unusual(word) for word in words)
        and school not in scene.ties.named
    ):
        return "needs the school beside it"
    if strangers.other_school(tokens, first, last, scene.places, school):
        return "tied to another school"
    return ""


def find_roles(scene: Scene) -> None:
    """Find roles, for each school that is named or is the scope."""
    for school in scene.ties.named:
        at = 0
        while at < len(scene.tokens):
            at += _role(scene, school, at) or 1


def _role(scene: Scene, school: int, at: int) -> int:
    """Judge the longest role that begins at a token; return how many tokens it takes."""
    for words, people in scene.locals[school].roles.get(scene.tokens[at].word, ()):
        span = (at, at + len(words))
        if not fits(scene.tokens, at, words) or not scene.is_free(*span):
            continue
        why = grammar.role_refusal(scene.tokens, *span)
        if not why and strangers.other_school(
            scene.tokens, *span, scene.places, school, any_place=True
        ):
            why = "at another school"
        if not why and _outside(scene, span[1], school):
            why = "at another place"
        for person in people:
            if why:
                scene.refuse(person, span, why)
            else:
                scene.hit(person, span, "role", 0.85 if len(people) == 1 else 0.6)
        return len(words)
    return 0


def _outside(scene: Scene, last: int, school: int) -> bool:
    """Whether a role is at a place that is no school of ours: "the caretaker in our flats"."""
    tokens = scene.tokens
    if last + 1 >= len(tokens) or tokens[last].word not in {"at", "in", "of", "for", "from"}:
        return False
    ahead = range(last + 1, min(last + 4, len(tokens)))
    if not scene.places.of(school).isdisjoint(ahead):
        return False
    return any(tokens[at].word in _OUTSIDE for at in ahead)
