"""Data in: reads the labelled files, cleans them, and drops whatever stands near a test text."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
WORK = HERE / "work"

GRADES = ("threatening", "abusive", "neutral")
FLAGS = (
    "allegation",
    "private-information",
    "pile-on",
    "impersonation",
    "sexual",
    "discriminatory",
    "distress",
    "welfare",
    "second-hand",
    "mild",
)
FOREIGN = len(FLAGS)
"""Place of the eleventh mark: the text is not in English (dialects of English are)."""

# The files in which a flag's absence means "no", from their authors' description.
_SIX = frozenset(FLAGS[:6])
_FIVE = frozenset(("distress", "welfare", "second-hand", "mild", "allegation"))
COMPLETE = {"mixed": _SIX, "abuse": _SIX, "leverage": _SIX, "flags": _FIVE}
# `training/cases/hard-*` and `threads` tell all ten flags of a row, `flags-*` the five of `flags`.
# Posts of an ordinary month carry none of these but by accident, and hold back false flags.
_ORDINARY = frozenset(FLAGS)


@dataclass(frozen=True)
class Row:
    """One labelled text. `grade` is None where only abuse yes or no is known (`abuse`)."""

    id: str
    text: str
    mention: str
    grade: str | None
    group: str
    file: str
    flags: frozenset[str] = frozenset()
    known_flags: frozenset[str] = frozenset()
    lang: str = "en"
    thread: str = ""
    title: str = ""
    scope: str = ""
    abuse: int | None = None
    weight: float = 1.0
    category: str = field(default="", compare=False)


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON-lines file, packed or not."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)


def skeleton(text: str) -> str:
    """Return lower-case letters and single spaces: equal for texts that differ in dress only."""
    plain = unicodedata.normalize("NFKD", text).lower()
    return re.sub(r"[\W\d_]+", " ", plain).strip()


class Forbidden:
    """Test texts, and whether another text stands too near one of them."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """texts: pairs of (text, mention); the mention may be empty."""
        self._exact: set[str] = set()
        self._shingles: dict[str, set[int]] = {}
        self._sizes: list[int] = []
        for text, mention in texts:
            bare = self._bare(text, mention)
            self._exact.add(bare)
            grams = self._grams(bare)
            for gram in grams:
                self._shingles.setdefault(gram, set()).add(len(self._sizes))
            self._sizes.append(len(grams))

    @staticmethod
    def _bare(text: str, mention: str) -> str:
        """Skeleton without the mention; of a text without letters (emoji alone), the text."""
        rest = text.replace(mention, " ") if mention else text
        return skeleton(rest) or " ".join(rest.split())

    @staticmethod
    def _grams(bare: str) -> set[str]:
        words = bare.split()
        return {" ".join(words[n : n + 4]) for n in range(len(words) - 3)}

    def near(self, text: str, mention: str = "") -> bool:
        """True for the same words, or where a third of the runs of four words are shared."""
        bare = self._bare(text, mention)
        if bare in self._exact:
            return True
        grams = self._grams(bare)
        shared: dict[int, int] = {}
        for gram in grams:
            for index in self._shingles.get(gram, ()):
                shared[index] = shared.get(index, 0) + 1
        return any(
            n / max(1, min(len(grams), self._sizes[index])) >= 1 / 3 for index, n in shared.items()
        )


def forbidden(*, public: bool = True) -> Forbidden:
    """Gather every test set: the development set, the ordinary stream, held cases, public tests."""
    texts = [
        (row["text"], row["mention"]) for row in lines(SHARED / "grading/staffcheck-dev.jsonl")
    ]
    for file in kept_apart():
        texts += [(row["text"], row.get("mention", "")) for row in lines(file)]
    if public:
        for file in sorted((SHARED / "data/test").glob("*.jsonl.gz")):
            texts += [(row["text"], "") for row in lines(file)]
        texts += [(row["text"], "") for row in lines(SHARED / "data/drop_from_train.jsonl.gz")]
    return Forbidden(texts)


def is_ordinary(row: Row) -> bool:
    """Say whether the row belongs to the two files that are an ordinary month as it comes."""
    return row.file in ("ordinary-primary", "ordinary-secondary")


def is_held(row: Row) -> bool:
    """Say whether this row's group is kept: 8 % of groups, 25 % of ordinary, 15 % of flags."""
    part = int(hashlib.sha256(row.group.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    if is_ordinary(row):
        return part < 0.25
    return part < (0.15 if row.file == "flags" else 0.08)


def kept_apart() -> list[Path]:
    """Return the files of `training/cases` that nobody trains on, `held-*`."""
    return sorted((HERE / "cases").glob("held-*.jsonl"))


def learned() -> list[Path]:
    """Return the files of `training/cases` that training takes: all but those kept apart."""
    apart = set(kept_apart())
    return [file for file in sorted((HERE / "cases").glob("*.jsonl")) if file not in apart]


def in_domain(more: Sequence[Row] = ()) -> list[Row]:
    """Read the mentions of school staff: the given files and those of `training/cases`.

    `more` are rows from elsewhere, such as a school's corrections. What stands near a test text, or
    near one of the files kept apart, is left out.
    """
    given = sorted((SHARED / "grading/train").glob("*.jsonl"))
    barred = forbidden(public=False)
    rows = list(more)
    for file in (*given, *learned()):
        rows += _family_groups([_row(line, file.stem, n) for n, line in enumerate(lines(file))])
    return [row for row in rows if not barred.near(row.text, row.mention)]


def _row(line: dict[str, Any], name: str, number: int) -> Row:
    known = COMPLETE.get(name, frozenset())
    if name.startswith("ordinary"):
        known = _ORDINARY
    elif name.startswith(("hard-", "threads")) and "flags" in line:
        known = frozenset(FLAGS)
    elif name.startswith("flags-"):
        known = _FIVE
    flags = frozenset(line.get("flags", ()))
    group = line.get("pair") or f"{name}-{number}"
    return Row(
        id=line.get("id", f"{name}-{number}"),
        text=line["text"],
        mention=line["mention"],
        grade=line["label"],
        group=f"{name}:{group}",
        file=name,
        flags=flags,
        known_flags=known | flags,
        lang=line.get("lang", "en").split("-")[0]
        if not line.get("lang", "en").startswith("en")
        else "en",
        thread=line.get("thread", ""),
        title=line.get("title", ""),
        scope=line.get("scope", ""),
        weight=float(line.get("weight", 1.0)),
    )


def _family_groups(rows: list[Row]) -> list[Row]:
    """Give neighbours that share a long opening, a text or most words one group."""
    grouped: list[Row] = []
    for row in rows:
        previous = next((other for other in reversed(grouped[-8:]) if _kin(row, other)), None)
        grouped.append(row if previous is None else _with_group(row, previous.group))
    return grouped


def _kin(one: Row, other: Row) -> bool:
    if one.group == other.group or one.text == other.text or one.text[:60] == other.text[:60]:
        return True
    a, b = set(skeleton(one.text).split()), set(skeleton(other.text).split())
    return len(a & b) >= 0.5 * max(1, min(len(a), len(b)))


def _with_group(row: Row, group: str) -> Row:
    return Row(
        **{**{name: getattr(row, name) for name in Row.__dataclass_fields__}, "group": group}
    )


# How many of each public set to take: (threatening, abusive, neutral). The mix leans on sets whose
# neutrals swear, so that a swear word alone is not abuse.
PUBLIC = {
    "edos": (500, 4400, 6000),
    "gab_hate_corpus": (200, 2300, 4000),
    "hatemoji_build": (300, 2800, 2700),
    "threatgram101": (1400, 0, 1200),
    "implicit_hate": (200, 3000, 4000),
    "guest_misogyny": (10, 540, 3000),
    "jigsaw_toxic_small": (30, 300, 900),
    "cad": (0, 4000, 6000),
    "dynahate_partial": (0, 8000, 7000),
    "hatexplain": (0, 2000, 1500),
    "davidson": (0, 1400, 2500),
    "convabuse": (0, 430, 1200),
    "fox_news_comments": (0, 430, 1000),
    "civil_toxic_spans": (0, 5000, 0),
    "wiki_personal_attacks_sample": (0, 1300, 3000),
    "hyperbole_hypo": (0, 0, 1200),
    "goemotions_swearing": (0, 0, 970),
    "tweeteval_sentiment": (0, 0, 4000),
    "tweeteval_emotion": (0, 0, 2000),
}


def public(seed: int) -> list[Row]:
    """Read the public sets for the warm-up, thinned to `PUBLIC`, less what stands near a test."""
    barred = forbidden()
    rng = random.Random(seed)
    rows: list[Row] = []
    seen: set[str] = set()
    for name, wanted in PUBLIC.items():
        file = SHARED / "data/train" / f"{name}.jsonl.gz"
        pool: dict[str, list[Row]] = {grade: [] for grade in GRADES}
        for n, line in enumerate(lines(file)):
            bare = skeleton(line["text"])
            if (
                line.get("split") == "test"
                or line["label"] is None
                or bare in seen
                or len(line["text"]) > 400
            ):
                continue
            seen.add(bare)
            unsure = line["label"] == "abusive" and line.get("threat") is None
            grade = None if unsure else line["label"]
            text = re.sub(r"\[USER\]|@\w+", "@user", line["text"]).replace("[URL]", "link")
            row = Row(f"{name}-{n}", text, "", grade, f"{name}-{n}", name, abuse=line.get("abuse"))
            pool[line["label"]].append(row)
        for grade, count in zip(GRADES, wanted, strict=True):
            picked = rng.sample(pool[grade], min(count, len(pool[grade])))
            rows += [row for row in picked if not barred.near(row.text)]
    return rows
