"""Export: the trained net as an ONNX graph, quantised to 8 bits with a reduced range."""

from __future__ import annotations

import copy
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

if TYPE_CHECKING:
    from training.encoder import Net

KEPT_WHOLE = ("/pool/Gemm", "/answer/Gemm")
"""The last two layers are small, and every rounding there reaches the answer."""
SPLIT = ("", "_MatMul")
"""The quantiser splits a Gemm into a MatMul of that longer name and an addition."""
INPUTS = ("tokens", "segments", "present", "target")


class SmallWords(nn.Module):
    """The table of word pieces in 8 bits with a scale for each row, a quarter of its size."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("rows", (weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.rows[tokens].float() * self.scale[tokens]


def small(net: Net) -> Net:
    """Return a copy of the net whose words are in 8 bits, row by row."""
    copied = copy.deepcopy(net)
    copied.words = SmallWords(net.words.weight.detach())  # type: ignore[assignment]
    return copied


def written(net: Net, file: Path) -> None:
    """Write the net as ONNX, as precise as it is; batch and length stay free."""
    net = net.eval()
    sample = (
        torch.tensor([[101, 2, 2023, 102], [101, 2, 2023, 102]]),
        torch.zeros(2, 4, dtype=torch.long),
        torch.ones(2, 4),
        torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
    )
    axes = {name: {0: "batch", 1: "length"} for name in INPUTS}
    torch.onnx.export(
        net,
        sample,
        str(file),
        input_names=list(INPUTS),
        output_names=["answers"],
        dynamic_axes={**axes, "answers": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def quantised(full: Path, file: Path) -> None:
    """Write the 8-bit model; weights keep to 7 bits, so that sums fit without VNNI."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(full), str(ready), skip_symbolic_shape=True)
        quantize_dynamic(
            str(ready),
            str(file),
            weight_type=QuantType.QInt8,
            reduce_range=True,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=[f"{name}{more}" for name in KEPT_WHOLE for more in SPLIT],
            extra_options={"MatMulConstBOnly": True},
        )
    model = onnx.load(str(file))
    model.producer_name, model.producer_version = "staff-mentions training", ""
    model.graph.name = "grader"
    del model.metadata_props[:]
    onnx.save(model, str(file))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
