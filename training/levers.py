"""What each lever brings: two passes over half of the mentions with it, and two without.

Every run begins from the same warm-up (but the lever that changes it) and is measured by the
likeliest grade of the network alone, in full precision, on texts that no run learns from: the held
part of the training texts without its ordinary month, the same with its words disguised, the
ordinary month, and `held-mixed.jsonl`. `seed` is the first plan with another seed: a lever whose
difference is within that of the two seeds has brought nothing that can be told from chance.
"""

from __future__ import annotations

import json
import random
import zlib
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import torch

from training.augment import augmented, disguised
from training.batches import example_of
from training.fine import LONGEST, answers, held, macro_f1
from training.learn import Plan, graded, learn
from training.rows import GRADES, HERE, WORK, Row, in_domain, is_held, is_ordinary, lines
from training.social import warmed_socially
from training.warm import base_net, warmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from monitor.grading.windows import Pieces
    from training.batches import Batch, Example
    from training.encoder import Net

RESULTS = WORK / "levers.json"
LEVERS = ("plain", "contrast", "social", "seed", "untargeted", "as-written", "no-changes", "cold")
PLAN = Plan("half", epochs=2, rate=9e-5, seed=11, smoothing=0.03, average=0.99)


def _untargeted(batch: Batch) -> Batch:
    tokens, segments, present, target = batch.inputs
    return replace(batch, inputs=(tokens, segments, present, torch.zeros_like(target)))


def _begun(lever: str) -> tuple[Net, Pieces]:
    if lever == "cold":
        return base_net(1)
    return warmed_socially(1) if lever == "social" else warmed(1)


def _plan(lever: str) -> Plan:
    plan = replace(PLAN, name=f"half-{lever}")
    if lever == "contrast":
        return replace(plan, contrast=0.3)
    return replace(plan, seed=12) if lever == "seed" else plan


def _loss(lever: str, plan: Plan) -> Callable[[Net, Batch], Tensor]:
    usual = graded(plan)
    if lever == "untargeted":
        return lambda net, batch: usual(net, _untargeted(batch))
    return usual


def _as_written(lever: str) -> object:
    """Leave disguises and emoji as they are, in learning and in measuring."""
    if lever != "as-written":
        return nullcontext()
    return patch("monitor.grading.reading.undo", lambda text, _known: text)


def _is_in_half(row: Row) -> bool:
    """Half of the groups, always the same: whole runs of every lever would take a day."""
    return zlib.crc32(row.group.encode()) % 2 == 0


def measured(lever: str) -> dict[str, float]:
    """Run one lever (or take up its checkpoint) and return its figures."""
    with _as_written(lever):  # type: ignore[attr-defined]
        net, pieces = _begun(lever)
        plan = _plan(lever)

        def examples(epoch: int) -> list[Example]:
            rows = [row for row in in_domain() if not is_held(row) and _is_in_half(row)]
            if lever != "no-changes":
                rows = augmented(rows, random.Random(plan.seed * 7919 + epoch))
            return [example_of(row, pieces, LONGEST) for row in rows]

        net = learn(net, plan, examples, WORK / "net", loss=_loss(lever, plan))
        return _figures(net, pieces, blind=lever == "untargeted")


def _figures(net: Net, pieces: Pieces, *, blind: bool) -> dict[str, float]:
    kept = held()
    hard, calm = [r for r in kept if not is_ordinary(r)], [r for r in kept if is_ordinary(r)]
    rng = random.Random(5)
    mixed = [
        Row("", line["text"], line["mention"], line["label"], "", "", title=line.get("title", ""),
            thread=line.get("thread", ""), scope=line.get("scope", ""))
        for line in lines(HERE / "cases" / "held-mixed.jsonl")
    ]  # fmt: skip

    def asked(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
        seen = [example_of(row, pieces, LONGEST) for row in rows]
        if blind:
            seen = [
                replace(each, window=replace(each.window, target=(0,) * len(each.window.target)))
                for each in seen
            ]
        truth = np.array([GRADES.index(row.grade or "") for row in rows])
        return truth, answers(net, seen)[:, :3].argmax(1)

    truth, guess = asked(hard)
    figures = {
        "held": macro_f1(truth, guess),
        "held, threats found": float((guess[truth == 0] == 0).mean()),
        "held, disguised": macro_f1(*asked([disguised(row, rng) for row in hard])),
        "mixed": macro_f1(*asked(mixed)),
    }
    truth, guess = asked(calm)
    figures["ordinary, neutral called hostile"] = float((guess[truth == 2] != 2).mean())
    return {name: round(value, 4) for name, value in figures.items()}


def measure(levers: tuple[str, ...] = LEVERS) -> None:
    """Measure each lever that has no figures yet; the file of results is written after each."""
    done = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for lever in levers:
        if lever not in done:
            done[lever] = measured(lever)
            RESULTS.write_text(json.dumps(done, indent=1))
        print(lever, done[lever], flush=True)
