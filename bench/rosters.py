"""Rosters and posts for the bench of matching: made up, and the same at every run."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import accumulate

from monitor.matching.roster import Alias, Person, Roster, School
from monitor.matching.words import common_surnames, known_forenames, lexicon

POSTS = 20_000
STAFF_A_SCHOOL = 50
EMOJI = ["😂", "🔥", "💙", "👀", "🎉", "😭", "👍", "🤷"]
_SYLLABLES = (
    "ba be bo bra bri da de do du fa fe fi ga go gra ha he ho ja jo ka ke ki ko la le li lo "
    "ma me mi mo na ne no nwa oka pa pe pra ra re ri ro sa se shi so sta ta te ti to tra va "
    "ve vi wa we wi ya yo za zi"
)
SYLLABLES = _SYLLABLES.split()
_ENDINGS = (
    "ton son ley ford ham wood field worth ski wicz nathan swamy for ola ade eze mba dze man berg"
)
ENDINGS = _ENDINGS.split()
TITLES = ["Mr", "Mrs", "Miss", "Ms", "Dr"]
KINDS = ["High School", "Academy", "Primary School", "College", "Community School", "Infant School"]


class Names:
    """Draws names as they fall in a country: few surnames that many bear, many that few bear."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.forenames = sorted(name for name in known_forenames() if len(name) > 3)
        common = sorted(common_surnames())
        rare = sorted(
            {
                "".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) + chance.choice(ENDINGS)
                for _ in range(120_000)
            }
        )
        chance.shuffle(common)
        chance.shuffle(rare)
        self.surnames = common + rare
        weights = [1 / (rank + 3) for rank in range(len(self.surnames))]
        self.surname_weights = list(accumulate(weights))
        chance.shuffle(self.forenames)
        self.forename_weights = list(
            accumulate(1 / (rank + 5) for rank in range(len(self.forenames)))
        )

    def people(self, count: int) -> Iterable[tuple[str, str]]:
        first = self.chance.choices(self.forenames, cum_weights=self.forename_weights, k=count)
        last = self.chance.choices(self.surnames, cum_weights=self.surname_weights, k=count)
        for forename, surname in zip(first, last, strict=True):
            double = self.chance.random() < 0.03
            tail = f"-{self.chance.choice(self.surnames[:2000])}" if double else ""
            yield forename.title(), f"{surname}{tail}".title()


def make_roster(count: int, seed: int = 1) -> Roster:
    """A roster of about `count` people in schools of fifty, with all that a roster has."""
    chance = random.Random(seed)
    names = Names(chance)
    people = names.people(count)
    towns = [
        "".join(chance.choices(SYLLABLES, k=2)) + chance.choice(("by", "ton", "ham", "wick"))
        for _ in range(6000)
    ]
    schools = []
    for number in range(max(1, count // STAFF_A_SCHOOL)):
        word = "".join(chance.choices(SYLLABLES, k=3)) + chance.choice(
            ("wood", "field", "moor", "bridge")
        )
        kind = chance.choice(KINDS)
        staff = tuple(
            Person(
                f"{number}-{place}", f"{forename} {surname}", chance.choice(TITLES),
                aliases=(Alias(f"Miss {surname[:3]}zy"),) if place % 10 == 0 else (),
                handles=(f"@{surname.lower()}_{number}",) if place % 10 == 0 else (),
                roles=(("headteacher",), ("caretaker",), ("SENCO",))[place] if place < 3 else (),
            )
            for place, (forename, surname) in enumerate(_take(people, STAFF_A_SCHOOL))
        )  # fmt: skip
        schools.append(
            School(
                f"s{number}", f"{word.title()} {kind}",
                (word.title(), f"{word[0]}{kind[0]}S".upper()),
                (f"@{word}{number}",), (f"#{word}{number}",),
                (chance.choice(towns).title(), f"{word} Lane"), staff,
            )
        )  # fmt: skip
    return Roster(tuple(schools))


def _take(source: Iterable[tuple[str, str]], count: int) -> Iterable[tuple[str, str]]:
    for _, pair in zip(range(count), source, strict=False):
        yield pair


def make_posts(
    roster: Roster, count: int = POSTS, seed: int = 2, *, disguised: bool = False
) -> list[str]:
    """Posts of about 140 characters: 3 % of words are lone names, 0.09 % of posts name somebody.

    44 % hold an emoji. With `disguised` every post has a sign that opens the disguise pass.
    """
    chance = random.Random(seed)
    kinds = lexicon().kinds
    common = sorted(
        word for word in kinds["function"] if word.isalpha() and (len(word) > 1 or word in "ai")
    )
    rest = sorted(
        word for word in lexicon().words - kinds["function"] if word.isalpha() and len(word) > 1
    )
    chance.shuffle(common)
    chance.shuffle(rest)
    vocabulary = common + rest  # as in English, where half of all words are function words
    weights = list(accumulate(1 / (rank + 8) for rank in range(len(vocabulary))))
    names = [person.name for school in roster.schools[:200] for person in school.staff]
    lone = [word for name in names for word in name.split()]
    posts = []
    for _ in range(count):
        words = chance.choices(vocabulary, cum_weights=weights, k=chance.randint(14, 38))
        for at in range(0, len(words), 2):  # lone: no two names stand side by side
            if chance.random() < 0.06:
                words[at] = chance.choice(lone)
        words[0] = words[0].capitalize()
        for at in range(7, len(words), 9):
            words[at] += chance.choice((",", ".", "!", " -"))
        if chance.random() < 0.0009:
            words.insert(chance.randrange(len(words)), chance.choice(names))
        if chance.random() < 0.44:
            words.append(chance.choice(EMOJI))
        if disguised:
            words.insert(
                chance.randrange(len(words)),
                chance.choice(("gr8tst", "l0ser", "b r o k e n", "f*cking", "sooooo")),
            )
        posts.append(" ".join(words))
    return posts
