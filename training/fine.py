"""Fine-tuning on mentions of school staff, and the part of them that no training step sees."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING

import numpy as np
import torch

from training.augment import augmented
from training.batches import Example, batched, collate, example_of
from training.encoder import Net
from training.learn import Plan, graded, half, learn
from training.recover import recovered
from training.rows import GRADES, WORK, Row, in_domain, is_held, is_ordinary
from training.social import warmed_socially
from training.warm import warmed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitor.grading.windows import Pieces

LONGEST = 192


def held() -> list[Row]:
    """Return the rows kept for calibration, thresholds and the choice of plan."""
    return [row for row in in_domain() if is_held(row)]


@torch.no_grad()
def answers(net: Net, examples: list[Example]) -> np.ndarray:
    """Return (examples, answers) logits in the given order."""
    net.eval()
    out = np.zeros((len(examples), 14))
    for chosen in batched(examples, 4096):
        with half():
            got = net(*collate([examples[n] for n in chosen]).inputs)
        out[chosen] = got.float().numpy()
    return out


def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
    """Mean F1 of the three grades."""
    scores = []
    for grade in range(3):
        hit = int(((truth == grade) & (guess == grade)).sum())
        scores.append(2 * hit / max(1, int((truth == grade).sum() + (guess == grade).sum())))
    return float(np.mean(scores))


def tuned() -> tuple[Net, Pieces]:
    """Warm up on public labels, then learn the domain.

    Cases added while it runs join at the next epoch.
    """
    net, pieces = warmed(1)
    plan = Plan("second", epochs=4, rate=9e-5, seed=2, smoothing=0.03, average=0.998)
    return _taught(net, pieces, plan), pieces


def teacher() -> Net:
    """Learn the domain once more from another beginning and with the pairs held apart."""
    net, pieces = warmed_socially(1)
    plan = Plan("fine", epochs=5, rate=9e-5, seed=1, smoothing=0.03, average=0.998, contrast=0.3)
    return _taught(net, pieces, plan)


def polished() -> tuple[Net, Pieces]:
    """Learn on from the first net at a lower rate; half of the loss is to answer as both do."""
    net, pieces = tuned()
    teachers = (copy.deepcopy(net).eval(), teacher().eval())
    plan = Plan("last", epochs=2, rate=5e-5, seed=3, smoothing=0.03, average=0.998, marks_share=0.8)
    return _taught(net, pieces, plan, teachers=teachers), pieces


def renewed(folder: Path) -> tuple[Net, Pieces]:
    """Learn on from the model in `folder` with all cases; half of the loss is to answer as two do.

    The two teachers are that model as it is, and a net trained from the beginning. What comes is
    two thirds what was learned and one third what was known (Wortsman et al. 2022, model soups).
    """
    net, pieces = recovered(folder)
    before = copy.deepcopy(net.state_dict())
    teachers = (copy.deepcopy(net).eval(), teacher().eval())
    plan = Plan(
        "renewed", epochs=2, rate=5e-5, seed=5, smoothing=0.03, average=0.998, marks_share=0.8
    )
    after = _taught(net, pieces, plan, teachers=teachers).state_dict()
    net.load_state_dict({name: before[name].lerp(after[name], 0.67) for name in after})
    return net, pieces


def onward(
    folder: Path, fresh: frozenset[str] = frozenset(), more: Sequence[Row] = ()
) -> tuple[Net, Pieces]:
    """Learn for one epoch more from the model in `folder`; `fresh` files of cases count twice.

    For new cases, or a school's corrections (`more`, which counts twice too), where the checkpoints
    of the first training are gone.
    """
    fresh |= {row.file for row in more}
    net, pieces = recovered(folder)
    plan = Plan("onward", epochs=1, rate=4e-5, seed=4, smoothing=0.03, average=0.998, tokens=2560)
    return _taught(net, pieces, plan, fresh, more=more), pieces


def _taught(
    net: Net,
    pieces: Pieces,
    plan: Plan,
    twice: frozenset[str] = frozenset(),
    teachers: Sequence[Net] = (),
    more: Sequence[Row] = (),
) -> Net:
    def examples(epoch: int) -> list[Example]:
        rows = [row for row in in_domain(more) if not is_held(row)]
        rows += [row for row in rows if row.file in twice]
        rng = random.Random(plan.seed * 7919 + epoch)
        return [example_of(row, pieces, LONGEST) for row in augmented(rows, rng)]

    def report(mean: Net, epoch: int) -> None:
        kept = held()
        logits = answers(mean, [example_of(row, pieces, LONGEST) for row in kept])
        truth = np.array([GRADES.index(row.grade or "") for row in kept])
        guess = logits[:, :3].argmax(1)
        plain = np.array([is_ordinary(row) for row in kept])
        hard = macro_f1(truth[~plain], guess[~plain])
        recall = float((guess[(truth == 0) & ~plain] == 0).mean())
        alarms = float((guess[(truth == 2) & plain] != 2).mean())
        print(
            f"{plan.name} epoch {epoch}: held macro-F1 {hard:.3f}, threat recall {recall:.3f}, "
            f"ordinary alarms {alarms:.4f}",
            flush=True,
        )
        torch.save(mean.state_dict(), WORK / "net" / f"{plan.name}.latest.pt")

    return learn(net, plan, examples, WORK / "net", report, graded(plan, teachers))


if __name__ == "__main__":
    torch.set_num_threads(2)
    polished()
