"""Bare surnames and forenames: only where the school is plain, and only where a word is a name."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.matching import grammar, longer, sayings, strangers
from monitor.matching.doubt import could_be_somebody
from monitor.matching.edges import Edge
from monitor.matching.family import of_a_family
from monitor.matching.lists import is_listed
from monitor.matching.names import is_unusual
from monitor.matching.scene import Scene
from monitor.matching.titled import role_is_near
from monitor.matching.trades import is_character, is_costume, wears_costume
from monitor.matching.words import common_surnames, is_ordinary, known_forenames, of_kind, word_list

_MOST_BEARERS = 4
_SHORTEST_DISGUISED = 4
_SHORT_FORM = 0.7
_A_WORD = "an ordinary word here"
_PLAIN = frozenset({"", "joined", "possessive"})
_FOREIGN_ARTICLES = word_list("bare_names.foreign_articles")
_SLANG = word_list("bare_names.slang")


def find_bare(scene: Scene) -> None:
    """Say which bare names mean somebody; used only for schools that are named or are the scope."""
    named = [school for school in scene.locals if school in scene.ties.named]
    if not named:
        return
    for span in sorted({*scene.surnames, *scene.forenames}, key=lambda s: (s[0] - s[1], s)):
        if scene.is_free(*span):
            people, words, how = _candidates(scene, span, named)
            if people:
                _judge(scene, span, people, words, how)
    _inflected(scene, named)


def _candidates(
    scene: Scene, span: tuple[int, int], named: list[int]
) -> tuple[dict[int, float], dict[int, str], str]:
    """Return (confidence by person, word by person, disguise) for one stretch."""
    people: dict[int, float] = {}
    words: dict[int, str] = {}
    how = ""
    for school in named:
        local = scene.locals[school]
        for edge in scene.surnames.get(span, ()):
            halves = local.halves.get(edge.word, ()) if school in scene.ties.scoped else ()
            for confidence, bearers in ((0.85, local.surnames.get(edge.word, ())), (0.65, halves)):
                for person in bearers:
                    _keep(people, words, person, confidence, edge)
                    how = how or edge.how
        for edge in scene.forenames.get(span, ()):
            for person, confidence in _by_forename(scene, school, edge).items():
                _keep(people, words, person, confidence, edge)
                how = how or edge.how
    return people, words, "" if how in _PLAIN else how


def _keep(
    people: dict[int, float], words: dict[int, str], person: int, confidence: float, edge: Edge
) -> None:
    if confidence > people.get(person, 0):
        people[person] = confidence
        words[person] = edge.word


def _by_forename(scene: Scene, school: int, edge: Edge) -> dict[int, float]:
    owned = edge.word + "s"
    if edge.how == "possessive" and (is_ordinary(owned) or owned in common_surnames()):
        return {}
    bearers = scene.locals[school].forms.get(edge.word, ())
    exact = [person for person, _ in bearers if edge.word in scene.index.name(person).forenames]
    if exact:
        return dict.fromkeys(exact, 0.8)
    shortest = 5 if scene.tokens[edge.first].tag else 3  # "#CANADA" is no "can" and "Ada"
    if is_ordinary(edge.word) or len(edge.word) < shortest or edge.how not in _PLAIN:
        return {}
    return dict.fromkeys((person for person, close in bearers if close), _SHORT_FORM)


def _judge(
    scene: Scene, span: tuple[int, int], people: dict[int, float], words: dict[int, str], how: str
) -> None:
    word = min(words.values())
    why = _refusal(scene, span, word, how, people)
    if not why and len(people) > _MOST_BEARERS:
        why = "too many share it"
    if why:
        doubtful = why == _A_WORD and _is_doubtful(scene, span, word, how, people)
        for person in people:
            scene.refuse(person, span, why, unless_threat=doubtful)
        return
    scene.doubt(span, _may_be_another(scene, span, word, how, people))
    scene.take(*span)
    chosen = list(people)
    if len(chosen) > 1:
        by_role = [person for person in chosen if role_is_near(scene, person, span)]
        chosen = by_role if len(by_role) == 1 else chosen
    for person in chosen:
        less = 0.2 * (len(chosen) > 1) + 0.1 * is_ordinary(word) + 0.05 * bool(how)
        name = scene.index.name(person)
        rule = "surname" if words[person] in {*name.surnames, *name.halves} else "forename"
        scene.hit(person, span, rule, max(0.6, people[person] - less), how)


def _refusal(  # noqa: C901, PLR0911, PLR0912 - one return for each reason
    scene: Scene, span: tuple[int, int], word: str, how: str, people: dict[int, float]
) -> str:
    tokens, (first, last) = scene.tokens, span
    if first > 0 and tokens[first].gap == "-" and not tokens[first].tag and how != "spaced":
        return "part of a longer name"
    if scene.is_cut(longer.follows_longer_name(tokens, last, word), last):
        return "part of a longer name"
    if last - first > 1 and _only_meet(scene, span, how):
        return "words that only meet"
    if scene.title_of(first):
        return "titled, and not one of ours"
    if grammar.other_forename_before(tokens, first, known_forenames()):
        return "another person's name"
    if span in scene.forenames:
        why = _forename_refusal(scene, span, people)
        if why:
            return why
    school = scene.index.school_of(min(people))
    if how == "" and _is_foreign_half(scene, span, word, people):
        return "a word of another language here"
    if word in word_list("bare_names.foreign_words") and grammar.is_foreign(tokens, first, last):
        return "a word of another language here"
    if strangers.other_trade(tokens, first, last, strict=True) and not (
        _leads_a_list(scene, last, school)
        or grammar.in_a_list(tokens, first, last, _others(scene, span))
    ):
        return "tied to another trade"
    if strangers.other_school(tokens, first, last, scene.places, school):
        return "tied to another school"
    if is_character(tokens, last):
        return "somebody in a story"
    if _is_wordlike(word) and not _is_meant(scene, span, word, how, school):
        return _A_WORD
    return ""


def _may_be_another(
    scene: Scene, span: tuple[int, int], word: str, how: str, people: dict[int, float]
) -> bool:
    """Whether nobody can tell if a name that stands as one is a costume, a pupil or the thing."""
    tokens, (first, last) = scene.tokens, span
    if is_costume(tokens, first):
        return True
    if max(people.values()) <= _SHORT_FORM and wears_costume(tokens, last):
        return True
    return _is_wordlike(word) and sayings.fits_the_thing(
        tokens, first, last, word, disguised=how == "leet"
    )


def _is_doubtful(
    scene: Scene, span: tuple[int, int], word: str, how: str, people: Iterable[int]
) -> bool:
    """Whether a word refused as one could mean these people, if the post were a threat."""
    if how == "masked" and not _is_lightly_masked(scene, span, word):
        return False
    few = len(tuple(people)) <= _MOST_BEARERS
    return few and could_be_somebody(scene.tokens, *span, word)


def _is_foreign_half(scene: Scene, span: tuple[int, int], word: str, people: Iterable[int]) -> bool:
    """Whether half of a surname is a word behind an article of its language: "todos os santos"."""
    before = scene.tokens[span[0] - 1].word if span[0] else ""
    return before in _FOREIGN_ARTICLES and all(
        word in scene.index.name(person).halves for person in people
    )


def _only_meet(scene: Scene, span: tuple[int, int], how: str) -> bool:
    """Whether small words make up a name by chance: "am in a" is no Amina, "to m u l" no Tom."""
    tokens, (first, last) = scene.tokens, span
    if last < len(tokens) and how in {"", "spaced"}:
        after, word = tokens[last], tokens[first].word
        if len(word) > 1 and is_ordinary(word) and after.gap == " " and len(after.word) == 1:
            return len(tokens[last - 1].word) == 1
    return not how and all(
        of_kind(token.word, "function") and (at == first or token.gap == " ")
        for at, token in enumerate(tokens[first:last], first)
    )


def _is_meant(scene: Scene, span: tuple[int, int], word: str, how: str, school: int) -> bool:
    """Whether an ordinary word is a name here, or is disguised as only a name need be."""
    if how == "masked" and not _is_lightly_masked(scene, span, word):
        return False
    if _stands(scene, span, word, school):
        return True
    before = scene.tokens[span[0] - 1].word if span[0] else ""
    if (
        how not in {"leet", "masked"}
        or len(word) < _SHORTEST_DISGUISED
        or (sayings.leads_a_thing(before) or of_kind(before, "adjective"))
    ):
        return False
    return _is_leet_name(scene, span, word, how) or (
        school in scene.ties.scoped and grammar.stands_apart(scene.tokens, *span, word)
    )


def _stands(scene: Scene, span: tuple[int, int], word: str, school: int) -> bool:
    """Whether an ordinary word is a name here: by a list, by grammar, by the school behind."""
    first, last = span
    return (
        grammar.in_a_list(scene.tokens, first, last, _others(scene, span))
        or is_listed(scene, span, word, school)
        or grammar.stands_as_name(scene.tokens, first, last, word)
        or (first == 0 and _school_follows(scene, last, school))
    )


def _leads_a_list(scene: Scene, last: int, school: int) -> bool:
    """Whether a colleague's surname follows in a list, be it a trade: "pugh, baker and gray"."""
    tokens = scene.tokens
    if last + 1 >= len(tokens) or tokens[last].gap != ", ":
        return False
    beyond = tokens[last + 1]
    return (beyond.gap.startswith(",") or beyond.word == "and") and any(
        edge.word in scene.locals[school].surnames
        for span in scene.surnames_from.get(last, ())
        for edge in scene.surnames[span]
    )


