"""Grades a sealed post again, from the log alone, and says what differs from then."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.errors import EvidenceError
from monitor.evidence.leaf import OpenedLeaf
from monitor.grading.grader import DRIFT, Grader
from monitor.grading.question import Question, asked
from monitor.grading.runtime import runtime
from monitor.grading.second import BY
from monitor.model import PostField, Scope
from monitor.storage.store import Log

_LABELS = ("threatening", "abusive", "neutral")


@dataclass(frozen=True, slots=True)
class Replayed:
    """A grade as it was sealed and as it comes out now.

    `drift` is the largest difference of a calibrated probability; `notes` name every difference of
    model, thresholds, libraries and processor, whether or not it changed the answer.
    """

    entry: int
    mention_entry: int
    graded_at: datetime
    was: Mapping[str, Any]
    now: Mapping[str, Any]
    drift: float
    notes: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """The same grade, and every score within 0.02."""
        return bool(self.was["grade"] == self.now["grade"]) and self.drift <= DRIFT


def replay(log: Log, index: int, grader: Grader) -> Replayed:
    """Grade the post behind a `mention.graded` entry again, under the thresholds of that day.

    Raises:
        EvidenceError: when the entry is no grade of the model's, or what it rests on was erased.
        GradingError: when the model cannot be run.
    """
    graded = _opened(log, index, "mention.graded")
    if graded.public["by"] == BY:
        raise EvidenceError(f"entry {index} is a second opinion: replay the grade before it")
    if graded.public["by"] != "model" or not graded.secret.get("scores"):
        raise EvidenceError(f"entry {index} is not a grade that the model gave")
    card = {name: json.loads(value) for name, value in _mapping(graded.public["card"]).items()}
    mention = _opened(log, _index(graded.public["mention_entry"]), "mention.matched")
    post = _opened(log, _index(mention.public["post_entry"]), "post.captured")
    question = _question(post, mention, card["insulting"])
    now = grader.under(**card["thresholds"]).grade(question, reasons=False)
    assert now.scores is not None, "the model gives scores"
    scores = {label: getattr(now.scores, label) for label in _LABELS}
    before = {label: float(_mapping(graded.secret["scores"])[label]) for label in _LABELS}
    notes = list(_differences(card, grader))
    if card["distrusted"]:
        notes.append("then every grade was marked unsure: the self-test had failed")
    return Replayed(
        entry=index,
        mention_entry=_index(graded.public["mention_entry"]),
        graded_at=graded.at,
        was={"grade": graded.secret["severity"], "unsure": graded.secret["unsure"]} | before,
        now={"grade": now.severity.value, "unsure": now.unsure} | scores,
        drift=max(abs(scores[label] - before[label]) for label in _LABELS),
        notes=tuple(notes),
    )


def _opened(log: Log, index: int, kind: str) -> OpenedLeaf:
    leaf = log.entry(index)
    if leaf.kind != kind:
        raise EvidenceError(f"entry {index} is {leaf.kind}, not {kind}")
    if leaf.withheld:
        raise EvidenceError(f"entry {index} was erased: nobody can grade it again")
    return leaf


def _question(post: OpenedLeaf, mention: OpenedLeaf, insulting: Iterable[list[int]]) -> Question:
    matches: Any = mention.secret["matches"]
    return asked(
        str(post.secret["text"]),
        title=str(post.secret["title"]),
        thread=str(post.secret["thread"]),
        scope=Scope(str(post.public["scope"])),
        names=[(PostField(each["field"]), (each["start"], each["end"])) for each in matches],
        insulting=tuple((start, end) for start, end in insulting),
    )


def _differences(card: Mapping[str, Any], grader: Grader) -> Iterator[str]:
    now = grader.card
    for name in ("name", "sha256", "temperature", "linear", "linear_flags", "bias"):
        if card.get(name) != json.loads(json.dumps(now[name])):
            yield f"another model: its {name} is not what it was"
    here = runtime()
    for name, was in _mapping(card["runtime"]).items():
        if was != here.get(name):
            yield f"{name}: {was or 'unknown'} then, {here.get(name) or 'unknown'} now"


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise EvidenceError("the entry does not say what graded it")
    return value


def _index(value: Any) -> int:
    if not isinstance(value, int):
        raise EvidenceError("the entry does not say what it is about")
    return value
