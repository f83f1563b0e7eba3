"""From a trained net to the files in the package: export, calibration, thresholds, card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.grading.card import CARD_FILE, MODEL_FILE, NGRAMS_FILE, TOKENIZER_FILE
from monitor.grading.grader import Grader
from monitor.grading.ngrams import ANSWERS
from monitor.grading.question import Question, spans_of
from training.batches import MARKS, Batch, batched, collate, example_of, question_of
from training.calibrate import (
    Fit,
    Point,
    best,
    expected_error,
    firm_thresholds,
    fitted,
    flag_thresholds,
    points,
    probabilities,
)
from training.export import digest, quantised, small, written
from training.fine import LONGEST, held, macro_f1
from training.linear import train
from training.rows import FLAGS, FOREIGN, GRADES, HERE, WORK, in_domain, is_held, is_ordinary, lines
from training.smooth import smoothed

if TYPE_CHECKING:
    from monitor.grading.windows import Pieces
    from training.encoder import Net
    from training.rows import Row

PACKAGE = HERE.parent / "monitor" / "grading" / "model"
FILES = (MODEL_FILE, TOKENIZER_FILE, NGRAMS_FILE)
LINEAR_FLAGS = 1.0
"""Share of the linear reader in a flag; tried 0.3 to 1.5 on the held part."""
NAME = "staff-mentions-grader-1"


def build(net: Net, pieces: Pieces, folder: Path = PACKAGE) -> dict[str, Any]:
    """Write model, tokenizer and card into `folder`; return the measurements of the held part."""
    full = WORK / "full.onnx"
    written(net, full)
    written(small(smoothed(net, _sample(pieces))), WORK / "small.onnx")
    quantised(WORK / "small.onnx", folder / MODEL_FILE)
    pieces.save(folder / TOKENIZER_FILE)
    train(pieces, folder / NGRAMS_FILE)
    return calibrate(folder)


def _sample(pieces: Pieces) -> list[Batch]:
    """Return one in sixty of the texts that were learned from, to measure loud channels on."""
    rows = [row for row in in_domain() if not is_held(row)][::60]
    examples = [example_of(row, pieces, LONGEST) for row in rows]
    return [collate([examples[n] for n in chosen]) for chosen in batched(examples, 2560)]


def calibrate(folder: Path = PACKAGE) -> dict[str, Any]:
    """Fit calibration and thresholds of the model in `folder` and write its card."""
    card = _blank(folder)
    _write(folder, card)
    grader = Grader.load(folder)
    rows = held()
    seen = [grader.logits(question_of(row)) for row in rows]
    logits = np.stack([_joined(network) for network, _ in seen])
    linear = np.stack([words[_gravest(network)] for network, words in seen])
    truth = np.array([GRADES.index(row.grade or "") for row in rows])
    plain = np.array([is_ordinary(row) for row in rows])
    weight = np.where(plain, (~plain).sum() / max(1, plain.sum()), 1.0)
    fit = fitted(logits[:, :3], linear[:, :3], truth, weight)
    chances = probabilities(logits[:, :3], linear[:, :3], fit)
    curve = points(chances, truth, plain, weight)
    chosen = best(curve)
    logits[:, 3:ANSWERS] += LINEAR_FLAGS * linear[:, 3:]
    marks = 1 / (1 + np.exp(-logits[:, 3:]))
    known = np.array([_known(row) for row in rows])
    card |= {
        "temperature": round(fit.temperature, 5),
        "linear": round(fit.linear, 5),
        "bias": [round(value, 5) for value in fit.bias],
        "thresholds": _thresholds(chosen.threat, chosen.hostile),
        "flags": flag_thresholds(marks, known),
        "firm": firm_thresholds(marks, known, plain),
    }
    _write(folder, card)
    card["known"] = _known_answers(Grader.load(folder))
    _write(folder, card)
    measured = {
        "rows": len(rows),
        "ece_held": expected_error(chances[~plain], truth[~plain]),
        "ece_ordinary": expected_error(chances[plain], truth[plain]),
        "ece_before": expected_error(
            probabilities(logits[:, :3], linear[:, :3], Fit(1, 0, (0, 0, 0))), truth
        ),
        "chosen": vars(chosen),
        "levers": _levers(logits[:, :3], linear[:, :3], chances, truth, plain) | _of(chosen),
        "flags": _flag_figures(marks, rows, card["flags"]),
        "curve": [vars(point) for point in curve],
    }
    (WORK / "calibration.json").write_text(json.dumps(measured, indent=1), encoding="utf-8")
    return measured


def _levers(
    network: np.ndarray,
    linear: np.ndarray,
    chances: np.ndarray,
    truth: np.ndarray,
    plain: np.ndarray,
) -> dict[str, float]:
    """Return what each part brings, on the held rows that are not an ordinary month."""
    hard = ~plain
    result = {}
    parts = {"linear reader alone": linear, "network alone": network, "both, calibrated": chances}
    for name, answers in parts.items():
        guess = answers[hard].argmax(1)
        result[f"{name}: macro-F1, likeliest grade"] = macro_f1(truth[hard], guess)
        result[f"{name}: recall of threats"] = float((guess[truth[hard] == 0] == 0).mean())
        calm = answers[plain & (truth == 2)].argmax(1)
        result[f"{name}: ordinary neutral called hostile"] = float((calm != 2).mean())
    result["expected calibration error, hard texts"] = expected_error(chances[hard], truth[hard])
    result["expected calibration error, ordinary texts"] = expected_error(
        chances[plain], truth[plain]
    )
    return result


def _of(chosen: Point) -> dict[str, float]:
    return {f"with the thresholds: {name}": value for name, value in vars(chosen).items()}


def _flag_figures(
    marks: np.ndarray, rows: list[Row], limits: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Return recall and precision of each flag where its absence is known."""
    figures = {}
    for n, flag in enumerate(FLAGS):
        told = np.array([flag in row.known_flags for row in rows])
        is_ = np.array([flag in row.flags for row in rows])[told]
        said = marks[told, n] >= limits[flag]
        figures[flag] = {
            "cases": float(is_.sum()),
            "recall": float((is_ & said).sum() / max(1, is_.sum())),
            "precision": float((is_ & said).sum() / max(1, said.sum())),
        }
    return figures