def _is_lightly_masked(scene: Scene, span: tuple[int, int], word: str) -> bool:
    """Whether so few letters are masked that it is no swearing: "B*shop", not "b****cks"."""
    seen = sum(len(token.word) for token in scene.tokens[slice(*span)])
    return len(word) > 4 and seen + 1 >= len(word)  # noqa: PLR2004


def _is_leet_name(scene: Scene, span: tuple[int, int], word: str, how: str) -> bool:
    """Whether a surname is written in leet: nobody writes a mere thing so ("W1nter")."""
    kinds = ("function", "verb", "adverb", "adjective", "chat")
    return how == "leet" and span in scene.surnames and not of_kind(word, *kinds)


def _school_follows(scene: Scene, last: int, school: int) -> bool:
    """Whether "at" and our own school stand behind: "Turner at Alderwick is …"."""
    tokens = scene.tokens
    return (
        last + 1 < len(tokens)
        and tokens[last].word in {"at", "from"}
        and last + 1 in scene.places.of(school)
    )


def _is_wordlike(word: str) -> bool:
    return is_ordinary(word) or word in _SLANG


def _others(scene: Scene, span: tuple[int, int]) -> set[int]:
    """Return the first tokens of the other unmistakable names near a span."""
    return {
        at
        for at in range(max(0, span[0] - 6), min(len(scene.tokens), span[1] + 6))
        if at in scene.used
        or any(
            not is_ordinary(edge.word)
            for other in scene.surnames_from.get(at, ())
            for edge in scene.surnames[other]
        )
    }


