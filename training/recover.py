"""The shipped model as a net that can learn on: its 8-bit weights, made whole numbers again.

What 8 bits lost stays lost, so a net that was recovered answers as the shipped one does, not as the
one that it was made from. It is where learning goes on when the checkpoints are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from monitor.grading.card import MODEL_FILE, TOKENIZER_FILE
from monitor.grading.windows import Pieces
from training.encoder import Net

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = ("places.weight", "segments.weight", "norm.weight", "norm.bias")


def recovered(folder: Path) -> tuple[Net, Pieces]:
    """Read `grader.onnx` and its tokenizer back.

    Raises:
        ValueError: when the file was not written by `training.export`.
    """
    graph = onnx.load(str(folder / MODEL_FILE)).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    net = Net()
    state = net.state_dict()
    found = {name: values[name] for name in _PLAIN}
    found["words.weight"] = values["words.rows"].astype(np.float32) * values["words.scale"]
    for name in state:
        if ".norm_" in name:
            found[name] = values[name]
    found |= _linears(graph, values)
    missing = state.keys() - found.keys()
    if missing:
        raise ValueError(f"the file holds no {min(missing)}")
    net.load_state_dict({name: torch.from_numpy(np.array(found[name])) for name in state})
    return net, Pieces.load(folder / TOKENIZER_FILE)


def _linears(graph: onnx.GraphProto, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights and biases of every linear layer, by their names in the net."""
    made_by = {output: node for node in graph.node for output in node.output}
    found: dict[str, np.ndarray] = {}
    for node in graph.node:
        # "/layers.0/query/linear/MatMul_quant" or "/pool/Gemm_MatMul_quant"
        name = ".".join(part for part in node.name.split("/")[1:-1] if part != "linear")
        if node.op_type == "MatMulInteger":
            stem = node.input[1].removesuffix("_quantized")
            weight = values[node.input[1]].astype(np.float32) * values[f"{stem}_scale"]
            source = made_by[made_by[node.input[0]].input[0]]
        elif node.op_type in ("MatMul", "Gemm") and node.input[1] in values:
            weight = values[node.input[1]]
            weight = weight.T if node.op_type == "Gemm" and _turned(node) else weight
            source = made_by[node.input[0]]
        else:
            continue
        for given in source.input if source.op_type == "Mul" else ():
            if given in values and values[given].shape == weight.shape[:1]:
                weight = values[given][:, None] * weight
        found[f"{name}.weight"] = weight.T
        found[f"{name}.bias"] = next(
            values[bias] for bias in (f"{name}.linear.bias", f"{name}.bias") if bias in values
        )
    return found


def _turned(node: onnx.NodeProto) -> bool:
    return any(each.name == "transB" and each.i == 1 for each in node.attribute)
