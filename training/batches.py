"""Rows in, tensors out: the same reading as in the program, cut, marked, and batched by length."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from monitor.grading.question import Question, spans_of
from monitor.grading.reading import Reading, read
from monitor.model import Scope
from training.rows import FLAGS, FOREIGN, GRADES, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.grading.windows import Pieces, Window

MARKS = len(FLAGS) + 1
STEP = 8
"""Lengths of batches are multiples of this."""


@dataclass(frozen=True)
class Example:
    """One window with its answers: grade 0-2, -1 for "not neutral"; marks 1, 0, -1 unknown."""

    window: Window
    grade: int
    marks: tuple[int, ...]
    weight: float
    group: str = ""


@dataclass(frozen=True)
class Batch:
    """Padded tensors of some examples, as `Net.forward` and the loss take them."""

    inputs: tuple[Tensor, Tensor, Tensor, Tensor]
    grade: Tensor
    marks: Tensor
    weight: Tensor
    group: Tensor


def question_of(row: Row) -> Question:
    """Return the question that the program would ask about this row."""
    scope = Scope.SCHOOL if row.scope == "school" else Scope.OPEN
    spans = spans_of(row.text, row.mention)
    return Question(row.text, spans, title=row.title, thread=row.thread, scope=scope)


def example_of(row: Row, pieces: Pieces, longest: int, *, plain: bool = False) -> Example:
    """Read and cut one row; `plain` skips the masking (public texts name nobody)."""
    reading = Reading(row.text, "") if plain else read(question_of(row), pieces.known)
    window = pieces.cut(reading, remind=not plain)[0]
    if len(window.tokens) > longest:
        keep = longest - 1
        window = type(window)(
            (*window.tokens[:keep], window.tokens[-1]),
            (*window.segments[:keep], window.segments[-1]),
            (*window.target[:keep], window.target[-1]),
        )
    grade = GRADES.index(row.grade) if row.grade else -1
    marks = [-1] * MARKS
    for n, flag in enumerate(FLAGS):
        if flag in row.known_flags:
            marks[n] = int(flag in row.flags)
    if not plain:
        marks[FOREIGN] = int(row.lang != "en")
    return Example(window, grade, tuple(marks), row.weight, row.group)


def _room(length: int) -> int:
    """Round up to a length that batches have: few shapes, each made ready once by torch."""
    return -(-length // STEP) * STEP


def collate(examples: list[Example]) -> Batch:
    """Pad to the longest of the batch, rounded up to `STEP`."""
    length = _room(max(len(example.window.tokens) for example in examples))

    def padded(values: list[tuple[int, ...]]) -> Tensor:
        return torch.tensor([(*row, *([0] * (length - len(row)))) for row in values])

    tokens = padded([example.window.tokens for example in examples])
    present = (padded([(1,) * len(example.window.tokens) for example in examples])).float()
    return Batch(
        (
            tokens,
            padded([example.window.segments for example in examples]),
            present,
            padded([example.window.target for example in examples]).float(),
        ),
        torch.tensor([example.grade for example in examples]),
        torch.tensor([example.marks for example in examples]),
        torch.tensor([example.weight for example in examples]),
        torch.tensor([zlib.crc32(example.group.encode()) for example in examples]),
    )


def batched(
    examples: list[Example],
    tokens: int,
    rng: random.Random | None = None,
    *,
    together: bool = False,
) -> Iterator[list[int]]:
    """Yield index lists of about equal cost; with `rng`, neighbours in length shuffled.

    `together` keeps the members of a group side by side, so that most of them share a batch.
    """
    lengths = [_room(len(example.window.tokens)) for example in examples]
    noise = [rng.uniform(0, 6) if rng else 0.0 for _ in lengths]
    place = [length + more for length, more in zip(lengths, noise, strict=True)]
    if together:
        furthest: dict[str, float] = {}
        for example, at in zip(examples, place, strict=True):
            furthest[example.group] = max(at, furthest.get(example.group, 0.0))
        place = [furthest[example.group] for example in examples]
    order = sorted(range(len(examples)), key=lambda n: (place[n], examples[n].group))
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for n in order:
        if current and (len(current) + 1) * max(lengths[n], longest) > tokens:
            batches.append(current)
            current, longest = [], 0
        current.append(n)
        longest = max(longest, lengths[n])
    if current:
        batches.append(current)
    if rng:
        rng.shuffle(batches)
    yield from batches
