"""The people of one school by every word that means them inside their school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from monitor.matching.names import forms_of, read_name
from monitor.matching.phrases import role_ways, words_of
from monitor.matching.roster import Person

Words = tuple[str, ...]


class Local(NamedTuple):
    """One school's people. Words of several tokens are kept under their first, the longest first.

    `forms` gives for each forename or form of it (person, whether the form is close).
    """

    surnames: dict[str, tuple[int, ...]]
    halves: dict[str, tuple[int, ...]]
    forms: dict[str, tuple[tuple[int, bool], ...]]
    roles: dict[str, tuple[tuple[Words, tuple[int, ...]], ...]]
    aliases: dict[str, tuple[tuple[Words, int], ...]]


def compile_local(  # noqa: C901 - one loop for each kind of word
    people: Sequence[Person], numbers: range
) -> Local:
    """Return the words for the people of these numbers."""
    surnames: dict[str, list[int]] = defaultdict(list)
    halves: dict[str, list[int]] = defaultdict(list)
    forms: dict[str, dict[int, bool]] = defaultdict(dict)
    roles: dict[Words, list[int]] = defaultdict(list)
    aliases: dict[str, list[tuple[Words, int]]] = defaultdict(list)
    names = {number: read_name(people[number].name) for number in numbers}
    for number, name in names.items():
        person = people[number]
        surnames[name.surnames[0]].append(number)
        for half in name.halves:
            halves[half].append(number)
        for place, forename in enumerate(name.forenames):
            for form, close in forms_of(forename).items():
                near = close and (place == 0 or form == forename)
                forms[form][number] = forms[form].get(number, False) or near
        for words in dict.fromkeys(way for role in person.roles for way in role_ways(role)):
            roles[words].append(number)
        for alias in person.aliases:
            words = words_of(alias.text)
            if words:
                aliases[words[0]].append((words, number))
    exact = frozenset(surnames)
    for number, name in names.items():
        for other in name.surnames[1:]:
            if other not in exact:
                surnames[other].append(number)
    return Local(
        {word: tuple(found) for word, found in surnames.items()},
        {word: tuple(found) for word, found in halves.items()},
        {form: tuple(found.items()) for form, found in forms.items()},
        _by_first(roles),
        {word: tuple(sorted(found, key=lambda a: -len(a[0]))) for word, found in aliases.items()},
    )


def _by_first(
    roles: dict[Words, list[int]],
) -> dict[str, tuple[tuple[Words, tuple[int, ...]], ...]]:
    table: dict[str, list[tuple[Words, tuple[int, ...]]]] = defaultdict(list)
    for words, people in roles.items():
        table[words[0]].append((words, tuple(people)))
    return {
        first: tuple(sorted(found, key=lambda entry: -len(entry[0])))
        for first, found in table.items()
    }
