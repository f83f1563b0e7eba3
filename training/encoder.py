"""The network: a six-layer BERT encoder in plain torch, and heads that answer for a target."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.dropout import Dropout

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Shape:
    """Sizes of MiniLM-L6 (uncased, 30,522 word pieces) and of the answers on top of it."""

    vocabulary: int = 30522
    width: int = 384
    inner: int = 1536
    layers: int = 6
    heads: int = 12
    positions: int = 512
    grades: int = 3
    marks: int = 11

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Layer(nn.Module):
    """One transformer block, normalised after each half as in BERT."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.norm_attention = nn.LayerNorm(width, eps=1e-12)
        self.up, self.down = nn.Linear(width, shape.inner), nn.Linear(shape.inner, width)
        self.norm_output = nn.LayerNorm(width, eps=1e-12)
        self.dropout = Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """hidden: (batch, length, width); mask: (batch, 1, 1, length), added to the attention."""
        batch, length, width = hidden.shape
        size = (batch, length, self.heads, width // self.heads)
        query = self.query(hidden).view(size).permute(0, 2, 1, 3)
        key = self.key(hidden).view(size).permute(0, 2, 3, 1)
        value = self.value(hidden).view(size).permute(0, 2, 1, 3)
        weights = query @ key / math.sqrt(width // self.heads) + mask
        mixed = weights.softmax(-1) @ value
        mixed = mixed.permute(0, 2, 1, 3).reshape(batch, length, width)
        hidden = self.norm_attention(hidden + self.dropout(self.out(mixed)))
        return self.norm_output(hidden + self.dropout(self.down(functional.gelu(self.up(hidden)))))


class Net(nn.Module):
    """Encoder and heads: (batch, grades) logits and (batch, marks) logits for the marked target."""

    def __init__(self, shape: Shape | None = None, dropout: float = 0.1) -> None:
        super().__init__()
        shape = shape or Shape()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width, padding_idx=0)
        self.places = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.pool = nn.Linear(3 * shape.width, shape.width)
        self.answer = nn.Linear(shape.width, shape.grades + shape.marks)
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor, segments: Tensor, present: Tensor, target: Tensor) -> Tensor:
        """Return (batch, grades + marks) logits.

        tokens, segments: (batch, length) integers; present, target: (batch, length) floats, 1 where
        a token is real, and where it stands for the target (nowhere: the whole text answers).
        """
        hidden = self.encoded(tokens, segments, present)
        everywhere = _mean(hidden, present)
        there = _mean(hidden, target + (target.sum(1, keepdim=True) == 0).float() * present)
        pooled = torch.cat([hidden[:, 0], everywhere, there], dim=-1)
        answer: Tensor = self.answer(self.dropout(functional.gelu(self.pool(self.dropout(pooled)))))
        return answer

    def encoded(self, tokens: Tensor, segments: Tensor, present: Tensor) -> Tensor:
        """Return the last layer, (batch, length, width); arguments as in `forward`."""
        at = torch.arange(tokens.shape[1], device=tokens.device)
        hidden = self.words(tokens) + self.places(at) + self.segments(segments)
        hidden = self.dropout(self.norm(hidden))
        mask = (1.0 - present[:, None, None, :]) * -10000.0
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return hidden


def _mean(hidden: Tensor, weights: Tensor) -> Tensor:
    weights = weights.unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def adopt(net: Net, weights: Mapping[str, Tensor]) -> None:
    """Copy the public encoder's weights (Hugging Face BERT names) into `net`."""
    names = {
        "words.weight": "embeddings.word_embeddings.weight",
        "places.weight": "embeddings.position_embeddings.weight",
        "segments.weight": "embeddings.token_type_embeddings.weight",
        "norm.weight": "embeddings.LayerNorm.weight",
        "norm.bias": "embeddings.LayerNorm.bias",
    }
    parts = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "out": "attention.output.dense",
        "norm_attention": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm_output": "output.LayerNorm",
    }
    for index in range(net.shape.layers):
        for ours, theirs in parts.items():
            for kind in ("weight", "bias"):
                names[f"layers.{index}.{ours}.{kind}"] = f"encoder.layer.{index}.{theirs}.{kind}"
    state = net.state_dict()
    for ours, theirs in names.items():
        state[ours] = weights[theirs].clone()
    net.load_state_dict(state)