def _forename_refusal(scene: Scene, span: tuple[int, int], people: Iterable[int]) -> str:
    tokens, (first, last) = scene.tokens, span
    if longer.another_surname(tokens, last):
        return "another person's name"
    if scene.leads_a_surname(span) and not grammar.is_verb_here(
        tokens, last + 1, tokens[last].word
    ):
        return "another person's name"
    if scene.is_cut(longer.unknown_surname(tokens, last), last):
        return "another person's name"
    if of_a_family(tokens, first, last):
        return "a child, friend, relative or animal"
    if last < len(tokens) and len(tokens[last].word) == 1 and tokens[last].gap == " ":
        letter = tokens[last].word
        own = {surname[0] for person in people for surname in scene.index.name(person).surnames}
        if letter.isalpha() and letter not in "aioxu" and letter not in own:
            return "another initial"
    return ""


def _inflected(scene: Scene, named: list[int]) -> None:
    """Find surnames with the endings of another language where the stem is unusual."""
    for at, token in enumerate(scene.tokens):
        if at in scene.used or token.hidden or not 6 <= len(token.word) <= 30:  # noqa: PLR2004
            continue
        if is_ordinary(token.word) or scene.index.has_surname(token.word):
            continue
        if token.word in known_forenames():
            continue
        for stem in grammar.stems(token.word):
            for school in named if is_unusual(stem) else ():
                for person in scene.locals[school].surnames.get(stem, ()):
                    if strangers.other_school(scene.tokens, at, at + 1, scene.places, school):
                        scene.refuse(person, (at, at + 1), "tied to another school")
                    else:
                        scene.hit(person, (at, at + 1), "inflected", 0.62)
