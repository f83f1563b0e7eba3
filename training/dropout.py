"""Dropout whose masks are cut from random bytes: torch's own draws take a quarter of a step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

_source = np.random.Generator(np.random.SFC64(0))


def begin(*seed: int) -> None:
    """Start the draws anew from `seed`: a step that is taken again draws the same."""
    global _source  # noqa: PLW0603 - one source for all layers, as torch has
    _source = np.random.Generator(np.random.SFC64(seed))


class Dropout(nn.Module):
    """Drops about `share` of the values (to the nearest 1/256) and scales up the rest."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.limit = round(share * 256)

    def forward(self, hidden: Tensor) -> Tensor:
        if not self.training or not self.limit:
            return hidden
        drawn = torch.from_numpy(
            np.frombuffer(bytearray(_source.bytes(hidden.numel())), dtype=np.uint8)
        )
        kept = (drawn >= self.limit).view(hidden.shape).to(hidden.dtype)
        return hidden * (kept * (256 / (256 - self.limit)))
