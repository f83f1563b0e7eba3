"""Learning: one loop for the warm-up and for the domain, resumable at every checkpoint."""

from __future__ import annotations

import math
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import Batch, Example, batched, collate
from training.dropout import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.encoder import Net


HEADS = ("pool", "answer", "guess")
"""Layers that begin with random weights, and so may learn faster."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn; every figure that a rerun needs."""

    name: str
    epochs: int
    rate: float
    seed: int
    tokens: int = 2560
    warm: float = 0.06
    decay: float = 0.01
    layer_decay: float = 0.9
    smoothing: float = 0.05
    marks_share: float = 0.4
    average: float = 0.0
    contrast: float = 0.0
    save_every: int = 200


class Cores:
    """Takes as many threads as others leave free: one starved thread would hold up all the rest."""

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> tuple[float, float]:
        """Return the seconds that other processes spent, and those of all cores together."""
        try:
            line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
        except OSError:
            return 0.0, 0.0
        fields = [int(value) / os.sysconf("SC_CLK_TCK") for value in line.split()[1:9]]
        own = os.times()
        return sum(fields[:3]) - own.user - own.system, sum(fields)

    def choose(self) -> None:
        """Set the number of threads by what others used since the last call."""
        others, total = self._read()
        spent = (others - self._before[0]) / max(1, total - self._before[1])
        self._before = others, total
        cores = os.cpu_count() or 1
        if os.nice(0) < 0:  # it was told to go before the others
            spent = 0.0
        torch.set_num_threads(max(1, cores - round(spent * cores)))


def half() -> torch.autocast:
    """Sixteen bits where the processor can add them; elsewhere they are twenty times slower."""
    able = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - there is no public name
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(able))


def loss_of(answers: Tensor, batch: Batch, plan: Plan) -> Tensor:
    """Cross-entropy of the grade (or of "not neutral"), plus the marks that are known."""
    grades, marks = answers[:, :3].float(), answers[:, 3:].float()
    sure = batch.grade >= 0
    log = grades.log_softmax(-1)
    known = functional.cross_entropy(
        grades, batch.grade.clamp(min=0), reduction="none", label_smoothing=plan.smoothing
    )
    either = -torch.logsumexp(log[:, :2], dim=-1)
    grade_loss = (torch.where(sure, known, either) * batch.weight).sum() / batch.weight.sum()
    told = (batch.marks >= 0).float()
    mark_loss = functional.binary_cross_entropy_with_logits(
        marks, batch.marks.clamp(min=0).float(), reduction="none"
    )
    return grade_loss + plan.marks_share * (mark_loss * told).sum() / told.sum().clamp(min=1.0)


def contrast_of(answers: Tensor, batch: Batch, margin: float = 2.0) -> Tensor:
    """Ask of two members of a group with different grades that each lean to its own by `margin`.

    The lean is the difference of the logits of the two grades; zero where no such pair is here.
    """
    grade, grades = batch.grade, answers[:, :3].float()
    kin = (batch.group[:, None] == batch.group[None, :]) & (grade[:, None] != grade[None, :])
    one, other = torch.nonzero(kin & (grade[:, None] >= 0) & (grade[None, :] >= 0)).T
    if not len(one):
        return grades.new_zeros(())
    own = grades[one, grade[one]] - grades[one, grade[other]]
    theirs = grades[other, grade[one]] - grades[other, grade[other]]
    return functional.softplus(margin - (own - theirs)).mean()


def graded(plan: Plan, teachers: Sequence[Net] = ()) -> Callable[[Net, Batch], Tensor]:
    """Return the loss of a labelled batch; `teachers`: half of it is to answer like their mean.

    Distillation as of Hinton, Vinyals and Dean (2015), at temperature 1: the teachers are fitted
    to the same texts, and their doubt is what is learned from them.
    """

    def loss(net: Net, batch: Batch) -> Tensor:
        answers = net(*batch.inputs)
        told = loss_of(answers, batch, plan)
        if plan.contrast:
            told = told + plan.contrast * contrast_of(answers, batch)
        if not teachers:
            return told
        with torch.no_grad():
            seen = torch.stack([teacher(*batch.inputs).float() for teacher in teachers])
            soft = seen[:, :, :3].softmax(-1).mean(0)
            marks = seen[:, :, 3:].sigmoid().mean(0)
        likeness = -(soft * answers[:, :3].float().log_softmax(-1)).sum(-1).mean()
        likeness = likeness + plan.marks_share * functional.binary_cross_entropy_with_logits(
            answers[:, 3:].float(), marks
        )
        return 0.5 * told + 0.5 * likeness

    return loss


