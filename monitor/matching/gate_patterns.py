"""What the gate's automaton looks for: forenames, and the words and accounts of the roster."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from ahocorasick_rs import BytesAhoCorasick, Implementation

from monitor.matching.full_names import MOST_NAMESAKES
from monitor.matching.gate_bytes import flatten
from monitor.matching.index import Index
from monitor.matching.names import PREFIXES, forms_of
from monitor.matching.normalise import fold
from monitor.matching.phrases import is_odd, words_of
from monitor.matching.pointers import Crowd

STRONG, WEAK, PLACE, TITLE, FORENAME, INITIAL, RUN, MANY = range(8)
_DOTTED = re.compile(r"\b(st|dr|mr|mrs|ms|prof) ")
_MOST_SCHOOLS_AT_A_PLACE = 20
_DFA_UP_TO = 80_000


def surname_edges(index: Index) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the words that a surname in a text may begin with, and those that it may end with."""
    begins, ends = {prefix.encode() for prefix in PREFIXES}, set()
    for surname in index.surnames:
        word = surname.encode("ascii", "replace")
        for way in (word, word + b"'s", word + b"s"):
            begins.add(way)
        ends.add(word)
    for surname in index.parted:
        parts = index.parts(surname)
        begins.add(parts[0].encode("ascii", "replace"))
        ends.add(parts[-1].encode("ascii", "replace"))
        if len(parts[0]) == 1:
            begins.add(f"{parts[0]}'{parts[1]}".encode("ascii", "replace"))
            ends.add(f"{parts[0]}'{parts[1]}".encode("ascii", "replace"))
            begins.add(f"{parts[0]}'{parts[1]}'s".encode("ascii", "replace"))
    return frozenset(begins), frozenset(ends)


def forms_in(index: Index) -> set[str]:
    """Return every form under which somebody on the roster is known, also cut in two."""
    forms: set[str] = set()
    for forename in index.forenames:
        if forename:
            forms.update(forms_of(forename))
            if len(forename) > 4:  # noqa: PLR2004
                forms.update(
                    f"{forename[:cut]} {forename[cut:]}" for cut in range(2, len(forename) - 1)
                )
    return {form for form in forms if form.isascii() and len(form) > 1}


def own_words(  # noqa: C901 - one branch for each kind of word
    index: Index,
) -> dict[bytes, int]:
    """Return the words of schools and the accounts and aliases of people, by their worth."""
    kinds: dict[bytes, int] = {}
    schools: dict[bytes, set[int]] = defaultdict(set)
    of_people: set[bytes] = set()
    for entries in index.phrases.values():
        for words, one in entries:
            refs = one.values() if isinstance(one, Crowd) else [one]
            for pattern, ref in product(_ways(words), refs):
                schools[pattern].add(ref.school)
                if ref.person >= 0:
                    of_people.add(pattern)
                if ref.kind == "place":
                    kinds.setdefault(pattern, PLACE)
                elif ref.alone:
                    kinds[pattern] = STRONG
                elif kinds.get(pattern) != STRONG:
                    kinds[pattern] = WEAK
    for pattern, sharing in schools.items():
        if kinds[pattern] == PLACE and len(sharing) > _MOST_SCHOOLS_AT_A_PLACE:
            del kinds[pattern]
        elif kinds[pattern] == STRONG and len(sharing) > (
            MOST_NAMESAKES if pattern in of_people else 1
        ):
            kinds[pattern] = WEAK
    # An alias that is not distinctive is somebody only beside a place.
    kinds = dict.fromkeys(_alias_ways(index), WEAK) | kinds
    kinds.update(list(_owned(index, kinds)))
    for name in (*index.handles, *index.hashtags, *index.emails):
        flat = " ".join(flatten(name.encode("ascii", "replace")).decode().split())
        if flat:
            kinds[b" " + flat.encode()] = STRONG
    return kinds


def _alias_ways(index: Index) -> Iterator[bytes]:
    for person in index.people:
        for alias in person.aliases:
            words = words_of(alias.text)
            yield from _ways(words) if words else ()


def _owned(index: Index, kinds: dict[bytes, int]) -> Iterator[tuple[bytes, int]]:
    """Yield the words of schools that are written with "'s" ("Cooper's Row"), by their worth.

    The rules cut them up without it, a flat text keeps it.
    """
    for school in index.schools:
        for text in (school.name, *school.aliases, *school.places):
            written = fold(text)
            kind = kinds.get(b" " + " ".join(words_of(text)).encode("ascii", "replace"))
            if "'s " in written and kind is not None:
                way = " ".join(flatten(written.encode("ascii", "replace")).decode().split())
                yield b" " + way.encode(), kind
                yield b" " + way.replace("'", " ").encode(), kind  # as a back-tick leaves it
                yield b" " + _DOTTED.sub(r"\1  ", way).encode(), kind


def _ways(words: tuple[str, ...]) -> set[bytes]:
    """Return what to look for in flat text: the odd word of a phrase, else all of it as written.

    "o brien" is also "o'brien", "st mary" also "st. mary", whose dot is one more gap.
    """
    odd = [word for word in words if len(word) > 3 and is_odd(word)]  # noqa: PLR2004
    if odd:
        return {b" " + max(odd, key=len).encode("ascii", "replace")}
    plain = " ".join(words)
    apostrophes = re.sub(r"\b(\w) (?=\w)", r"\1'", plain)
    dotted = _DOTTED.sub(r"\1  ", plain)
    return {b" " + way.encode("ascii", "replace") for way in (plain, apostrophes, dotted)}


def automaton(patterns: list[bytes]) -> BytesAhoCorasick:
    fast = Implementation.DFA if len(patterns) <= _DFA_UP_TO else Implementation.ContiguousNFA
    return BytesAhoCorasick(patterns or [b"\x00"], implementation=fast)
