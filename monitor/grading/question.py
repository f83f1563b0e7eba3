"""What the grader is asked: one text, and which of its characters are the person's own name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.model import PostField, Scope

Span = tuple[int, int]
"""Start and end (exclusive), in code points of the original text."""


@dataclass(frozen=True, slots=True)
class Question:
    """One text to be graded towards one target.

    `spans` are the characters of the target's own name in `text`; they are masked before anything
    is read, and so are the same characters in `title` and `thread`; `title_spans` and
    `thread_spans` add places where the name stands there in another form. `insulting` are spans
    of aliases that the roster marks as insults: they are the target too, but stay readable and
    count. `scope` says whether the place where the text stands is itself about the school.
    Spans outside the text are ignored.
    """

    text: str
    spans: tuple[Span, ...]
    title: str = ""
    thread: str = ""
    scope: Scope = Scope.OPEN
    insulting: tuple[Span, ...] = ()
    title_spans: tuple[Span, ...] = ()
    thread_spans: tuple[Span, ...] = ()


def asked(
    text: str,
    *,
    title: str,
    thread: str,
    scope: Scope,
    names: Iterable[tuple[PostField, Span]],
    insulting: tuple[Span, ...],
) -> Question:
    """Make a question of a post and of where its fields name the target.

    An insulting name (a span of `text`) is not masked as a name is: calling somebody so is what is
    to be graded.
    """
    spans: dict[PostField, list[Span]] = {field: [] for field in PostField}
    for field, span in names:
        if field is not PostField.TEXT or span not in insulting:
            spans[field].append(span)
    return Question(
        text=text,
        spans=tuple(spans[PostField.TEXT]),
        title=title,
        thread=thread,
        scope=scope,
        insulting=insulting,
        title_spans=tuple(spans[PostField.TITLE]),
        thread_spans=tuple(spans[PostField.THREAD]),
    )


def spans_of(text: str, mention: str) -> tuple[Span, ...]:
    """Return every place where `mention` stands in `text`, literally and without overlap."""
    if not mention:
        return ()
    found: list[Span] = []
    start = text.find(mention)
    while start >= 0:
        found.append((start, start + len(mention)))
        start = text.find(mention, start + len(mention))
    return tuple(found)
