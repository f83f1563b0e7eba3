"""The JSON lines of the command `grade`: one object in, one object out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.grading.question import Question, spans_of
from monitor.model import Flag, Scope

if TYPE_CHECKING:
    from monitor.model import Grade


class LineError(ValueError):
    """One line is not a question; the message says what is wrong, without quoting the text."""


def read_line(line: Any) -> tuple[str | int, Question]:
    """Return the id and the question of one parsed line.

    `{"id", "text", "mention", "title"?, "thread"?, "scope"?}`; every occurrence of `mention` in
    `text` is the target, whatever its case where it does not stand there literally. A mention that
    stands nowhere is graded all the same: nothing is dropped.

    Raises:
        LineError: when the line is not such an object.
    """
    if not isinstance(line, dict):
        raise LineError("a line must be a JSON object")
    identity = line.get("id")
    if not isinstance(identity, (str, int)) or isinstance(identity, bool):
        raise LineError("id: must be text or a whole number")
    text, mention = _text(line, "text"), _text(line, "mention")
    title, thread = _text(line, "title", ""), _text(line, "thread", "")
    try:
        scope = Scope(line.get("scope") or Scope.OPEN)
    except ValueError as error:
        raise LineError(f"scope: must be one of {', '.join(Scope)}") from error
    question = Question(
        text,
        _places(text, mention),
        title=title,
        thread=thread,
        scope=scope,
        title_spans=_places(title, mention),
        thread_spans=_places(thread, mention),
    )
    return identity, question


def write_line(identity: str | int, grade: Grade) -> dict[str, Any]:
    """Return one grade as the plain values that `grade` prints; offsets are code points."""
    scores = grade.scores
    return {
        "id": identity,
        "grade": grade.severity.value,
        "unsure": grade.unsure,
        "scores": {
            "threatening": round(scores.threatening, 4) if scores else 0.0,
            "abusive": round(scores.abusive, 4) if scores else 0.0,
            "neutral": round(scores.neutral, 4) if scores else 0.0,
        },
        "flags": [flag.value for flag in Flag if flag in grade.flags],
        "reasons": [
            {"start": r.start, "end": r.end, "text": r.text, "weight": r.weight}
            for r in grade.reasons
        ],
    }


def _places(text: str, mention: str) -> tuple[tuple[int, int], ...]:
    """Find the mention literally; failing that, whatever its case (where that keeps offsets)."""
    found = spans_of(text, mention)
    lowered = text.lower()
    if found or len(lowered) != len(text):
        return found
    return spans_of(lowered, mention.lower())


def _text(line: dict[str, Any], key: str, default: str | None = None) -> str:
    value = line.get(key, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise LineError(f"{key}: must be text" if key in line else f"{key}: is missing")
    return value
