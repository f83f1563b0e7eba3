"""Reading of names: which words of a roster entry are forenames, which the surname."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from monitor.matching.normalise import fold
from monitor.matching.words import (
    TITLES,
    common_surnames,
    is_ordinary,
    known_forenames,
    nickname_lines,
    of_kind,
    word_list,
)

_PARTICLES = word_list("names.particles")
PREFIXES = _PARTICLES | {"fitz", "saint", "ben", "ould", "ait"}
_FAMILY_FIRST = word_list("names.family_first")
_GAPS = re.compile(r"[\s\-'.,()\"]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


class Name(NamedTuple):
    """A roster name, read. All words are folded and run together ("o'brien" is "obrien").

    `forenames` are what stands before the surname, the first one first; `initials` theirs.
    `surnames` are full surnames (spellings of one), `halves` parts of it that mean the person
    only in the person's own school. `parts` are the pieces of the surname as written.
    """

    forenames: tuple[str, ...]
    initials: frozenset[str]
    surnames: tuple[str, ...]
    halves: tuple[str, ...]
    parts: tuple[str, ...]

    @property
    def single(self) -> bool:
        return not self.forenames and not self.initials


def read_name(written: str) -> Name:
    """Read a name as a roster gives it: "Rebecca Okafor", "Okafor, Rebecca", "Zhao Mei Ling"."""
    plain = _plain(written)
    if plain:
        first, last = plain
        return Name((first,), frozenset(first[0]), (last,), (), (last,))
    return _read_at_length(written)


def _read_at_length(written: str) -> Name:
    nicknames = tuple(
        _joined(found)
        for found in re.findall(r"[(\"“']{1}(\w[\w ]*)[)\"”']", fold(written))
        if f" {found}" not in fold(written)
    )
    flat = re.sub(r"[(\"“]\w[\w ]*[)\"”]", " ", fold(written))
    before, comma, after = flat.partition(",")
    if comma and after.strip():
        flat = f"{after} {before}"
    words = [word.strip(".'-\"") for word in flat.split()]
    words = [word for word in words if _joined(word)]
    while len(words) > 1 and words[0] in TITLES:
        words = words[1:]
    if not words:
        words = [flat.strip()]
    cut = _surname_start(words, ordered=bool(comma))
    if cut < 0:
        given, family = words[1:], words[:1]
    else:
        given, family = words[:cut], words[cut:]
    return _assemble(given, family, nicknames, written)


def keys_of(written: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (surnames, forenames) of a roster name; quick for the plain two-word names of most."""
    plain = _plain(written)
    if plain:
        return (plain[1],), (plain[0],)
    name = _read_at_length(written)
    return name.surnames, name.forenames


def _plain(written: str) -> tuple[str, str] | None:
    """Return (forename, surname), folded, of a name of two words that have but one reading."""
    if not written.isascii():
        return None
    words = written.lower().split()
    if len(words) != 2 or not words[0].isalpha() or not words[1].isalpha():  # noqa: PLR2004
        return None
    first, last = words
    if len(first) == 1 or first in TITLES or first in _FAMILY_FIRST:
        return None
    spelled = last[-3:] in _MANY_SPELLINGS or last[:2] in {"mc", "ma"} or spellings_of(last)
    return None if spelled else (first, last)


_MANY_SPELLINGS = frozenset({"ski", "ska", "cki", "cka", "dzki", "dzka"})


def _surname_start(words: list[str], *, ordered: bool) -> int:
    """Return where the surname begins; -1 where the family name stands first."""
    if len(words) == 1:
        return 0
    if (
        not ordered
        and words[0] in _FAMILY_FIRST
        and words[-1] not in _FAMILY_FIRST
        and words[-1] not in common_surnames()
        and words[0] not in known_forenames()
    ):
        return -1
    for index in range(1, len(words) - 1):
        if words[index] in _PARTICLES:
            return index
    return len(words) - 1


def _joined(word: str) -> str:
    return _GAPS.sub("", word)


def _assemble(
    given: list[str], family: list[str], nicknames: tuple[str, ...], written: str
) -> Name:
    parts = tuple(part for word in family for part in re.split(r"[-']", word) if part)
    surname = "".join(parts)
    forenames = [_joined(word) for word in given]
    halves = [part for part in parts if len(parts) > 1 and _may_stand_alone(part)]
    kept: list[str] = []
    for place, word in enumerate(given):
        name = _joined(word)
        if place == 0 or name in known_forenames():
            kept.append(name)
            kept.extend(piece for piece in word.split("-")[:1] if "-" in word and len(piece) > 2)  # noqa: PLR2004
        elif len(name) > 2:  # noqa: PLR2004
            halves.append(name)
    if len(given) > 1:
        kept.append("".join(forenames[:2]))
    if forenames and forenames[0] in {"mohammed", "muhammad", "mohammad", "mohamed"}:
        kept.extend(forenames[1:])
    return Name(
        forenames=tuple(dict.fromkeys(name for name in (*kept, *nicknames) if len(name) > 1)),
        initials=frozenset(name[0] for name in kept if name),
        surnames=_spellings(surname, parts, written),
        halves=tuple(dict.fromkeys(half for half in halves if half != surname)),
        parts=parts,
    )


