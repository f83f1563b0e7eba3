"""How fast the matcher is, and what it costs to build: posts a second on one core, side by side.

Run `python bench/matching.py` for the tables of docs/performance.md, or with `--names 50` for one
size. Rosters and posts are generated; every figure is the median of `--repeats` turns, by processor
time. The methods take turns, each with posts that it has not read before and the bare automaton
beside it on the same posts, so that ratios hold where the machine's speed does not.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import flashtext2
import msgspec
import psutil
from ahocorasick_rs import AhoCorasick

if __package__:
    from bench.measure import table
    from bench.rosters import make_posts, make_roster
else:
    from measure import table  # type: ignore[import-not-found, no-redef]
    from rosters import make_posts, make_roster  # type: ignore[import-not-found, no-redef]
from monitor.matching.gate import Gate
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import Post, PostRef


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


Method = Callable[[list[str]], Callable[[], object]]


def methods_for(roster: Roster, matcher: Matcher, count: int) -> dict[str, Method]:
    """Return what is compared, from texts to a run; strangers look for full names only."""
    names = sorted({person.name.lower() for school in roster.schools for person in school.staff})
    bare = AhoCorasick(names)
    gate: Gate = matcher._gate  # noqa: SLF001 - the disguise pass is timed by itself

    def both_passes(text: str) -> None:
        matcher.wanted(text)
        gate.passes_disguised(text)

    def look(text: str) -> object:
        return bare.find_matches_as_indexes(text.lower())

    def all_of(run: Callable[[Any], object]) -> Method:
        return lambda texts: each(run, texts)

    def matched(texts: list[str]) -> Callable[[], object]:
        return each(matcher.match, [Post(REF, text) for text in texts])

    def together(texts: list[str]) -> Callable[[], object]:
        ready = [Post(REF, text) for text in texts]
        return lambda: matcher.match_all(ready)

    def lines_decoded(texts: list[str]) -> Callable[[], object]:
        return each(lambda line: matcher.wanted(_text(line)), list(map(_message, texts)))

    def lines_matched(texts: list[str]) -> Callable[[], object]:
        lines = list(map(_message, texts))
        return lambda: matcher.match_all([Post(REF, _text_typed(line)) for line in lines])

    def lines_sifted(texts: list[str]) -> Callable[[], object]:
        lines = list(map(_message, texts))
        return lambda: gate.passing([_text_typed(line) for line in lines])

    found: dict[str, Method] = {
        BARE: all_of(look),
        MATCH: matched,
        "`match_all`, in one go": together,
        "gate alone, in one go": lambda texts: lambda: gate.passing(texts),
        "gate alone (`wanted`)": all_of(matcher.wanted),
        "gate and disguise pass, every post": all_of(both_passes),
        DISGUISED: matched,
        "firehose: JSON decoded, gate": lines_decoded,
        "firehose: decoded to types, matched in one go": lines_matched,
        "firehose: decoded to types, gate in one go": lines_sifted,
    }
    if count <= MOST_FOR_RE:
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")
        found[RE] = all_of(lambda text: pattern.search(text.lower()))
    processor = flashtext2.KeywordProcessor(case_sensitive=False)
    processor.add_keywords_from_iter(names)
    found[FLASH] = all_of(processor.extract_keywords)
    return found


BARE, MATCH, RE, FLASH = "bare automaton", "`match`", "`re` alternation", "`flashtext2`"
DISGUISED = "`match`, every post with a disguise"
FEW, MANY = 1000, 10_000
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
    compared = methods_for(roster, matcher, count)
    rates: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    seeds = itertools.count(100)
    for _ in range(repeats):  # taking turns, so that a slow minute is slow for all
        for name, method in compared.items():
            # Posts that nothing has read before: what is remembered of words and names helps only
            # as far as it would in a stream.
            posts = make_posts(
                roster, FEW if name == RE else MANY, next(seeds), disguised=name == DISGUISED
            )
            rate = cpu_rate(method(posts), len(posts))
            least = cpu_rate(compared[BARE](posts), len(posts))
            rates.setdefault(name, []).append(rate)
            shares.setdefault(name, []).append(rate / least)
    result = {name: statistics.median(found) for name, found in rates.items()}
    result |= {f"{name} : bare": statistics.median(found) for name, found in shares.items()}
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


class _Record(msgspec.Struct):
    text: str


class _Commit(msgspec.Struct):
    record: _Record


class _Line(msgspec.Struct):
    commit: _Commit


_LINES = msgspec.json.Decoder(_Line)


def _text_typed(line: str) -> str:
    return _LINES.decode(line).commit.record.text


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
