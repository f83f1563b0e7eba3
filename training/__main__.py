"""`python -m training STEP`: without a step, train and build the model.

- `train` (or `build`): train, or take up what was begun, and write the files of the package.
- `onward:FILE:FILE…`: learn on from the shipped model for one epoch; those cases count twice. A
  FILE is a name in `training/cases`, or the path of exported corrections (`….jsonl`).
- `renew`: learn on from the shipped model and from a net trained from the beginning.
- `whole`: write the shipped model in full precision, which `python -m bench grading` compares with.
- `report`: measure the shipped model and write the tables of the docs.
- `baselines`: measure simpler graders on the same sets.
- `levers:NAME:NAME…`: measure what each lever of the training brings; all without a name.
- `processors:MODEL`: grade texts here and on an emulated processor (Haswell: no VNNI), and compare.
- `marked:SEED`: print thirty alerts with the words that decided; without a number, the set that
  outsiders read.

Each step takes up what the steps before it left in `training/work`.
"""

# Imports stand in the steps: reporting needs no torch, and only baselines need scikit-learn.
# ruff: noqa: PLC0415

from __future__ import annotations

import json
import sys
from pathlib import Path


def train(_names: list[str]) -> None:
    import torch

    from training.build import build
    from training.fine import polished

    torch.set_num_threads(2)
    net, pieces = polished()
    print(build(net, pieces)["chosen"])


def onward(names: list[str]) -> None:
    import torch

    from training import fine
    from training.build import PACKAGE, build
    from training.corrections import corrections

    torch.set_num_threads(2)
    given = [Path(name) for name in names if name.endswith(".jsonl")]
    more = [row for file in given for row in corrections(file)]
    fresh = frozenset(name for name in names if not name.endswith(".jsonl"))
    net, pieces = fine.onward(PACKAGE, fresh, more)
    print(build(net, pieces)["chosen"])


def renew(_names: list[str]) -> None:
    import torch

    from training import fine
    from training.build import PACKAGE, build

    torch.set_num_threads(2)
    net, pieces = fine.renewed(PACKAGE)
    print(build(net, pieces)["chosen"])


def whole(_names: list[str]) -> None:
    from monitor.grading.grader import HERE
    from training.export import written
    from training.recover import recovered
    from training.rows import WORK

    net, _ = recovered(HERE)
    WORK.mkdir(exist_ok=True)
    written(net, WORK / "full.onnx")


def report(_names: list[str]) -> None:
    from training.report import printed
    from training.report import report as measured
    from training.tables import refresh

    result = measured()
    refresh(result)
    print(printed(result))


def baselines(_names: list[str]) -> None:
    from training.baselines import compared

    print(compared())


def levers(names: list[str]) -> None:
    import torch

    from training.levers import LEVERS, measure

    torch.set_num_threads(2)
    measure(tuple(names) or LEVERS)


def marked(names: list[str]) -> None:
    from training.marked import SEED
    from training.marked import marked as listed

    print(listed(int(names[0]) if names else SEED))


def processors(names: list[str]) -> None:
    from training.processors import compared

    said, same = compared(*names[:1])
    print(said)
    sys.exit(0 if same else 1)


def graded(_names: list[str]) -> None:
    from training.processors import graded as on_this

    print(json.dumps(on_this()))


STEPS = {
    "processors": processors,
    "graded": graded,
    "train": train,
    "build": train,
    "onward": onward,
    "renew": renew,
    "whole": whole,
    "report": report,
    "baselines": baselines,
    "levers": levers,
    "marked": marked,
}


def main(step: str) -> int:
    """Run one step, NAME or NAME:ARGUMENT:ARGUMENT…; an unknown one prints what there is."""
    name, *names = step.split(":")
    if name not in STEPS:
        print(__doc__)
        return 2
    STEPS[name](names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "train"))
