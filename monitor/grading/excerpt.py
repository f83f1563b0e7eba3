"""Shortens a giant text to what is worth reading, and finds the way back to its offsets."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.model import Reason

if TYPE_CHECKING:
    from monitor.grading.question import Question, Span

MOST_CHARACTERS = 20_000
"""Longer texts are read around the name and at both ends; what was not read leaves a doubt."""
_END = 4_000
_REACH = 1_000
_MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A question short enough to read, and where each of its pieces stood in the original."""

    question: Question
    pieces: tuple[tuple[int, int, int], ...]
    """(start here, end here, start in the original) of each piece."""

    @property
    def complete(self) -> bool:
        """Say whether nothing was left out."""
        return len(self.pieces) == 1

    def placed(self, reasons: tuple[Reason, ...], text: str) -> tuple[Reason, ...]:
        """Return the reasons with offsets of the original `text`; a phrase ends with its piece."""
        starts = [piece[0] for piece in self.pieces]
        result = []
        for reason in reasons:
            here, end, there = self.pieces[max(0, bisect_right(starts, reason.start) - 1)]
            start = reason.start - here + there
            stop = min(reason.end, end) - here + there
            result.append(Reason(start, stop, text[start:stop], reason.weight))
        return tuple(result)


def excerpt(question: Question) -> Excerpt:
    """Return `question` whole, or cut to both ends and the first places where the name stands."""
    text = question.text
    size = len(text)
    if size <= MOST_CHARACTERS:
        return Excerpt(question, ((0, size, 0),))
    centres = sorted(start for start, _ in (*question.spans, *question.insulting))
    around = ((max(0, at - _REACH), min(size, at + _REACH)) for at in _spread(centres))
    kept: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    here = reached = 0
    for first, last in ((0, _END), *around, (size - _END, size)):
        start = max(first, reached)
        if last <= start:
            continue
        pieces.append((here, here + last - start, start))
        kept.append(text[start:last])
        here += last - start + 1
        reached = last
    short = replace(
        question,
        text=" ".join(kept),
        spans=_moved(question.spans, pieces),
        insulting=_moved(question.insulting, pieces),
    )
    return Excerpt(short, tuple(pieces))


def _spread(places: list[int]) -> list[int]:
    """Return at most `_MOST_PLACES` of the places, spread evenly, the first among them."""
    step = max(1, -(-len(places) // _MOST_PLACES))
    return places[::step]


def _moved(spans: tuple[Span, ...], pieces: list[tuple[int, int, int]]) -> tuple[Span, ...]:
    """Move the spans that lie whole inside a piece to where that piece now stands."""
    origins = [piece[2] for piece in pieces]
    moved = []
    for start, end in spans:
        here, stop, there = pieces[max(0, bisect_right(origins, start) - 1)]
        if start >= there and end <= there + stop - here:
            moved.append((start - there + here, end - there + here))
    return tuple(moved)
