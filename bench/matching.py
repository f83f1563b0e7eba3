"""How fast the matcher is, and what it costs to build: posts a second on one core, side by side.

Run `python bench/matching.py` for the table of docs/performance-matching.md, or with `--names 50`
for one size. Rosters and posts are generated; every figure is the median of `--repeats` runs, and
the methods take turns inside a run, so that ratios hold where the machine's speed does not.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import multiprocessing
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import psutil
from ahocorasick_rs import AhoCorasick

from monitor.matching.gate import Gate
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Alias, Person, Roster, School
from monitor.matching.words import common_surnames, known_forenames, lexicon
from monitor.model import Post, PostRef

POSTS = 20_000
STAFF_A_SCHOOL = 50
EMOJI = ["😂", "🔥", "💙", "👀", "🎉", "😭", "👍", "🤷"]
SYLLABLES = [
    "ba",
    "be",
    "bo",
    "bra",
    "bri",
    "da",
    "de",
    "do",
    "du",
    "fa",
    "fe",
    "fi",
    "ga",
    "go",
    "gra",
    "ha",
    "he",
    "ho",
    "ja",
    "jo",
    "ka",
    "ke",
    "ki",
    "ko",
    "la",
    "le",
    "li",
    "lo",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "no",
    "nwa",
    "oka",
    "pa",
    "pe",
    "pra",
    "ra",
    "re",
    "ri",
    "ro",
    "sa",
    "se",
    "shi",
    "so",
    "sta",
    "ta",
    "te",
    "ti",
    "to",
    "tra",
    "va",
    "ve",
    "vi",
    "wa",
    "we",
    "wi",
    "ya",
    "yo",
    "za",
    "zi",
]
ENDINGS = [
    "ton",
    "son",
    "ley",
    "ford",
    "ham",
    "wood",
    "field",
    "worth",
    "ski",
    "wicz",
    "nathan",
    "swamy",
    "for",
    "ola",
    "ade",
    "eze",
    "mba",
    "dze",
    "man",
    "berg",
]
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


def rate(run: Callable[[Any], object], posts: Sequence[object]) -> float:
    begin = time.perf_counter()
    for text in posts:
        run(text)
    return len(posts) / (time.perf_counter() - begin)


def methods(roster: Roster, matcher: Matcher, count: int) -> dict[str, Callable[[Any], object]]:
    """What is compared, each a function of one text; the bare ones only look for the full names."""
    names = sorted({person.name.lower() for school in roster.schools for person in school.staff})
    bare = AhoCorasick(names)
    gate: Gate = matcher._gate  # noqa: SLF001 - the disguise pass is timed by itself
    found: dict[str, Callable[[Any], object]] = {
        "bare automaton": lambda text: bare.find_matches_as_indexes(text.lower()),
        "match": matcher.match,
        "wanted": matcher.wanted,
        "disguise pass on every post": lambda text: (
            matcher.wanted(text),
            gate.passes_disguised(text),
        ),
    }
    if count <= 5000:
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
        found["re alternation"] = lambda text: pattern.search(text.lower())
    try:
        flashtext2 = importlib.import_module("flashtext2")
    except ImportError:
        return found
    processor = flashtext2.KeywordProcessor(case_sensitive=False)
    processor.add_keywords_from_iter(names)
    found["flashtext2"] = processor.extract_keywords
    return found


REF = PostRef("bench", "1")
REPLY = {"cid": "b" * 59, "uri": "at://" + "u" * 60}


def measure(count: int, repeats: int) -> dict[str, float]:
    """Return posts a second by method for one size, with build time (s) and memory (MB)."""
    process = psutil.Process()
    before = process.memory_info().rss
    roster = make_roster(count)
    gc.collect()
    listed = process.memory_info().rss
    begin = time.perf_counter()
    matcher = Matcher(roster)
    built = time.perf_counter() - begin
    gc.collect()
    after = process.memory_info().rss
    result = {
        "names": float(sum(len(school.staff) for school in roster.schools)),
        "build s": built,
        "roster MB": (listed - before) / 1e6,
        "matcher MB": (after - listed) / 1e6,
    }
    posts, disguised = make_posts(roster), make_posts(roster, disguised=True)
    ready, ready_disguised = ([Post(REF, text) for text in texts] for texts in (posts, disguised))
    table = methods(roster, matcher, count)
    lines = [_message(text) for text in posts]
    rates: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, run in table.items():
            given: Sequence[object] = ready if name == "match" else posts
            few = given[:400] if name == "re alternation" and count > 1000 else given
            rates.setdefault(name, []).append(rate(run, few))
        rates.setdefault("match, every post disguised", []).append(
            rate(table["match"], ready_disguised)
        )
        rates.setdefault("firehose", []).append(
            rate(lambda line: matcher.wanted(json.loads(line)["commit"]["record"]["text"]), lines)
        )
    result.update({name: statistics.median(found) for name, found in rates.items()})
    result["match : bare"] = statistics.median(
        a / b for a, b in zip(rates["match"], rates["bare automaton"], strict=True)
    )
    result["let through"] = sum(map(matcher.wanted, posts)) / len(posts)
    return result


def _message(text: str) -> str:
    """A firehose message of about 760 bytes around a text."""
    message = {
        "did": "did:plc:" + "x" * 24, "time_us": 1, "kind": "commit",
        "commit": {"rev": "3" * 13, "operation": "create",
                   "collection": "app.bsky.feed.post", "rkey": "3" * 13,
                   "record": {"$type": "app.bsky.feed.post", "langs": ["en"],
                              "createdAt": "2026-01-01T00:00:00.000Z",
                              "text": text, "reply": {"parent": REPLY, "root": REPLY}},
                   "cid": "b" * 59},
    }  # fmt: skip
    return json.dumps(message)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--names", type=int, nargs="*", default=[50, 5000, 100_000, 1_200_000])
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    for count in chosen.names:
        # A process of its own for each size, so that memory is counted from nothing.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            result = pool.apply(measure, (count, chosen.repeats))
        print(f"\n{count} names")
        for name, value in result.items():
            print(f"  {name:32} {value:,.3f}" if value < 100 else f"  {name:32} {value:,.0f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
