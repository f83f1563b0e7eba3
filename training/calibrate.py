"""Calibration and thresholds, fitted on the held part only, from the quantised model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.rows import FLAGS

COST = np.array([[0.0, 4.0, 12.0], [1.0, 0.0, 2.5], [3.0, 2.0, 0.0]])
"""What a mistake costs: true grade down, given grade across (threatening, abusive, neutral). A
threat that goes unseen weighs as much as four false calls at night or six false alarms by day. The
thresholds are those of least cost on the held part, an ordinary month counted as half of it, among
those that keep to the two limits below."""
ORDINARY_THREATS, ORDINARY_HOSTILE = 0.03, 0.055
"""Shares of the held neutral posts of an ordinary month that may be called threatening, and
anything but neutral. The aims are 0.002 and 0.015; keeping to them would cost about half of
the threats."""


@dataclass(frozen=True)
class Fit:
    """Temperature, weight of the linear reader, and shift that make the held answers honest."""

    temperature: float
    linear: float
    bias: tuple[float, float, float]


def probabilities(logits: np.ndarray, linear: np.ndarray, fit: Fit) -> np.ndarray:
    """Return calibrated (rows, 3) probabilities from the answers of both readers."""
    moved = logits / fit.temperature + fit.linear * linear + np.asarray(fit.bias)
    grown = np.exp(moved - moved.max(1, keepdims=True))
    return grown / grown.sum(1, keepdims=True)


def fitted(logits: np.ndarray, linear: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> Fit:
    """Minimise the weighted log loss over the three of `Fit` by plain gradient descent."""
    inverse, share_of_linear, bias = 1.0, 0.2, np.zeros(3)
    hot = np.eye(3)[truth]
    share = weight / weight.sum()
    for _ in range(4000):
        moved = logits * inverse + linear * share_of_linear + bias
        grown = np.exp(moved - moved.max(1, keepdims=True))
        wrong = (grown / grown.sum(1, keepdims=True) - hot) * share[:, None]
        inverse -= 0.05 * float((wrong * logits).sum())
        share_of_linear -= 0.05 * float((wrong * linear).sum())
        bias -= 0.3 * wrong.sum(0)
    bias -= bias.mean()
    first, second, third = (float(value) for value in bias)
    return Fit(1 / inverse, share_of_linear, (first, second, third))


def expected_error(chances: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error of the likeliest grade, in equal-width bins."""
    sure, right = chances.max(1), chances.argmax(1) == truth
    place = np.minimum((sure * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(sure[place == n].mean() - right[place == n].mean()) * (place == n).mean()
            for n in range(bins)
            if (place == n).any()
        )
    )


def decided(chances: np.ndarray, threat: float, hostile: float) -> np.ndarray:
    """Apply the two thresholds as the program does: 0 threatening, 1 abusive, 2 neutral."""
    guess = np.where(1 - chances[:, 2] >= hostile, 1, 2)
    return np.where(chances[:, 0] >= threat, 0, guess)


@dataclass(frozen=True)
class Point:
    """One pair of thresholds and what it costs on the held part."""

    threat: float
    hostile: float
    macro_f1: float
    threat_recall: float
    neutral_as_threat: float
    ordinary_threats: float
    ordinary_hostile: float
    cost: float


def best(curve: list[Point]) -> Point:
    """Return the cheapest pair of thresholds within the limits, or of all where none keeps them."""
    within = [
        point
        for point in curve
        if point.ordinary_threats <= ORDINARY_THREATS and point.ordinary_hostile <= ORDINARY_HOSTILE
    ]
    return min(within or curve, key=lambda point: point.cost)


def points(
    chances: np.ndarray, truth: np.ndarray, plain: np.ndarray, weight: np.ndarray
) -> list[Point]:
    """Measure every pair of thresholds of a grid.

    `plain` marks posts of an ordinary month; `weight` is what each row counts for in the cost.
    """
    grid = [0.01, 0.02, 0.03, 0.05, 0.08, *np.arange(0.1, 0.96, 0.05)]
    result = []
    for threat in grid:
        for hostile in grid:
            guess = decided(chances, threat, hostile)
            hard = ~plain
            f1 = []
            for grade in range(3):
                is_, said = truth[hard] == grade, guess[hard] == grade
                f1.append(2 * (is_ & said).sum() / max(1, is_.sum() + said.sum()))
            calm = guess[plain & (truth == 2)]
            result.append(
                Point(
                    float(threat),
                    float(hostile),
                    float(np.mean(f1)),
                    float((guess[hard & (truth == 0)] == 0).mean()),
                    float((guess[hard & (truth == 2)] == 0).mean()),
                    float((calm == 0).mean()),
                    float((calm != 2).mean()),
                    float((COST[truth, guess] * weight).sum() / weight.sum()),
                )
            )
    return result


# Flags that route an alert must be found; a false one costs a look.
FOUND = {"distress": 0.94, "welfare": 0.93, "second-hand": 0.93, "allegation": 0.87}


AT_LEAST = {"allegation": 0.52}
"""Below this level plain insults are told in confidence as accusations, and few more of those are
found: on the development set recall fell by one case of 24 and precision rose from 0.26 to 0.40."""


def flag_thresholds(marks: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Choose for each flag the highest threshold that finds enough, else the best F1.

    marks: (rows, 11) probabilities; known: (rows, 11) with 1, 0, or -1 where nobody said.
    """
    chosen = {}
    for n, flag in enumerate(FLAGS):
        told = known[:, n] >= 0
        is_, chance = known[told, n] == 1, marks[told, n]
        if flag in FOUND and is_.any():
            least = float(np.quantile(chance[is_], 1 - FOUND[flag]))
            chosen[flag] = max(round(least * 0.99, 4), AT_LEAST.get(flag, 0.0))
            continue
        best = max(
            (*np.arange(0.1, 0.95, 0.05), 0.97, 0.98, 0.99),
            key=lambda t: 2 * (is_ & (chance >= t)).sum() / max(1, is_.sum() + (chance >= t).sum()),
        )
        chosen[flag] = round(float(best), 4)
    return chosen


# Of an ordinary month's posts, at most this share may disturb somebody by such a flag alone. What
# lies between the two thresholds is a faint flag: kept, shown in the digest, and no mail.
DISTURBING = {"distress": 0.01, "welfare": 0.0125, "second-hand": 0.035}


def firm_thresholds(marks: np.ndarray, known: np.ndarray, plain: np.ndarray) -> dict[str, float]:
    """Choose for each flag that sends a mail by itself the level from which it does.

    marks, known: as in `flag_thresholds`; plain: (rows,) posts of an ordinary month.
    """
    return {
        flag: round(float(np.quantile(marks[plain & (known[:, n] != 1), n], 1 - share)), 4)
        for n, flag in enumerate(FLAGS)
        if (share := DISTURBING.get(flag))
    }
