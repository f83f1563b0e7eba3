"""The roster made ready to be looked up: names, accounts, aliases and the schools' own words.

Built for 1.2 million people: what every person has (a surname, a forename) lies in sorted arrays of
numbers; what a school's own people are called is compiled when a post is first tied to the school.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate, islice
from sys import intern

import numpy as np

from monitor.matching.kinds import Kinds
from monitor.matching.local import Local
from monitor.matching.names import PREFIXES, Name, forms_of, keys_of, read_name
from monitor.matching.normalise import fold
from monitor.matching.phrases import (
    handle_key,
    is_distinctive_alias_of,
    is_distinctive_school,
    school_ways,
    words_of,
)
from monitor.matching.pointers import CROWD, Entry, PhraseRef, with_crowds
from monitor.matching.roster import Person, Roster, School
from monitor.matching.slips import Slips

_FORENAME_BITS = 24
_MOST_SHAPES = 20_000


class Index:
    """Everything about a roster that does not depend on a post. Never changes once built."""

    def __init__(self, roster: Roster) -> None:
        self.schools: tuple[School, ...] = roster.schools
        self.people: list[Person] = []
        self.school_numbers = {school.id: number for number, school in enumerate(roster.schools)}
        self.handles: dict[str, list[PhraseRef]] = defaultdict(list)
        self.hashtags: dict[str, list[PhraseRef]] = defaultdict(list)
        self.emails: dict[str, int] = {}
        self.phrases: dict[str, list[Entry]] = defaultdict(list)
        self.surnames: dict[str, int] = {}
        self.forenames: dict[str, int] = {}
        self.parted: set[str] = set()
        self._first = array("L")
        rows, bearers = array("Q"), array("L")
        for number, school in enumerate(roster.schools):
            self._first.append(len(self.people))
            self._add_school(number, school)
            for person in school.staff:
                self._add_person(number, person, rows, bearers)
        self._gather_crowds()
        order = np.argsort(np.asarray(rows), kind="stable")
        self._rows = array("Q", np.asarray(rows)[order].tobytes())
        self._bearers = array("L", np.asarray(bearers)[order].tobytes())
        # Where the rows of each surname begin, and the last end: a name is sought among few rows.
        bounds = np.arange(len(self.surnames) + 1, dtype=np.uint64) << np.uint64(_FORENAME_BITS)
        begins = np.searchsorted(np.asarray(self._rows), bounds)
        self._begins = array("L", begins.astype(np.dtype("L")).tobytes())
        self._names = list(self.surnames)
        self.names = frozenset((*self.surnames, *self.forenames))
        self.near = Slips(self._names).near
        self._shapes = self._by_shape()
        self.name = lru_cache(maxsize=4096)(self._name)
        self.ranked = lru_cache(maxsize=16_384)(self._ranked)
        self.named = lru_cache(maxsize=4096)(self._named)  # the gate asks, then the rules
        self.pieces = frozenset(
            piece for surname in self.parted for piece in self.parts(surname) if len(piece) > 1
        )
        self.first_pieces = self._first_pieces()
        self.kinds = Kinds(self.surnames, self.forenames, self.first_pieces)
        self.phrase_words = frozenset(key.partition(" ")[0] for key in self.phrases)
        self._form_shapes = _forms_by_shape(self.forenames)
        self.local = lru_cache(maxsize=512)(self._local)

    # --- building ----------------------------------------------------------------------------

    def _add_school(self, number: int, school: School) -> None:
        own_places = {words_of(place) for place in school.places}
        for kind, texts in (("name", (school.name,)), ("alias", school.aliases)):
            for text in texts:
                for words in school_ways(text):
                    alone = is_distinctive_school(words) and words not in own_places
                    self._phrase(words, PhraseRef(kind, number, alone=alone))
        for place in school.places:
            words = words_of(place)
            if words:
                self._phrase(words, PhraseRef("place", number))
                if len(words) > 1 and any(word[-1].isdigit() for word in words):
                    self._phrase(("".join(words),), PhraseRef("place", number))
        for handle in school.handles:
            self.handles[handle_key(handle)].append(PhraseRef("handle", number))
        for hashtag in school.hashtags:
            self.hashtags["".join(words_of(hashtag))].append(PhraseRef("hashtag", number))

    def _phrase(self, words: tuple[str, ...], ref: PhraseRef) -> None:
        entry: Entry = (tuple(intern(word) for word in words), ref)
        known = self.phrases[" ".join(words[:2])]
        if len(known) > 50 or entry not in known:  # noqa: PLR2004 - "st" begins thousands
            known.append(entry)

    def _gather_crowds(self) -> None:
        """Put a crowd in the place of many schools' references for the same words."""
        for key, entries in self.phrases.items():
            if len(entries) > CROWD:
                self.phrases[key] = with_crowds(entries)

    def _add_person(
        self, school: int, person: Person, rows: array[int], bearers: array[int]
    ) -> None:
        number = len(self.people)
        self.people.append(person)
        surnames, forenames = keys_of(person.name)
        if (
            len(surnames) > 1
            or not surnames[0].isalpha()
            or " " + surnames[0] not in person.name.lower()
        ):
            self.parted.update(surnames)
        for surname in surnames:
            high = self.surnames.setdefault(surname, len(self.surnames)) << _FORENAME_BITS
            for forename in forenames or ("",):
                rows.append(high | self.forenames.setdefault(forename, len(self.forenames) + 1))
                bearers.append(number)
        for handle in person.handles:
            self.handles[handle_key(handle)].append(PhraseRef("handle", school, number))
        if person.email:
            self.emails[fold(person.email).strip()] = number
        for alias in person.aliases:
            words = words_of(alias.text)
            if words and is_distinctive_alias_of(words, person.name):
                ref = PhraseRef("alias", school, number)
                self._phrase(words, ref)
                self.hashtags["".join(words)].append(ref)

    def _by_shape(self) -> dict[tuple[str, int], list[str]]:
        shapes: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name in self._names:
            shapes[name[0], len(name)].append(name)
        return dict(shapes)

    def _first_pieces(self) -> frozenset[str]:
        """Return every word that a name written as several words can begin with.

        A forename may be cut anywhere; a surname behind a prefix or where its parts meet.
        """
        pieces = set(PREFIXES)
        for forename in self.forenames:
            pieces.update(forename[:end] for end in range(1, len(forename) + 1))
        for surname in self.parted:
            ends = accumulate(map(len, self.parts(surname)))
            pieces.update(surname[:end] for end in ends)
        return frozenset(pieces)

    # --- looking up --------------------------------------------------------------------------

    def school_of(self, person: int) -> int:
        return bisect_right(self._first, person) - 1

    def calls_itself(self, school: int, kind: str) -> bool:
        """Whether a kind of school ("academy") stands in a school's name or aliases."""
        own = self.schools[school]
        return kind in " ".join((own.name, *own.aliases)).lower()

    def has_surname(self, word: str) -> bool:
        """Whether a folded word is somebody's full surname, in any of its spellings."""
        return word in self.surnames

    def bearers(self, surname: str, *, most: int) -> tuple[int, ...]:
        """Return people of this surname, at most `most`; nobody where more bear it."""
        number = self.surnames.get(surname)
        if number is None:
            return ()
        begin, end = self._begins[number], self._begins[number + 1]
        people = tuple(dict.fromkeys(self._bearers[begin:end])) if end - begin <= most * 4 else ()
        return people if len(people) <= most else ()

    def one_of(self, surname: str) -> int | None:
        """Return some person of this surname: all write its parts alike."""
        number = self.surnames.get(surname)
        if number is None:
            return None
        return self._bearers[self._begins[number]]

    def parts(self, surname: str) -> tuple[str, ...]:
        """Return the pieces of a surname as its first bearer writes it."""
        person = self.one_of(surname)
        return (surname,) if person is None else self.name(person).parts

    def _named(self, surname: str, form: str) -> Mapping[int, int]:
        """Return who bears this surname and is known as `form`: 2 for close, 1 for distant."""
        number = self.surnames.get(surname)
        found: dict[int, int] = {}
        if number is None:
            return found
        for row, rank in self._rows_named(number, form):
            person = self._bearers[row]
            found[person] = max(found.get(person, 0), rank)
        return found

    def _rows_named(self, surname: int, form: str) -> Iterator[tuple[int, int]]:
        """Yield (row, rank of the form) of each row of a surname whose forename is known so."""
        begin, end = self._begins[surname], self._begins[surname + 1]
        high = surname << _FORENAME_BITS
        for forename, rank in self.ranked(form):
            row = bisect_left(self._rows, high | forename, begin, end)
            while row < end and self._rows[row] == high | forename:
                yield row, rank
                row += 1

    def _ranked(self, form: str) -> tuple[tuple[int, int], ...]:
        """Return (number, rank) of the roster's forenames that are known as `form`."""
        found = []
        for forename in forms_of(form):
            number, forms = self.forenames.get(forename), forms_of(forename)
            if number is not None and form in forms:
                found.append((number, 2 if forms[form] else 1))
        return tuple(found)

    def count_named(self, surname: str, form: str, *, most: int) -> int:
        """Return how many rows `named` would read, counting to `most`; for the gate."""
        rows = self._rows_named(self.surnames[surname], form)
        return sum(1 for _ in islice(rows, most))

    def of_shape(self, pattern: str) -> list[str]:
        """Return the surnames that begin and end in number of letters like a masked word."""
        shapes = self._shapes.get((pattern[0], len(pattern)), [])
        return shapes if len(shapes) <= _MOST_SHAPES else []

    def forms_of_shape(self, pattern: str) -> list[str]:
        """Return the forenames and short forms that agree with a masked word ("s*nita")."""
        agree = re.compile(re.escape(pattern).replace(r"\*", "[a-z]")).fullmatch
        return [form for form in self._form_shapes.get((pattern[0], len(pattern)), ())
                if agree(form)]  # fmt: skip

    def surnames_of_shape(self, pattern: str) -> list[str]:
        """Return the surnames that agree with a masked word."""
        agree = re.compile(re.escape(pattern).replace(r"\*", "[a-z]")).fullmatch
        return [name for name in self.of_shape(pattern) if agree(name)]

    def _name(self, person: int) -> Name:
        return read_name(self.people[person].name)

    def _local(self, school: int) -> Local:
        first = self._first[school]
        last = self._first[school + 1] if school + 1 < len(self._first) else len(self.people)
        return Local(self.people, range(first, last))


def _forms_by_shape(forenames: Iterable[str]) -> dict[tuple[str, int], tuple[str, ...]]:
    shapes: dict[tuple[str, int], set[str]] = defaultdict(set)
    for forename in forenames:
        for form in forms_of(forename) if forename else ():
            shapes[form[0], len(form)].add(form)
    return {shape: tuple(sorted(forms)) for shape, forms in shapes.items()}
