"""The grader: one question in, one grade out, the same tomorrow as today."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.errors import GradingError
from monitor.grading.card import (
    MODEL_FILE,
    NGRAMS_FILE,
    TOKENIZER_FILE,
    Card,
    Thresholds,
    read_card,
)
from monitor.grading.excerpt import excerpt
from monitor.grading.language import looks_foreign
from monitor.grading.network import Network
from monitor.grading.ngrams import ANSWERS, Ngrams
from monitor.grading.question import Question, spans_of
from monitor.grading.reading import Reading, read
from monitor.grading.reasons import reasons_for
from monitor.grading.runtime import runtime
from monitor.grading.windows import Pieces, Window
from monitor.model import Flag, Grade, Reason, Scores, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HERE = Path(__file__).parent / "model"
MOST_WINDOWS = 64
"""More than the longest excerpt of words needs; emoji and digits can need more."""
AT_ONCE = 256
"""Word pieces that are read in one go while a grade's reasons are looked for."""
DRIFT = 0.02
"""Scores may differ by this much on another processor before the self-test speaks."""
FLAG_ORDER = tuple(Flag)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the model saw: calibrated scores, probability of each mark, and whether it saw all."""

    scores: Scores
    marks: dict[Flag, float]
    foreign: float
    complete: bool


class Grader:
    """The shipped model. Loading checks the files; the network itself is built at first use."""

    def __init__(
        self,
        card: Card,
        pieces: Pieces,
        ngrams: Ngrams,
        network: Network,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._card = card
        self._pieces = pieces
        self._ngrams = ngrams
        self._network = network
        self._thresholds = thresholds or card.thresholds

    @classmethod
    def load(cls, directory: Path | None = None) -> Grader:
        """Check and open the model in `directory` (default: the one shipped in the package).

        Raises:
            GradingError: when a file is missing or damaged.
        """
        folder = directory or HERE
        card = read_card(folder)
        pieces = Pieces.load(folder / TOKENIZER_FILE)
        return cls(card, pieces, Ngrams.load(folder / NGRAMS_FILE), Network(folder / MODEL_FILE))

    def under(self, **thresholds: float) -> Grader:
        """Return the same model with some of its thresholds replaced, by their names."""
        changed = replace(self._card.thresholds, **thresholds)
        return Grader(self._card, self._pieces, self._ngrams, self._network, changed)

    @property
    def name(self) -> str:
        """Name and short hash of the model, as stored with every grade."""
        return self._card.full_name

    @property
    def card(self) -> dict[str, Any]:
        """Hashes, calibration, thresholds and what runs them, as plain values for the evidence."""
        kept = (
            "name",
            "sha256",
            "temperature",
            "linear",
            "linear_flags",
            "bias",
            "flags",
            "firm",
        )
        told = {key: self._card.source[key] for key in kept}
        return {**told, "thresholds": asdict(self._thresholds), "runtime": runtime()}

    def grade(self, question: Question, *, reasons: bool = True) -> Grade:
        """Grade one text towards its target; any text gets a grade, a doubtful one is unsure.

        Raises:
            GradingError: when the network cannot be built or run; never because of the text.
        """
        short = excerpt(question)
        asked = short.question
        sight = self.look(asked, complete=short.complete)
        severity, unsure = self._decide(asked, sight)
        flags = frozenset(f for f, p in sight.marks.items() if p >= self._card.flags[f])
        why: tuple[Reason, ...] = ()
        if reasons:
            least = self._least(severity)
            found = reasons_for(asked, severity, self._scores_of_each, least)
            why = short.placed(found, question.text)
        return Grade(
            severity=severity,
            unsure=unsure,
            scores=sight.scores,
            flags=flags,
            faint=frozenset(f for f in flags if sight.marks[f] < self._card.firm.get(f, 0.0)),
            reasons=why,
            model=self.name,
        )

    def look(self, question: Question, *, complete: bool = True) -> Sight:
        """Return the calibrated scores of one question, before any threshold."""
        windows = self._windows(question)
        answers, linear = self._answers(windows[:MOST_WINDOWS])
        scores = _gravest(self._calibrated(answers[:, :3], linear[:, :3]))
        answers[:, 3:ANSWERS] += self._card.linear_flags * linear[:, 3:]
        marks = 1 / (1 + np.exp(-np.clip(answers[:, 3:], -30, 30)))
        return Sight(
            scores=scores,
            marks={flag: float(marks[:, n].max()) for n, flag in enumerate(FLAG_ORDER)},
            foreign=float(marks[:, len(FLAG_ORDER)].mean()),
            complete=complete and len(windows) <= MOST_WINDOWS,
        )

    def logits(self, question: Question) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the raw (windows, answers) of the network, (windows, 13) of the linear one."""
        return self._answers(self._windows(question)[:MOST_WINDOWS])

    def reading(self, question: Question) -> Reading:
        """Return what the model reads of a question: name masked, disguises undone."""
        return read(excerpt(question).question, self._pieces.known)

    def _windows(self, question: Question) -> list[Window]:
        return self._pieces.cut(read(question, self._pieces.known))

    def self_test(self) -> tuple[str, ...]:
        """Grade the card's known answers; return one sentence for each that changed.

        They are known under the card's own thresholds, whatever a school has set.
        """
        if self._thresholds != self._card.thresholds:
            return self.under().self_test()
        changed: list[str] = []
        for known in self._card.known:
            question = Question(known["text"], spans_of(known["text"], known["mention"]))
            try:
                grade = self.grade(question, reasons=False)
            except GradingError as error:
                return (f"the grader does not run: {error}",)
            drift = abs(grade.scores.neutral - known["neutral"]) if grade.scores else 1.0
            if grade.severity.value != known["grade"] or drift > DRIFT:
                was = f"{grade.severity} instead of {known['grade']}"
                changed.append(f"known answer {known['id']}: {was}, off by {drift:.3f}")
        return tuple(changed)

    def _decide(self, question: Question, sight: Sight) -> tuple[Severity, bool]:
        """Apply the thresholds: a missed threat weighs far above a false alarm."""
        limits, scores = self._thresholds, sight.scores
        hostile = scores.threatening + scores.abusive
        foreign = looks_foreign(question, sight.foreign, limits.foreign)
        if scores.threatening >= limits.threatening:
            return Severity.THREATENING, scores.threatening < limits.sure
        if hostile >= limits.abusive:
            return Severity.ABUSIVE, hostile < limits.sure
        if foreign and scores.neutral < limits.foreign_neutral:
            return Severity.ABUSIVE, True
        if not sight.complete:
            return Severity.ABUSIVE, True
        return Severity.NEUTRAL, False

    def _least(self, severity: Severity) -> float:
        """Return the least probability that brings this grade, as `reasons_for` reckons it."""
        limits = self._thresholds
        if severity is Severity.THREATENING:
            return limits.threatening
        return limits.abusive if severity is Severity.ABUSIVE else 1 - limits.abusive

    def _scores_of_each(self, questions: Sequence[Question]) -> list[Scores]:
        """Score several short questions in one go; what `reasons_for` measures with."""
        cut = [self._windows(asked)[:MOST_WINDOWS] for asked in questions]
        answers, linear = self._answers([window for windows in cut for window in windows], AT_ONCE)
        chances = self._calibrated(answers[:, :3], linear[:, :3])
        ends = np.cumsum([len(windows) for windows in cut])
        return [_gravest(own) for own in np.split(chances, ends[:-1])]

    def _calibrated(
        self, logits: NDArray[np.float64], linear: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Join both readers: (windows, 3) logits of each in, (windows, 3) probabilities out."""
        moved = logits / self._card.temperature + self._card.linear * linear + self._card.bias
        grown = np.exp(moved - moved.max(axis=1, keepdims=True))
        result: NDArray[np.float64] = grown / grown.sum(axis=1, keepdims=True)
        return result

    def _answers(
        self, windows: Sequence[Window], pieces: int | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Run both readers, neighbours in length together; rows come back in the given order."""
        linear = np.stack([self._ngrams.logits(window.text) for window in windows])
        return self._network.answers(windows, pieces), linear


def _gravest(windows: NDArray[np.float64]) -> Scores:
    """Join windows: the greatest threat and the greatest hostility seen in any of them count."""
    threat = float(windows[:, 0].max())
    hostile = max(threat, float((windows[:, 0] + windows[:, 1]).max()))
    hostile = min(1.0, hostile)
    return Scores(threatening=threat, abusive=hostile - threat, neutral=1.0 - hostile)
