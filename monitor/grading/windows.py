"""Cuts what the model reads into windows of word pieces, each with its target marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from monitor.errors import GradingError
from monitor.grading.reading import INSTITUTION, MARKS, PERSON

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.grading.reading import Reading

LONGEST = 192
"""Word pieces in a window, context and marks included; the training texts seldom pass it."""
OVERLAP = 64
"""Word pieces that neighbouring windows share, so that no sentence is cut in both."""
CONTEXT = 48
"""Word pieces of title and thread that stand beside each window."""


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the model: piece numbers, segment of each, 1 where the target stands, words."""

    tokens: tuple[int, ...]
    segments: tuple[int, ...]
    target: tuple[int, ...]
    text: str = ""


class Pieces:
    """The tokenizer, with the marks of the target as pieces of their own."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.add_special_tokens(list(MARKS))
        self._tokenizer = tokenizer
        self._first, self._last = self.number("[CLS]"), self.number("[SEP]")
        self._marks = frozenset((self.number(PERSON), self.number(INSTITUTION)))
        self._person = self.number(PERSON)
        self._unknown = self.number("[UNK]")

    @classmethod
    def load(cls, file: Path) -> Pieces:
        """Read the tokenizer's JSON file, which the card has vouched for.

        Raises:
            GradingError: when the file is missing.
        """
        try:
            return cls(Tokenizer.from_str(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise GradingError(f"the tokenizer cannot be read: {file.name}") from error

    def known(self, word: str) -> bool:
        """Say whether `word` is one piece."""
        return self._tokenizer.token_to_id(word) is not None

    def save(self, file: Path) -> None:
        """Write the tokenizer with its marks."""
        self._tokenizer.save(str(file), pretty=False)

    def cut(self, reading: Reading, *, remind: bool = True) -> list[Window]:
        """Return the windows of `reading`, in order; at least one, whatever the text.

        A window that does not name the target opens with its mark, unless `remind` is off.
        """
        seen = self._tokenizer.encode(reading.text, add_special_tokens=False)
        text: list[int] = seen.ids
        beside = self._numbers(reading.context)[:CONTEXT] if reading.context else []
        room = LONGEST - 3 - (len(beside) + 1 if beside else 0)
        if len(text) <= room:
            own = self._reminded(text, self._person) if remind else text
            return [self._window(own, beside, reading.text)]
        mark = next((number for number in text if number in self._marks), self._person)
        places: list[tuple[int, int]] = seen.offsets
        windows = []
        for at in range(0, len(text) - OVERLAP, room - OVERLAP):
            last = min(at + room, len(text)) - 1
            words = reading.text[places[at][0] : places[last][1]]
            own = self._reminded(text[at : at + room], mark)
            windows.append(self._window(own, beside, words))
        return windows

    def _reminded(self, part: list[int], mark: int) -> list[int]:
        """Put the target's mark first where a window would otherwise not name it."""
        return part if self._marks.intersection(part) else [mark, *part]

    def _window(self, text: list[int], beside: list[int], words: str) -> Window:
        tokens = [self._first, *text, self._last]
        segments = [0] * len(tokens)
        target = [int(number in self._marks) for number in tokens]
        if beside:
            tail = [*beside, self._last]
            tokens += tail
            segments += [1] * len(tail)
            target += [0] * len(tail)
        return Window(tuple(tokens), tuple(segments), tuple(target), words)

    def _numbers(self, text: str) -> list[int]:
        numbers: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return numbers

    def number(self, piece: str) -> int:
        """Return the number of `piece`.

        Raises:
            GradingError: when the vocabulary has no such piece.
        """
        number = self._tokenizer.token_to_id(piece)
        if number is None:
            raise GradingError(f"the tokenizer lacks {piece}")
        return int(number)
