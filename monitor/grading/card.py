"""The card of the model: its name and hash, calibration, thresholds and known answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.errors import GradingError
from monitor.model import Flag

if TYPE_CHECKING:
    from pathlib import Path

MODEL_FILE = "grader.onnx"
TOKENIZER_FILE = "tokenizer.json"
NGRAMS_FILE = "ngrams.npz"
CARD_FILE = "card.json"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a calibrated probability decides.

    `threatening`: least probability of a threat that is called one. `abusive`: least probability
    of "not neutral" that is called abusive. Between `unsure_below` and certainty an answer is
    marked unsure; `foreign`: least probability of another language that counts as one.
    """

    threatening: float
    abusive: float
    sure: float
    foreign: float
    foreign_neutral: float


@dataclass(frozen=True, slots=True)
class Card:
    """Everything beside the network that decides a grade; stored with every grade by its hash.

    Calibrated logits are the network's by `temperature`, plus `linear` times the linear reader's,
    plus `bias`; of flags the network's plus `linear_flags` times the linear reader's. A flag below
    its `firm` level is faint: it is kept, and disturbs nobody by itself.
    """

    name: str
    sha256: str
    temperature: float
    linear: float
    linear_flags: float
    bias: tuple[float, float, float]
    thresholds: Thresholds
    flags: dict[Flag, float]
    firm: dict[Flag, float]
    known: tuple[dict[str, Any], ...] = field(repr=False)
    source: dict[str, Any] = field(repr=False)

    @property
    def full_name(self) -> str:
        """Name of the model and the first 12 digits of its hash."""
        return f"{self.name} {self.sha256[:12]}"


def read_card(directory: Path) -> Card:
    """Read the card and check that the model and tokenizer are the ones it was written for.

    Raises:
        GradingError: when a file is missing, unreadable, or not the one that was published.
    """
    try:
        source = json.loads((directory / CARD_FILE).read_text(encoding="utf-8"))
        promised = source["sha256"]
        for name in (MODEL_FILE, TOKENIZER_FILE, NGRAMS_FILE):
            found = hashlib.sha256((directory / name).read_bytes()).hexdigest()
            if found != promised[name]:
                raise GradingError(
                    f"the grading model is damaged: {name} is not the published file"
                )
        return _card(source)
    except OSError as error:
        raise GradingError(f"the grading model is missing: {error.filename}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise GradingError(f"the card of the grading model cannot be read: {error}") from error


def _card(source: dict[str, Any]) -> Card:
    first, second, third = (float(value) for value in source["bias"])
    return Card(
        name=str(source["name"]),
        sha256=str(source["sha256"][MODEL_FILE]),
        temperature=float(source["temperature"]),
        linear=float(source["linear"]),
        linear_flags=float(source["linear_flags"]),
        bias=(first, second, third),
        thresholds=Thresholds(
            **{name: float(value) for name, value in source["thresholds"].items()}
        ),
        flags={Flag(name): float(value) for name, value in source["flags"].items()},
        firm={Flag(name): float(value) for name, value in source["firm"].items()},
        known=tuple(source["known"]),
        source=source,
    )
