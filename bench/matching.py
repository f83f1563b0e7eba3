"""How fast the matcher is, and what it costs to build: posts a second on one core, side by side.

Run `python bench/matching.py` for the tables of docs/performance.md, or with `--names 50` for one
size. Rosters and posts are generated; every figure is the median of `--repeats` turns, by processor
time, and the methods take turns, so that ratios hold where the machine's speed does not.
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
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import psutil
from ahocorasick_rs import AhoCorasick

if __package__:
    from bench.measure import table
else:
    from measure import table  # type: ignore[import-not-found, no-redef]
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


def cpu_rate(run: Callable[[], object], count: int) -> float:
    """Return how many posts a second of processor time a run over `count` posts reads."""
    begin = time.process_time()
    run()
    return count / (time.process_time() - begin)


def each(run: Callable[[Any], object], given: Sequence[object]) -> Callable[[], object]:
    """Return a run of a function of one post over all of them."""

    def over_all() -> None:
        for one in given:
            run(one)

    return over_all


Runs = dict[str, tuple[Callable[[], object], int]]


def runs_for(roster: Roster, matcher: Matcher, count: int) -> Runs:
    """Return what is compared and over how many posts; the strangers only look for full names."""
    names = sorted({person.name.lower() for school in roster.schools for person in school.staff})
    plain, odd = make_posts(roster), make_posts(roster, disguised=True)
    ready, ready_odd = ([Post(REF, text) for text in texts] for texts in (plain, odd))
    lines = [_message(text) for text in plain]
    bare = AhoCorasick(names)
    gate: Gate = matcher._gate  # noqa: SLF001 - the disguise pass is timed by itself

    def both_passes(text: str) -> None:
        matcher.wanted(text)
        gate.passes_disguised(text)

    def look(text: str) -> object:
        return bare.find_matches_as_indexes(text.lower())

    found: Runs = {
        BARE: (each(look, plain), len(plain)),
        MATCH: (each(matcher.match, ready), len(ready)),
        "`match_all`, in one go": (lambda: matcher.match_all(ready), len(ready)),
        "gate alone (`wanted`)": (each(matcher.wanted, plain), len(plain)),
        "gate and disguise pass, every post": (each(both_passes, plain), len(plain)),
        "`match`, every post with a disguise": (each(matcher.match, ready_odd[:4000]), 4000),
        "firehose: JSON decoded, gate": (each(lambda line: matcher.wanted(_text(line)), lines),
                                         len(lines)),
    }  # fmt: skip
    if count <= MOST_FOR_RE:
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
        few = plain[:400] if count > 1000 else plain
        found[RE] = (each(lambda text: pattern.search(text.lower()), few), len(few))
    try:
        flashtext2 = importlib.import_module("flashtext2")
    except ImportError:
        return found
    processor = flashtext2.KeywordProcessor(case_sensitive=False)
    processor.add_keywords_from_iter(names)
    found[FLASH] = (each(processor.extract_keywords, plain), len(plain))
    return found


BARE, MATCH, RE, FLASH = "bare automaton", "`match`", "`re` alternation", "`flashtext2`"
MOST_FOR_RE = 5000
REF = PostRef("bench", "1")
REPLY = {"cid": "b" * 59, "uri": "at://" + "u" * 60}


def measure(count: int, repeats: int) -> dict[str, float]:
    """Return posts a second of processor time by method, ratios, build (s) and memory (MB)."""
    process = psutil.Process()
    before = process.memory_info().rss
    roster = make_roster(count)
    gc.collect()
    listed = process.memory_info().rss
    begin = time.process_time()
    matcher = Matcher(roster)
    built = time.process_time() - begin
    gc.collect()
    after = process.memory_info().rss
    compared = runs_for(roster, matcher, count)
    rates: dict[str, list[float]] = {}
    for _ in range(repeats):  # taking turns, so that a slow minute is slow for all
        for name, (run, posts) in compared.items():
            rates.setdefault(name, []).append(cpu_rate(run, posts))
    result = {name: statistics.median(found) for name, found in rates.items()}
    for name, found in rates.items():
        ratios = (one / least for one, least in zip(found, rates[BARE], strict=True))
        result[f"{name} : bare"] = statistics.median(ratios)
    plain = make_posts(roster)
    result[BUILD] = built
    result[ROSTER] = (listed - before) / 1e6
    result[HELD] = (after - listed) / 1e6
    result[THROUGH] = 100 * sum(map(matcher.wanted, plain)) / len(plain)
    return result


BUILD, ROSTER, HELD = "build, s", "the roster itself, MB", "the matcher, MB"
THROUGH = "let through by the gate, %"


def _text(line: str) -> str:
    return str(json.loads(line)["commit"]["record"]["text"])


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


def show(found: dict[int, dict[str, float]]) -> None:
    """Print the tables of docs/performance.md."""
    heads = ["", *(f"{count:,} names" for count in found)]
    rows = list(dict.fromkeys(name for result in found.values() for name in result))
    ratios = [name for name in rows if name.endswith(" : bare") and name != f"{BARE} : bare"]
    costs = [BUILD, ROSTER, HELD, THROUGH]
    rates = [name for name in rows if name not in costs and not name.endswith(" : bare")]
    print("Posts a second of processor time, one core; medians, the methods taking turns.\n")
    table(heads, [[name, *(_number(result.get(name)) for result in found.values())]
                  for name in rates])  # fmt: skip
    print("As a share of the bare automaton's speed, each beside it in the same turn.\n")
    table(heads, [[name.removesuffix(" : bare"),
                   *(_number(result.get(name)) for result in found.values())]
                  for name in ratios])  # fmt: skip
    print("What it costs.\n")
    table(heads, [[name, *(_number(result.get(name)) for result in found.values())]
                  for name in costs])  # fmt: skip
    if all(FLASH not in result for result in found.values()):
        print("`flashtext2` is compared where it is installed; it was not.")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--names", type=int, nargs="*", default=[50, 5000, 100_000, 1_200_000])
    options.add_argument("--repeats", type=int, default=5)
    chosen = options.parse_args()
    found = {}
    for count in chosen.names:
        # A process of its own for each size, so that memory is counted from nothing.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found[count] = pool.apply(measure, (count, chosen.repeats))
    show(found)


if __name__ == "__main__":
    main()
