"""The people of one school by every word that means them inside their school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from monitor.matching.names import Name, forms_of, read_name
from monitor.matching.phrases import role_ways, words_of
from monitor.matching.roster import Person

Words = tuple[str, ...]


class Local:
    """One school's people, each kind of word worked out when it is first asked for.

    Words of several tokens are kept under their first, the longest first. Most schools that a post
    is tied to are asked for little, and a firehose ties posts to thousands of them.
    """

    def __init__(self, people: Sequence[Person], numbers: range) -> None:
        self._people = {number: people[number] for number in numbers}

    @cached_property
    def _names(self) -> dict[int, Name]:
        return {number: read_name(each.name) for number, each in self._people.items()}

    @cached_property
    def surnames(self) -> dict[str, tuple[int, ...]]:
        """Who bears a surname; another spelling counts where nobody is written so."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, name in self._names.items():
            found[name.surnames[0]].append(number)
        exact = frozenset(found)
        for number, name in self._names.items():
            for other in name.surnames[1:]:
                if other not in exact:
                    found[other].append(number)
        return {word: tuple(numbers) for word, numbers in found.items()}

    @cached_property
    def halves(self) -> dict[str, tuple[int, ...]]:
        """Who bears a part of a surname that means them in their own school."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, person in self._people.items():
            if person.name.replace(" ", "", 1).isalpha():
                continue  # two words have no halves, and nearly all names are two words
            for half in read_name(person.name).halves:
                found[half].append(number)
        return {word: tuple(numbers) for word, numbers in found.items()}

    @cached_property
    def forms(self) -> dict[str, tuple[tuple[int, bool], ...]]:
        """Return for each forename or form of it (person, whether the form is close)."""
        found: dict[str, dict[int, bool]] = defaultdict(dict)
        for number, name in self._names.items():
            for place, forename in enumerate(name.forenames):
                for form, close in forms_of(forename).items():
                    near = close and (place == 0 or form == forename)
                    found[form][number] = found[form].get(number, False) or near
        return {form: tuple(numbers.items()) for form, numbers in found.items()}

    @cached_property
    def roles(self) -> dict[str, tuple[tuple[Words, tuple[int, ...]], ...]]:
        """Who holds a role, by the first word of each way to name it."""
        found: dict[Words, list[int]] = defaultdict(list)
        for number, person in self._people.items():
            for words in dict.fromkeys(way for role in person.roles for way in role_ways(role)):
                found[words].append(number)
        return _by_first(found)

    @cached_property
    def aliases(self) -> dict[str, tuple[tuple[Words, int], ...]]:
        """Return (words, person) of each alias by its first word."""
        found: dict[str, list[tuple[Words, int]]] = defaultdict(list)
        for number, person in self._people.items():
            for alias in person.aliases:
                words = words_of(alias.text)
                if words:
                    found[words[0]].append((words, number))
        return {word: tuple(sorted(own, key=lambda a: -len(a[0]))) for word, own in found.items()}


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
