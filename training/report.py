"""The evaluation that anyone can run: the shipped model on texts that no training step has seen."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.grading.grader import Grader
from monitor.grading.question import Question, spans_of
from training.calibrate import expected_error
from training.faithful import faithfulness
from training.rows import GRADES, HERE, SHARED, WORK, kept_apart, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Judge = Callable[[str, str], str]
    """Text and mention in, name of the grade out."""

PERSON = "Mr Harlow"
ORDINARY = HERE / "cases" / "held-ordinary.jsonl"
"""The stream of 500 ordinary posts that nobody trains on."""

# HateCheck attacks groups; read towards a person, the first words for a group become that person.
_GROUP = re.compile(
    r"\b(?:(?:all|any|every|each|some|those|these|the|that|a|an|next|other|no|you)\s+)*"
    r"(?:[a-z]+\s)?(?:women|woman|females?|bitch(?:es)?|cunts?|sluts?|whores?|"
    r"trans(?:gender)?(?:\s(?:people|person|women|men|folk))?|trann(?:y|ies)|"
    r"gays?(?:\s(?:people|person|men|folk))?|fag(?:got)?s?|homosexuals?|lesbians?|"
    r"blacks?(?:\s(?:people|person|men|folk))?|nigg(?:er|a)s?|"
    r"disabled(?:\s(?:people|person|folk))?|retards?|cripples?|"
    r"muslims?(?:\s(?:people|person))?|(?:moslem|muzzie|mudslime)s?|"
    r"immigrants?|migrants?|foreigners?)\b",
    re.IGNORECASE,
)


def towards_a_person(text: str) -> str:
    """Return a HateCheck text as said about `PERSON`: the group becomes the person.

    Where the text names no group it is put in the mouth of somebody who talks to the person.
    """
    changed, count = _GROUP.subn(PERSON, text)
    return changed if count else f"As I said to {PERSON}: {text}"


@dataclass(frozen=True)
class Case:
    """One case of a test set, with what the program answered."""

    truth: str
    said: str
    category: str
    flags: frozenset[str]
    found: frozenset[str]
    chances: tuple[float, float, float]
    unsure: bool


def asked(grader: Grader, rows: Iterable[dict[str, Any]]) -> list[Case]:
    """Grade every row as the program would."""
    cases = []
    for row in rows:
        spans = spans_of(row["text"], row["mention"])
        grade = grader.grade(
            Question(row["text"], spans, title=row.get("title", ""), thread=row.get("thread", "")),
            reasons=False,
        )
        assert grade.scores is not None
        scores = grade.scores
        cases.append(
            Case(
                row["label"],
                grade.severity.value,
                row.get("category", ""),
                frozenset(row.get("flags", ())),
                frozenset(flag.value for flag in grade.flags),
                (scores.threatening, scores.abusive, scores.neutral),
                grade.unsure,
            )
        )
    return cases


def macro(pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Precision, recall and F1 of each grade and their mean F1."""
    result = {}
    for grade in GRADES:
        hit = sum(truth == said == grade for truth, said in pairs)
        said_so = sum(said == grade for _, said in pairs)
        is_so = sum(truth == grade for truth, _ in pairs)
        result[f"precision {grade}"] = hit / max(1, said_so)
        result[f"recall {grade}"] = hit / max(1, is_so)
        result[f"f1 {grade}"] = 2 * hit / max(1, said_so + is_so)
    result["macro-F1"] = float(np.mean([result[f"f1 {grade}"] for grade in GRADES]))
    return result


def summary(cases: list[Case]) -> dict[str, Any]:
    """Everything that the docs show about one labelled set."""
    pairs = [(case.truth, case.said) for case in cases]
    by_category = defaultdict(list)
    for case in cases:
        by_category[case.category].append(case.truth == case.said)
    neutral = [case for case in cases if case.truth == "neutral"]
    threats = [case for case in cases if case.truth == "threatening"]
    chances = np.array([case.chances for case in cases])
    truth = np.array([GRADES.index(case.truth) for case in cases])
    return {
        "cases": len(cases),
        **macro(pairs),
        "neutral called threatening": _share(neutral, lambda case: case.said == "threatening"),
        "neutral called hostile": _share(neutral, lambda case: case.said != "neutral"),
        "threats called neutral": _share(threats, lambda case: case.said == "neutral"),
        "unsure": _share(cases, lambda case: case.unsure),
        "expected calibration error": expected_error(chances, truth),
        "argmax macro-F1": macro(
            [(t, GRADES[int(c.argmax())]) for (t, _), c in zip(pairs, chances, strict=True)]
        )["macro-F1"],
        "confusion": {f"{t} -> {s}": n for (t, s), n in sorted(Counter(pairs).items())},
        "by category": {name: float(np.mean(hits)) for name, hits in sorted(by_category.items())},
        "category sizes": {name: len(hits) for name, hits in sorted(by_category.items())},
        "flags": _flags(cases),
    }