def optimiser(net: Net, plan: Plan) -> torch.optim.Optimizer:
    """Build AdamW with lower rates for lower layers, none of its decay on norms and biases."""
    depth = net.shape.layers + 1
    groups = []
    for name, parameter in net.named_parameters():
        if name.startswith("layers."):
            level = depth - 1 - int(name.split(".")[1])
        else:
            level = 0 if name.startswith(HEADS) else depth
        boost = 5.0 if name.startswith(HEADS) else 1.0
        decay = 0.0 if parameter.ndim == 1 else plan.decay
        rate = plan.rate * boost * plan.layer_decay**level
        groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)


def learn(
    net: Net,
    plan: Plan,
    examples_of: Callable[[int], list[Example]],
    folder: Path,
    after_epoch: Callable[[Net, int], None] | None = None,
    loss: Callable[[Net, Batch], Tensor] | None = None,
) -> Net:
    """Train by `plan`; `examples_of(epoch)` gives that epoch's (augmented) examples.

    A checkpoint is written every `plan.save_every` steps and after each epoch; started again, the
    loop takes up the same batch of the same epoch. Returns the net, averaged where asked for.
    `loss` of a batch is that of grades and marks by `plan` unless another is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state_file, done_file = folder / f"{plan.name}.state.pt", folder / f"{plan.name}.pt"
    if done_file.exists():
        net.load_state_dict(torch.load(done_file))
        return net
    torch.manual_seed(plan.seed)
    optimise = optimiser(net, plan)
    mean = {name: value.clone() for name, value in net.state_dict().items()} if plan.average else {}
    first_epoch, first_batch, step = 0, 0, 0
    if state_file.exists():
        saved = torch.load(state_file)
        net.load_state_dict(saved["net"])
        optimise.load_state_dict(saved["optimise"])
        mean, first_epoch, first_batch, step = (
            saved["mean"],
            saved["epoch"],
            saved["batch"],
            saved["step"],
        )
        torch.set_rng_state(saved["random"])
    cores = Cores()
    loss = loss or graded(plan)
    for epoch in range(first_epoch, plan.epochs):
        examples = examples_of(epoch)
        rng = random.Random(plan.seed * 1000 + epoch)
        batches = list(batched(examples, plan.tokens, rng, together=plan.contrast > 0))
        net.train()
        began, running = time.monotonic(), 0.0
        for number, chosen in enumerate(batches):
            if epoch == first_epoch and number < first_batch:
                continue
            if step % 20 == 0:
                cores.choose()
            _set_rate(optimise, plan, (epoch + number / len(batches)) / plan.epochs)
            begin(plan.seed, step)
            running = 0.98 * running + 0.02 * _step(
                net, optimise, collate([examples[n] for n in chosen]), loss
            )
            step += 1
            _average(mean, net, plan, step)
            if step % 50 == 0:
                spent = time.monotonic() - began
                print(
                    f"{plan.name} epoch {epoch} {number + 1}/{len(batches)} "
                    f"loss {running:.3f} {spent:.0f}s",
                    flush=True,
                )
            if step % plan.save_every == 0:
                _save(state_file, net, optimise, mean, epoch, number + 1, step)
        first_batch = 0
        _save(state_file, net, optimise, mean, epoch + 1, 0, step)
        if after_epoch:
            after_epoch(_with(net, mean), epoch)
    final = _with(net, mean)
    torch.save(final.state_dict(), done_file)
    state_file.unlink(missing_ok=True)
    return final


def _step(
    net: Net,
    optimise: torch.optim.Optimizer,
    batch: Batch,
    loss: Callable[[Net, Batch], Tensor],
) -> float:
    optimise.zero_grad(set_to_none=True)
    with half():
        value = loss(net, batch)
    value.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimise.step()
    return float(value.detach())


def _set_rate(optimise: torch.optim.Optimizer, plan: Plan, part: float) -> None:
    """Rise over the first `plan.warm` of all epochs, then fall as a half cosine."""
    factor = min(1.0, part / plan.warm) * (
        0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, part)))
    )
    for group in optimise.param_groups:
        group["lr"] = group["peak"] * factor


@torch.no_grad()
def _average(mean: dict[str, Tensor], net: Net, plan: Plan, step: int) -> None:
    if not plan.average:
        return
    pace = min(plan.average, (1 + step) / (10 + step))
    for name, value in net.state_dict().items():
        mean[name].lerp_(value, 1 - pace)


def _with(net: Net, mean: dict[str, Tensor]) -> Net:
    if not mean:
        return net
    averaged = type(net)(net.shape)
    averaged.load_state_dict(mean)
    return averaged


def _save(
    file: Path,
    net: Net,
    optimise: torch.optim.Optimizer,
    mean: dict[str, Tensor],
    epoch: int,
    batch: int,
    step: int,
) -> None:
    """Write beside the old checkpoint, then put it in its place: a kill leaves one of the two."""
    new = file.with_suffix(".new")
    torch.save(
        {
            "net": net.state_dict(),
            "optimise": optimise.state_dict(),
            "mean": mean,
            "epoch": epoch,
            "batch": batch,
            "step": step,
            "random": torch.get_rng_state(),
        },
        new,
    )
    new.replace(file)
