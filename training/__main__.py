"""`python -m training STEP`: train, build, report, baselines, levers; without a step, train.

`onward:FILE:FILE…` learns on from the shipped model for one epoch; cases of those files count
twice.
"""

from __future__ import annotations

import sys


def main(step: str) -> int:
    """Run one step; each takes up what the steps before it left in `training/work`."""
    if step == "report":
        from training.report import printed, report  # noqa: PLC0415 - needs no torch
        from training.tables import refresh  # noqa: PLC0415

        result = report()
        refresh(result)
        print(printed(result))
        return 0
    if step == "baselines":
        from training.baselines import compared  # noqa: PLC0415 - needs scikit-learn

        print(compared())
        return 0
    if step in ("train", "build"):
        import torch  # noqa: PLC0415 - only the steps that train need it

        from training.build import build  # noqa: PLC0415
        from training.fine import polished  # noqa: PLC0415

        torch.set_num_threads(2)
        net, pieces = polished()
        print(build(net, pieces)["chosen"])
        return 0
    if step.startswith("levers"):
        import torch  # noqa: PLC0415 - as above

        from training import levers  # noqa: PLC0415

        torch.set_num_threads(2)
        levers.main(tuple(step.split(":")[1:]) or levers.LEVERS)
        return 0
    if step.startswith("onward"):
        import torch  # noqa: PLC0415 - as above

        from training.build import PACKAGE, build  # noqa: PLC0415
        from training.fine import onward  # noqa: PLC0415

        torch.set_num_threads(2)
        net, pieces = onward(PACKAGE, frozenset(step.split(":")[1:]))
        print(build(net, pieces)["chosen"])
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "train"))