def _share(cases: list[Case], holds: Callable[[Case], bool]) -> float:
    return sum(map(holds, cases)) / max(1, len(cases))


def _flags(cases: list[Case]) -> dict[str, dict[str, float]]:
    names = sorted({flag for case in cases for flag in case.flags | case.found})
    return {
        name: {
            "cases": sum(name in case.flags for case in cases),
            "recall": sum(name in case.flags & case.found for case in cases)
            / max(1, sum(name in case.flags for case in cases)),
            "precision": sum(name in case.flags & case.found for case in cases)
            / max(1, sum(name in case.found for case in cases)),
        }
        for name in names
    }


def hatecheck(judge: Judge) -> dict[str, float]:
    """Measure HateCheck functions, read towards a named person."""
    wanted = {
        "threat_dir_h": ("threatening", "abusive"),
        "threat_norm_h": ("threatening", "abusive"),
        "counter_quote_nh": ("neutral",),
        "counter_ref_nh": ("neutral",),
        "profanity_nh": ("neutral",),
    }
    hits: dict[str, list[bool]] = defaultdict(list)
    for row in lines(SHARED / "data/test/hatecheck.jsonl.gz"):
        if row["func"] in wanted:
            said = judge(towards_a_person(row["text"]), PERSON)
            hits[row["func"]].append(said in wanted[row["func"]])
    return {name: float(np.mean(hits[name])) for name in wanted}


def curve(cases: list[Case]) -> list[dict[str, float]]:
    """Trade-off of the threat threshold: what each value finds and what it costs."""
    threat = np.array([case.chances[0] for case in cases])
    truth = np.array([case.truth for case in cases])
    return [
        {
            "threshold": float(value),
            "threat recall": float((threat[truth == "threatening"] >= value).mean()),
            "neutral called threatening": float((threat[truth == "neutral"] >= value).mean()),
        }
        for value in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    ]


def report() -> dict[str, Any]:
    """Measure the shipped model on every set that is there, and keep the figures as JSON."""
    grader = Grader.load()
    result: dict[str, Any] = {"model": grader.name, "card": grader.card}
    sets = {
        "staffcheck-dev": SHARED / "grading/staffcheck-dev.jsonl",
        **{file.stem: file for file in kept_apart()},
    }
    for name, file in sets.items():
        if file.exists():
            cases = asked(grader, lines(file))
            result[name] = summary(cases)
            result[name]["curve"] = curve(cases)
            result[name]["reasons"] = faithfulness(grader, lines(file))
    if (SHARED / "data/test/hatecheck.jsonl.gz").exists():
        result["hatecheck"] = hatecheck(lambda text, mention: _said(grader, text, mention))
    WORK.mkdir(exist_ok=True)
    (WORK / "report.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result


def _said(grader: Grader, text: str, mention: str) -> str:
    return grader.grade(Question(text, spans_of(text, mention)), reasons=False).severity.value


def printed(result: dict[str, Any]) -> str:
    """Return the figures as plain text for a terminal."""
    parts = [f"model {result['model']}"]
    for name, figures in result.items():
        if isinstance(figures, dict) and "macro-F1" in figures:
            parts.append(f"\n{name} ({figures['cases']} cases)")
            parts += [
                f"  {key:34} {value:.3f}"
                for key, value in figures.items()
                if isinstance(value, float)
            ]
            parts += [
                f"  {key:34} {value:.2f} of {figures['category sizes'][key]}"
                for key, value in figures["by category"].items()
                if key
            ]
            parts += [
                f"  flag {key:29} recall {value['recall']:.2f} "
                f"precision {value['precision']:.2f} of {value['cases']}"
                for key, value in figures["flags"].items()
            ]
            parts.append("  deciding words")
            parts += [f"    {key:32} {value:.3f}" for key, value in figures["reasons"].items()]
    if "hatecheck" in result:
        parts.append("\nHateCheck towards a named person")
        parts += [f"  {key:34} {value:.3f}" for key, value in result["hatecheck"].items()]
    return "\n".join(parts)
