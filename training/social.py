"""Before the warm-up: the encoder reads social posts with words missing, and learns to guess them.

Masked-language training as in BERT (Devlin et al. 2019): 15 % of the pieces, of which four in five
are hidden, one in ten is another piece and one in ten stays.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from monitor.grading.disguise import undo
from training.batches import Batch, Example, example_of
from training.encoder import Net
from training.learn import Plan, learn
from training.rows import SHARED, WORK, Row, forbidden, in_domain, is_held, lines
from training.warm import base_net, warmed_from

if TYPE_CHECKING:
    from monitor.grading.windows import Pieces

TEXTS = 45_000
"""Public texts to read, beside all the mentions that training may see."""
SHARE = 0.15
SPECIAL = 1000
"""Pieces below this number are marks of the tokenizer, which are never hidden."""


class Guesser(Net):
    """The encoder with a head that guesses hidden pieces, tied to the table of words."""

    def __init__(self) -> None:
        super().__init__()
        self.guess = nn.Linear(self.shape.width, self.shape.width)
        self.guess_norm = nn.LayerNorm(self.shape.width, eps=1e-12)
        self.guess_bias = nn.Parameter(torch.zeros(self.shape.vocabulary))

    def guesses(self, hidden: Tensor) -> Tensor:
        """hidden: (pieces, width); returns (pieces, vocabulary) logits."""
        told = self.guess_norm(functional.gelu(self.guess(hidden)))
        return told @ self.words.weight.T + self.guess_bias


def hidden_words(mask: int) -> object:
    """Return the loss of a batch: cross-entropy of the pieces that were hidden from the net."""

    def loss(net: Guesser, batch: Batch) -> Tensor:
        tokens, segments, present, _target = batch.inputs
        drawn = torch.rand(tokens.shape)
        picked = (drawn < SHARE) & (tokens >= SPECIAL)
        seen = torch.where(picked & (drawn < 0.8 * SHARE), mask, tokens)
        other = torch.randint(SPECIAL, net.shape.vocabulary, tokens.shape)
        seen = torch.where(picked & (drawn > 0.9 * SHARE), other, seen)
        encoded = net.encoded(seen, segments, present)
        if not picked.any():
            return encoded.sum() * 0.0
        return functional.cross_entropy(net.guesses(encoded[picked]).float(), tokens[picked])

    return loss


def _texts(pieces: Pieces, seed: int) -> list[Example]:
    rng = random.Random(seed)
    files = sorted((SHARED / "data").glob("train/*.gz")) + sorted(
        (SHARED / "data").glob("unclear/*.gz")
    )
    texts = [line["text"] for file in files for line in lines(file) if len(line["text"]) <= 400]
    barred = forbidden()
    picked = [text for text in rng.sample(texts, min(TEXTS, len(texts))) if not barred.near(text)]
    plain = [
        example_of(Row("", undo(text, pieces.known), "", None, "", ""), pieces, 96, plain=True)
        for text in picked
    ]
    own = [example_of(row, pieces, 128) for row in in_domain() if not is_held(row)]
    return plain + own


def read_on(seed: int) -> tuple[Net, Pieces]:
    """Return the public encoder after one pass over social posts; resumable like every stage."""
    base, pieces = base_net(seed)
    guesser = Guesser()
    guesser.load_state_dict(base.state_dict(), strict=False)
    plan = Plan("social", epochs=1, rate=1e-4, seed=seed, layer_decay=1.0)
    loss = hidden_words(pieces.number("[MASK]"))
    guesser = learn(guesser, plan, lambda _epoch: _texts(pieces, seed), WORK / "net", loss=loss)
    net = Net()
    net.load_state_dict(guesser.state_dict(), strict=False)
    net.pool.load_state_dict(base.pool.state_dict())
    net.answer.load_state_dict(base.answer.state_dict())
    return net, pieces


def warmed_socially(seed: int) -> tuple[Net, Pieces]:
    """Read social posts, then learn from public labels: the whole warm-up."""
    net, pieces = read_on(seed)
    return warmed_from(net, pieces, "warm-social", seed), pieces


if __name__ == "__main__":
    torch.set_num_threads(2)
    warmed_socially(1)
