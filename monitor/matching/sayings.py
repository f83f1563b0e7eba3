"""What is said only of people: patterns that make a name of a word, or a mere word of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from monitor.matching import of_people
from monitor.matching.edges import LEET
from monitor.matching.text import Token
from monitor.matching.words import is_ordinary, of_kind

_BEHIND, _AHEAD = 9, 14
"""Most words of the sentence that are looked at before and behind the name."""
_BREAKS: Final = frozenset(',;:()"#|/>=')
_RUN: Final = re.compile(r"([^\W\d_])\1{2,}")


def is_person(  # noqa: PLR0911 - one return for each answer
    tokens: list[Token], first: int, last: int, word: str, *, starts: bool
) -> bool | None:
    """Whether what is said of the word `word`, tokens [first, last), is said only of people.

    `starts` tells whether it begins a clause. None where nothing tells either way.
    """
    kinds = _kinds(word)
    line = _line(tokens, first, last, word, starts=starts)
    graded = _is_adjective(word) and _is_graded(tokens, first, last)
    if graded or any(of_people.says(f"never {kind}", line) for kind in kinds):
        return False
    if of_kind(word, "function") and not _is_plainly_subject(tokens, last):
        return of_people.says("pointed_at", line) or None
    if of_people.says("any", line):
        return True
    if any(of_people.says(f"not {kind}", line) for kind in kinds):
        return False
    pointed = first > 0 and tokens[first - 1].word == "that"
    plain = of_people.STUFF not in kinds and not (pointed and not _is_plainly_subject(tokens, last))
    if plain and any(of_people.says(section, line) for section in ("firm", *_sections_for(word))):
        return True
    if any(of_people.says(section, line) for section in _last_for(tokens, first, word)):
        return True
    return _is_spoken_to(tokens, first, last, word, starts=starts) or None


def fits_the_thing(
    tokens: list[Token], first: int, last: int, word: str, *, disguised: bool
) -> bool:
    """Whether a word that stands as a name may be the thing: "power came back", "after hope row".

    A word in disguise may be wherever it does what the thing does: "fr0st on the cars".
    """
    kinds = _kinds(word)
    line = _line(tokens, first, last, word, starts=True)
    if any(of_people.says(each, line) for each in ("headline", *(f"maybe {k}" for k in kinds))):
        return True
    told = (f"{sign} {kind}" for sign in ("not", "never") for kind in kinds)
    return disguised and any(of_people.says(section, line, led=True) for section in told)


def _last_for(tokens: list[Token], first: int, word: str) -> Iterator[str]:
    """Yield the sections that are asked of a word where no other tells."""
    yield "pointed_at"
    before = tokens[first - 1].word if first else ""
    if not (before in of_people.classes()["unled"] or of_kind(before, "adjective")):
        yield "called"
    if not of_kind(word, "function"):
        yield "wronged"
        if not _is_adjective(word):
            yield "headline"
        if not of_kind(word, "mass", "adjective"):
            yield "harmed"


def _is_spoken_to(tokens: list[Token], first: int, last: int, word: str, *, starts: bool) -> bool:
    """Whether a post speaks to the word, be it in the next sentence: "marsh. i will find you"."""
    if of_kind(word, "function", "verb"):
        return False
    if of_kind(word, "mass", "adjective") and not of_kind(word, "count"):
        return False
    return of_people.says("spoken_to", _line(tokens, first, last, word, starts=starts, onward=True))


def _sections_for(word: str) -> tuple[str, ...]:
    """Return the sections for a word by its kind, stuffs and feelings apart."""
    if of_kind(word, "adjective") and not of_kind(word, "count"):
        return ("adjective",) if _is_adjective(word) else ()
    return ("count",) if of_kind(word, "verb") else ("count", "noun")


def only_meet(tokens: list[Token], first: int, last: int, form: str, surname: str) -> bool:
    """Whether forename and surname are two words here: "to mark young trees", "happy rose day"."""
    if not (is_ordinary(form) and is_ordinary(surname)):
        return False
    if of_people.says("full", _line(tokens, first, last, surname, starts=False)):
        return True
    before = tokens[first - 1].word if first and tokens[first].gap == " " else ""
    told = before in of_people.classes()["infinitives"] and of_kind(form, "verb")
    if last >= len(tokens) or tokens[last].gap != " " or not (told or of_kind(form, "function")):
        return False
    after = tokens[last].word.removesuffix("s")
    return of_kind(after, "count", "mass") and not of_kind(tokens[last].word, "function")


def are_people(tokens: list[Token], first: int, last: int, words: tuple[str, ...]) -> bool:
    """Whether what is said of the words listed in tokens [first, last) is said only of people."""
    before = tokens[first - 1].word if first and tokens[first].gap == " " else ""
    if leads_a_thing(before):
        return False
    line = _line(tokens, first, last, "", starts=not before or begins_after(tokens, first))
    line = " ".join(_classes_of_one().get(word, word) for word in line.split(" "))
    adjectives = all(map(_is_adjective, words))
    if adjectives and not line.startswith("< X"):
        return False
    if any(of_people.says(f"never {kind}", line) for word in words for kind in _kinds(word)):
        return False
    if of_people.says("list", line) or of_people.says("any", line):
        return True
    stuff = any(of_people.STUFF in _kinds(word) for word in words)
    return not stuff and not adjectives and of_people.says("firm", line)


def _is_adjective(word: str) -> bool:
    return (
        of_kind(word, "adjective")
        and not of_kind(word, "count", "mass")
        and word not in of_people.classes()["colours"]
    )


def _is_graded(tokens: list[Token], first: int, last: int) -> bool:
    """Whether a word like "how" or "so" stands before: "how long will it take", "that young"."""
    before = tokens[first - 1].word if first else ""
    return before in of_people.classes()["degrees"] or (
        before == "that" and not _is_plainly_subject(tokens, last)
    )


def are_alike(words: tuple[str, ...]) -> bool:
    """Whether listed words are all adjectives, all stuffs or feelings, or of one kind of thing."""
    shared = set(_kinds(words[0])).intersection(*(_kinds(word) for word in words[1:]))
    return bool(shared) or all(map(_is_adjective, words))


def leads_a_thing(word: str) -> bool:
    """Whether an article or its like before a word makes it a thing: "the", "no", "some"."""
    return word in of_people.classes()["articles"]


@cache
def _classes_of_one() -> dict[str, str]:
    """Return the verbs of many, each with that of one: "are", "is"."""
    return dict(pair.split("=", 1) for pair in of_people.classes()["numbers"])


def begins_after(tokens: list[Token], first: int) -> bool:
    """Whether a clause may begin behind these words: "i heard hope is leaving", "swear down …"."""
    if first == 0:
        return True
    before = tokens[first - 1].word
    return before in of_people.classes()["starts"] or (
        first > 1 and f"{tokens[first - 2].word}_{before}" in of_people.classes()["openers"]
    )


def may_be_owned(word: str) -> bool:
    """Whether people are said to have this, so that a name before it may be an owner: "car"."""
    return any(word in of_people.classes()[kind] for kind in ("body", "own", "lesson"))


def tells_when(word: str) -> bool:
    """Whether a word says when a threat is to come true: "friday", "tomorrow"."""
    return word in of_people.classes()["when"]


def _is_plainly_subject(tokens: list[Token], last: int) -> bool:
    """Whether "is", "has" or "gets" follows, so that even "will" or "may" may be somebody."""
    after = tokens[last].word if last < len(tokens) else ""
    return tokens[last - 1].owner or after in of_people.classes()["plain"]


def _kinds(word: str) -> list[str]:
    """Return the kinds of thing that the sections of the file know this word for."""
    found = [kind for kind in of_people.topics() if word in of_people.classes()[kind]]
    return [*found, of_people.STUFF] if of_kind(word, "mass") else found


def _line(
    tokens: list[Token], first: int, last: int, word: str, *, starts: bool, onward: bool = False
) -> str:
    """Return the sentence around a name as the patterns read it: "< X is dead meat > ".

    With `onward` the sentences behind come too, each as a clause.
    """
    sentence = tokens[first].sentence
    begin, end = first, last
    while begin > max(0, first - _BEHIND) and tokens[begin - 1].sentence == sentence:
        begin -= 1
    while end < min(len(tokens), last + _AHEAD) and (onward or tokens[end].sentence == sentence):
        end += 1
    pieces = ["< "]
    for at in range(begin, end):
        token = tokens[at]
        inside = first < at < last
        if (
            at > begin
            and not inside
            and (
                not _BREAKS.isdisjoint(token.gap)
                or " - " in token.gap
                or token.sentence != tokens[at - 1].sentence
            )
        ):
            pieces.append("> < ")
        elif at > begin and token.gap == "'" and not first < at <= last:
            pieces[-1] = pieces[-1][:-1]
        if first <= at < last:
            if at == first:
                opened = pieces[-1].endswith("< ")
                pieces.append("< X " if starts and not opened else "X ")
            owned = at == last - 1 and (token.owner or token.word == word + "s")
            pieces.extend(["s "] if owned else [])
        else:
            pieces.append(_plain(token) + " ")
    return "".join((*pieces, "> "))


def _plain(token: Token) -> str:
    """Return a word as the patterns know it: without leet, stretched letters and apostrophes."""
    word = token.word
    if not word.isalpha() and not word.isdigit() and len(word) > 3:  # noqa: PLR2004 - "1st", "p3"
        word = "".join(LEET.get(sign, sign) for sign in word)
    return _RUN.sub(r"\1", word) + ("s" if token.owner else "")