def _thresholds(threat: float, hostile: float) -> dict[str, float]:
    return {
        "threatening": round(threat, 4),
        "abusive": round(hostile, 4),
        "sure": round(max(0.6, threat, hostile), 4),
        "foreign": 0.5,
        "foreign_neutral": 0.75,
    }


def _joined(windows: np.ndarray) -> np.ndarray:
    """Take the gravest window's grade logits, and the highest of each mark."""
    return np.concatenate([windows[_gravest(windows), :3], windows[:, 3:].max(0)])


def _gravest(windows: np.ndarray) -> int:
    return int((windows[:, 0] - windows[:, 2]).argmax())


def _known(row: Row) -> list[int]:
    known = [int(flag in row.flags) if flag in row.known_flags else -1 for flag in FLAGS]
    known += [-1] * (MARKS - len(known))
    known[FOREIGN] = int(row.lang != "en")
    return known


def _blank(folder: Path) -> dict[str, Any]:
    return {
        "name": NAME,
        "sha256": {file: digest(folder / file) for file in FILES},
        "temperature": 1.0,
        "linear": 0.0,
        "linear_flags": LINEAR_FLAGS,
        "bias": [0.0, 0.0, 0.0],
        "thresholds": _thresholds(0.5, 0.5),
        "flags": dict.fromkeys(FLAGS, 0.5),
        "firm": {},
        "known": [],
    }


def _known_answers(grader: Grader) -> list[dict[str, Any]]:
    """Grade the fixed set of the self-test, written for it and in no training file."""
    known = []
    for line in lines(HERE / "self_test.jsonl"):
        grade = grader.grade(
            Question(line["text"], spans_of(line["text"], line["mention"])), reasons=False
        )
        assert grade.scores is not None
        known.append(
            {**line, "grade": grade.severity.value, "neutral": round(grade.scores.neutral, 4)}
        )
    return known


def _write(folder: Path, card: dict[str, Any]) -> None:
    (folder / CARD_FILE).write_text(
        json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