def _may_stand_alone(part: str) -> bool:
    """Whether a part of a surname is a name: "Saoir" of "Mac an t-Saoir", neither "an" nor "t"."""
    little = of_kind(part, "function") and part not in _NAMES_TOO
    return len(part) > 1 and part not in _PARTICLES | {"los", "las"} and not little


def _spellings(surname: str, parts: tuple[str, ...], written: str) -> tuple[str, ...]:
    """Return the surname and the spellings of it that are no slip."""
    found = [surname]
    low = written.lower()
    if low.translate(_UMLAUTS) != low:
        found.append("".join(re.split(r"[\s\-']+", fold(low.translate(_UMLAUTS)))[-len(parts) :]))
    if len(parts) > 1 and parts[0] in {"al", "el"}:
        found.append(("el" if parts[0] == "al" else "al") + "".join(parts[1:]))
    for short, long in (("mc", "mac"), ("st", "saint")):
        if parts[0] == short and len(parts) > 1:
            found.append(long + "".join(parts[1:]))
    if surname.startswith("mac") and len(surname) > 6:  # noqa: PLR2004
        found.append("mc" + surname[3:])
    elif surname.startswith("mc") and len(surname) > 5:  # noqa: PLR2004
        found.append("mac" + surname[2:])
    for man, woman in (("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")):
        if len(surname) > len(man) + 3 and surname.endswith(man):
            found.append(surname[: -len(man)] + woman)
        elif len(surname) > len(woman) + 3 and surname.endswith(woman):
            found.append(surname[: -len(woman)] + man)
    found.extend(spellings_of(surname))
    return tuple(dict.fromkeys(found))


_NAMES_TOO = frozenset({"will", "may"})


@lru_cache(maxsize=16_384)
def forms_of(forename: str) -> dict[str, bool]:
    """Return every form under which somebody of this forename is known, the name itself included.

    The value tells whether the form is close (the same name, its short form or its full form);
    a form that is only another short form of the same full name is not.
    """
    forms, fulls = _forms()
    known = {forename: True}
    for form in forms.get(forename, ()):
        known[form] = True
    for full in fulls.get(forename, ()):
        known[full] = True
        for sibling in forms[full]:
            known.setdefault(sibling, False)
    return known


@cache
def _forms() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return (full form -> its forms, form -> full forms)."""
    forms: dict[str, set[str]] = {}
    fulls: dict[str, set[str]] = {}
    for full, shorts in nickname_lines():
        kept = {short for short in shorts if short in _NAMES_TOO or not of_kind(short, "function")}
        forms.setdefault(full, set()).update(kept)
        for short in kept:
            fulls.setdefault(short, set()).add(full)
    return (
        {name: frozenset(names) for name, names in forms.items()},
        {name: frozenset(names) for name, names in fulls.items()},
    )


@lru_cache(maxsize=65_536)
def is_unusual(surname: str) -> bool:
    """Whether a folded surname points to few people: not common, no word, no forename."""
    return not (surname in common_surnames() or is_ordinary(surname) or len(surname) < 3)  # noqa: PLR2004


_SPELLINGS = (
    "hussain hussein husain husein hussayn husayn hossain hussaini",
    "ahmed ahmad achmed ahmet", "mohammed muhammad mohamed mohammad mohamad muhammed mohamud",
    "choudhury chowdhury chaudhry chaudhary chaudhri choudhry choudry chaudhury",
    "khatun khatoon", "siddiqui siddiqi siddique sidiqui", "qureshi quraishi qureishi koreshi",
    "sheikh shaikh shaykh sheik", "rahman rehman rahmaan", "mahmood mahmoud mehmood mahmud",
    "yousaf yusuf yousuf yousef youssef", "uddin udin ud-din", "iqbal ikbal", "hassan hasan",
    "abdullah abdulla abdallah", "osman usman uthman othman", "farooq farooqi faruq faruk",
    "malik malick", "mirza mirzah", "bhatti bhati", "gonzalez gonzales", "rodriguez rodrigues",
    "fernandez fernandes", "lopez lopes", "gomez gomes", "perez peres",
    "iyer aiyar ayer", "reddy reddi",
)  # fmt: skip


@cache
def _spelling_groups() -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(other for other in group.split() if other != name)
        for group in _SPELLINGS
        for name in group.split()
    }


def spellings_of(surname: str) -> tuple[str, ...]:
    """Return the other ways in which a surname from another script is spelled in English."""
    return _spelling_groups().get(surname, ())
