"""Advice on a roster: names that will be trouble, what would and would not match, aliases."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from monitor.matching.matcher import Matcher
from monitor.matching.names import Name, is_unusual, read_name
from monitor.matching.phrases import is_distinctive_alias_of, is_distinctive_school, words_of
from monitor.matching.roster import Alias, Person, Roster, School
from monitor.matching.words import celebrities, gender, is_ordinary, is_word
from monitor.model import Post, PostRef, Scope, Target, TargetKind

_SHORT = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A text tried on the matcher: in a source of the school's own (`scope`), or anywhere."""

    text: str
    scope: Scope
    matches: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to know about an entry: `path` is like `schools[0].staff[3].name`.

    `examples` were really tried, not guessed. `suggestions` are aliases worth adding.
    """

    path: str
    target: Target
    warning: str
    examples: tuple[Example, ...] = ()
    suggestions: tuple[str, ...] = ()


def advise(roster: Roster) -> tuple[Advice, ...]:
    """Return the advice for a roster, in its order; tries every example on a matcher of its own."""
    adviser = _Adviser(roster)
    for number, school in enumerate(roster.schools):
        adviser.school(school, f"schools[{number}]")
    return tuple(adviser.found)


class _Adviser:
    def __init__(self, roster: Roster) -> None:
        self.matcher = Matcher(roster)
        self.found: list[Advice] = []
        self._suggested: set[tuple[str, str]] = set()
        self._aliases: dict[str, list[str]] = defaultdict(list)
        for school in roster.schools:
            for person in school.staff:
                for alias in person.aliases:
                    self._aliases[" ".join(words_of(alias.text))].append(person.id)

    def school(self, school: School, path: str) -> None:
        names = {person.id: read_name(person.name) for person in school.staff}
        for kind, texts in (("name", (school.name,)), ("aliases", school.aliases)):
            for number, text in enumerate(texts):
                where = f"{path}.{kind}" + (f"[{number}]" if kind == "aliases" else "")
                self._school_word(school, text, where)
        for number, person in enumerate(school.staff):
            here = f"{path}.staff[{number}]"
            self._namesakes(school, person, names, here)
            self._name(school, person, names[person.id], here)
            for place, alias in enumerate(person.aliases):
                self._alias(school, person, alias, f"{here}.aliases[{place}]")

    def _add(
        self,
        path: str,
        target: Target,
        warning: str,
        examples: tuple[Example, ...] = (),
        suggestions: tuple[str, ...] = (),
    ) -> None:
        new = tuple(each for each in suggestions if (target.id, each) not in self._suggested)
        self._suggested.update((target.id, each) for each in new)
        self.found.append(Advice(path, target, warning, examples, new))

    def _try(
        self, school: School, target: Target, scope: Scope, *texts: str
    ) -> tuple[Example, ...]:
        return tuple(
            Example(text, scope, matches=self._matches(school, target, scope, text))
            for text in texts
        )

    def _matches(self, school: School, target: Target, scope: Scope, text: str) -> bool:
        source = school.id if scope is Scope.SCHOOL else None
        mentions = self.matcher.match(
            Post(PostRef("check", "example"), text), scope=scope, source_school=source
        )
        return any(mention.target == target for mention in mentions)

    def _school_word(self, school: School, text: str, path: str) -> None:
        words = words_of(text)
        if not words or (is_distinctive_school(words) and not self._is_place(school, words)):
            return
        target = Target(TargetKind.SCHOOL, school.id)
        place = school.places[0] if school.places else ""
        texts = [f"{text} is closed today"] + (
            [f"{text} in {place} is closed today"] if place else []
        )
        warning = (
            f"{text!r} is an ordinary word or a name that many schools or places bear: "
            "it counts only beside a place, an account or a hashtag of the school"
        )
        if not place:
            warning += "; the school has no places, so add its town"
        self._add(path, target, warning, self._try(school, target, Scope.OPEN, *texts))

    @staticmethod
    def _is_place(school: School, words: tuple[str, ...]) -> bool:
        return words in {words_of(place) for place in school.places}

    def _namesakes(self, school: School, person: Person, names: dict[str, Name], path: str) -> None:
        own = names[person.id]
        others = [
            other
            for other in school.staff
            if other.id != person.id and set(names[other.id].surnames) & set(own.surnames)
        ]
        if not others:
            return
        target = Target(TargetKind.PERSON, person.id)
        surname = _written_surname(person, own)
        alike = [other for other in others if _cannot_be_told_apart(person, other)]
        rivals = ", ".join(other.name for other in others)
        title = person.title or "Mr"
        examples = self._try(
            school,
            target,
            Scope.SCHOOL,
            f"{title} {surname} was late",
            f"{surname} was late",
            person.name,
        )
        if alike:
            warning = (
                f"{person.name} and {rivals} share surname and title: where neither forename "
                "nor role is written, both are reported, less sure"
            )
        else:
            warning = (
                f"{person.name} shares a surname with {rivals}: the title decides, where there "
                "is one"
            )
        self._add(f"{path}.name", target, warning, examples, _nicknames(person, own, surname))

    def _name(self, school: School, person: Person, name: Name, path: str) -> None:
        target = Target(TargetKind.PERSON, person.id)
        surname, written = name.surnames[0], _written_surname(person, name)
        title = person.title or "Mr"
        texts = (
            f"{title} {written} was late",
            f"{written} was late",
            f"the {written.lower()} was late",
        )
        if is_word(surname):
            warning = (
                f"the surname {written} is also a word: without a title it counts only where "
                "grammar leaves no other reading, and never outside the school's own sources"
            )
        elif not is_unusual(surname) and not is_ordinary(surname):
            warning = (
                f"the surname {written} is common: title and surname need the school or its town "
                "beside them"
            )
        elif len(surname) <= _SHORT:
            warning = (
                f"the surname {written} is very short: disguises of it need a title beside them"
            )
        else:
            warning = ""
        if warning:
            self._add(
                f"{path}.name", target, warning, self._try(school, target, Scope.SCHOOL, *texts),
                _nicknames(person, name, written),
            )  # fmt: skip
        if name.single:
            self._add(
                f"{path}.name",
                target,
                f"{person.name} is a single name: it counts only beside the school",
                self._try(school, target, Scope.OPEN, f"{person.name} was late"),
            )  # fmt: skip
        if any(f"{forename} {surname}" in celebrities() for forename in name.forenames):
            self._add(
                f"{path}.name", target,
                f"somebody famous is called {person.name}: without a tie to the school a post is "
                "only possible",
                self._try(school, target, Scope.OPEN, f"{person.name} was brilliant last night"),
            )  # fmt: skip

    def _alias(self, school: School, person: Person, alias: Alias, path: str) -> None:
        words = words_of(alias.text)
        target = Target(TargetKind.PERSON, person.id)
        if not words:
            return
        key = " ".join(words)
        if len(set(self._aliases[key])) > 1:
            self._add(
                path,
                target,
                f"the alias {alias.text!r} belongs to several people: all are reported",
            )
        if is_distinctive_alias_of(words, person.name):
            return
        if len(words) == 1 and is_word(words[0]):
            warning = (
                f"the alias {alias.text!r} is an ordinary word: it matches little, or everything"
            )
        elif len(words[-1]) == 1:
            warning = (
                f"the alias {alias.text!r} fits everybody with that initial: it needs the school "
                "beside it"
            )
        else:
            warning = (
                f"the alias {alias.text!r} could mean others: it counts only beside the school"
            )
        self._add(
            path, target, warning,
            (*self._try(school, target, Scope.SCHOOL, f"{alias.text} was late"),
             *self._try(school, target, Scope.OPEN, f"{alias.text} was late")),
        )  # fmt: skip


def _written_surname(person: Person, name: Name) -> str:
    """Return the surname as the roster writes it: "Zhou" of "Zhou Jing Yi"."""
    words = person.name.replace(",", " ").split()
    for last in range(len(words), 0, -1):
        for first in range(last):
            if "".join(words_of("".join(words[first:last]))) == name.surnames[0]:
                return " ".join(words[first:last])
    return words[-1]


def _cannot_be_told_apart(one: Person, other: Person) -> bool:
    titles = [title.strip(". ").lower() for title in (one.title, other.title)]
    return titles[0] == titles[1] or not all(titles) or not any(map(gender, titles))


def _nicknames(person: Person, name: Name, surname: str) -> tuple[str, ...]:
    """Return aliases of the kind that pupils make, to be confirmed by somebody who knows.

    "Jonesy" of Jones, "Robert M" of Robert Marsh, "Miss OB" of Ogunleye-Baptiste: none that the
    roster has already, and none that is an ordinary word ("Marshy").
    """
    made = []
    plain = name.surnames[0]
    pet = _pet_form(surname)
    if pet and not is_word(pet.lower()):
        made.append(pet)
    if name.forenames and not is_ordinary(name.forenames[0]):
        made.append(f"{name.forenames[0].title()} {surname[0]}")
    parts = re.findall(r"[^\W\d_]+", surname)
    if person.title and len(parts) > 1 and len(plain) > _SHORT:
        made.append(f"{person.title.strip('. ')} {''.join(part[0] for part in parts).upper()}")
    known = {words_of(alias.text) for alias in person.aliases}
    return tuple(each for each in made if words_of(each) not in known)


def _pet_form(surname: str) -> str:
    """Return "Webby" of Webb, "Blakey" of Blake, nothing of Carver, Gray, Ng or Nguyễn."""
    if _ONE_SYLLABLE.fullmatch(surname):
        return surname.removesuffix("e") + ("ey" if surname.endswith("e") else "y")
    return ""


_ONE_SYLLABLE = re.compile(r"[b-df-hj-np-tv-z]*[aeiou]+[b-df-hj-np-tv-xz]+(?:es?)?", re.IGNORECASE)
