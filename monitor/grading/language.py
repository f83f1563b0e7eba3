"""Says when a text is in a language that the model cannot be trusted to read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.grading.words import ENGLISH

if TYPE_CHECKING:
    from monitor.grading.question import Question

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_FEWEST_WORDS = 5
_MOST_OTHER_LETTERS = 0.3
_FEWEST_ENGLISH = 1 / 7
"""Any two lines of English hold more common words; a Polish "ty" or "to" is one by accident."""


def looks_foreign(question: Question, judged: float, limit: float) -> bool:
    """Say whether the text is not in English.

    `judged` is the model's own probability that it is not; it knows some 25 languages. Script and
    the want of common English words catch the ones that it has never seen.
    """
    if judged >= limit:
        return True
    text = _without(question)
    letters = [c for c in text if c.isalpha()]
    if letters and sum(c > "\u024f" for c in letters) / len(letters) > _MOST_OTHER_LETTERS:
        return True
    words = [word.lower().replace("\u2019", "'") for word in _WORD.findall(text[:5000])]
    english = sum(word in ENGLISH for word in words)
    lacking = len(words) >= _FEWEST_WORDS and english < len(words) * _FEWEST_ENGLISH
    accented = any(not word.isascii() for word in words)
    return lacking and (accented or judged >= limit / 4)


def _without(question: Question) -> str:
    """Return the text without the target's name, which may come from any language."""
    kept, at = [], 0
    for start, end in sorted(question.spans):
        kept.append(question.text[at : max(at, start)])
        at = max(at, end)
    return " ".join((*kept, question.text[at:]))
