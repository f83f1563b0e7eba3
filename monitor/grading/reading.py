"""Turns a question into what the model reads: name masked, disguises undone, context beside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.grading.disguise import undo
from monitor.grading.words import WELDED
from monitor.model import Scope

if TYPE_CHECKING:
    from monitor.grading.disguise import Known
    from monitor.grading.question import Question, Span

PERSON = "[unused1]"
"""Stands for the person asked about."""
INSTITUTION = "[unused2]"
"""Stands for the school, or for its staff as a body."""
AT_SCHOOL = "[unused3]"
"""Opens the context where the text stands in a place that is about the school."""
MARKS = (PERSON, INSTITUTION, AT_SCHOOL)

# Titles that are nothing else, and titles that are words too ("we will miss Mr Kay").
_TITLE = r"(?:mrs?|ms|mx|dr|prof(?:essor)?|rev(?:erend)?|mme|madame|monsieur|herr|pani|mistr|mgr)"
_SOFT_TITLE = r"(?:miss|sir|madam|ma'?am|coach|father|canon|pan|frau|se[n\u00f1]ora?|signora?)"
_TITLED = re.compile(rf"(?:{_TITLE}|{_SOFT_TITLE})(?:[.\s_]|(?-i:[A-Z]))", re.IGNORECASE)
_TITLES_BEFORE = re.compile(rf"(?:(?<![^\W_])(?:{_TITLE})[.\s_]*)+$", re.IGNORECASE)
_SOFT_TITLE_BEFORE = re.compile(rf"(?<![^\W_])({_SOFT_TITLE})[.\s_]*$", re.IGNORECASE)
_VERB_BEFORE_MISS = re.compile(
    r"(?:\b(?:will|gonna|to|would|really|still|do|don.?t|did|didn.?t|always|already|i|we|you|they|"
    r"gon|dinnae|never|can.?t|won.?t|so|much|not|and)|['\u2019](?:ll|d))\s+$",
    re.IGNORECASE,
)
_INSTITUTION = re.compile(
    r"\b(?:school|sch|academ\w*|acad|primary|secondary|infants?|juniors?|nursery|college|grammar|"
    r"utc|c of e|ce|trust|sixth form|staff|teachers|department|dept|governors|slt|ladies|office|"
    r"high|pta|team|leadership|schools)\b",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"[@#]|\w[._]\w|[a-z][A-Z]|\d")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HASHTAG = re.compile(r"#(\w+)")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """The two segments of the model's input: the text with its target marked, and its context."""

    text: str
    context: str


def read(question: Question, known: Known) -> Reading:
    """Return the masked and undisguised form of `question`.

    No character inside `question.spans` reaches the result but words welded to a handle, so two
    questions that differ only in the name give the same reading.
    """
    text = question.text
    kept = _joined(question.insulting, len(text))
    spans = _joined((*question.spans, *kept), len(text))
    names = {text[a:b] for a, b in spans}
    shown = ((question.title, question.title_spans), (question.thread, question.thread_spans))
    names |= {other[a:b] for other, places in shown for a, b in _joined(places, len(other))}
    mark = INSTITUTION if any(_INSTITUTION.search(name) for name in names) else PERSON
    around = [AT_SCHOOL] if question.scope is Scope.SCHOOL else []
    for other, places in shown:
        if other.strip() and other.strip() != text.strip():
            found = _joined((*places, *_places(other, names)), len(other))
            around.append(_masked(other, found, [], mark, known))
    body = _masked(text, spans, kept, mark, known)
    return Reading(text=body, context=" . ".join(around))


def _joined(spans: tuple[Span, ...], length: int) -> list[Span]:
    """Return the spans inside the text, in order, overlaps joined."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        start, end = max(0, first), min(last, length)
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _places(text: str, names: set[str]) -> list[Span]:
    """Find in a title or thread the same names as in the text, whatever their case."""
    longest = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    if not longest:
        return []
    either = "|".join(re.escape(name) for name in longest)
    return [
        found.span() for found in re.finditer(rf"(?<!\w)(?:{either})(?!\w)", text, re.IGNORECASE)
    ]


def _masked(text: str, spans: list[Span], kept: list[Span], mark: str, known: Known) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        before = text[at:start] if not at else _after_name(text[at:start])
        pieces.append(undo(_before_name(before, text[start:end]), known))
        readable = [text[max(a, start) : min(b, end)] for a, b in kept if a < end and start < b]
        stuck = readable or welded_words(text[start:end])
        pieces.append(" ".join(["", mark, *(undo(word, known) for word in stuck), ""]))
        at = end
    pieces.append(undo(_after_name(text[at:]) if spans else text, known))
    flat = _SPACE.sub(" ", _hashtags_split("".join(pieces))).strip()
    twice = re.escape(mark)
    return re.sub(rf"{twice}(?: {twice})+", mark, flat)


def _before_name(piece: str, name: str) -> str:
    """Drop a title before the name, and separate what is welded to its front (`#Sack…`)."""
    piece = _untitled(piece, name)
    welded = re.search(r"[@#]?[\w.]{1,100}$", piece)
    if not welded:
        return piece
    sign = welded.group()[:1] if welded.group()[:1] in "@#" else ""
    return _untitled(f"{piece[: welded.start()]}{sign} {_words(welded.group())} ", name)


def _untitled(piece: str, name: str) -> str:
    """Drop a title that belongs to the name, but no verb that only looks like one."""
    piece = _TITLES_BEFORE.sub("", piece)
    soft = _SOFT_TITLE_BEFORE.search(piece)
    if not soft or _TITLED.match(name) or soft.group(1)[0].isupper() != name[:1].isupper():
        return piece
    if soft.group(1).lower() == "miss" and _VERB_BEFORE_MISS.search(piece[: soft.start()]):
        return piece
    return piece[: soft.start()]


def _after_name(piece: str) -> str:
    """Separate what is welded to the end of the name (`….burnbook`) into words."""
    welded = re.match(r"[._]?\w{1,100}", piece)
    if not welded:
        return piece
    return f" {_words(welded.group())}{piece[welded.end() :]}"


def _words(welded: str) -> str:
    """Split a run of joined words at its capitals and separators."""
    parts = re.split(r"[\W_]+", welded)
    return " ".join(
        word for part in parts for word in (_CAMEL.findall(part) if part.isascii() else [part])
    )


def welded_words(name: str) -> list[str]:
    """Return the attacking or posing words inside a handle, none for an ordinary name."""
    if not _HANDLE.search(name) or " " in name.strip():
        return []
    pieces = [
        piece.lower() for part in re.split(r"[\W_\d]+", name) for piece in _CAMEL.findall(part)
    ]
    return [piece for piece in pieces if piece in WELDED]


def _hashtags_split(text: str) -> str:
    return _HASHTAG.sub(lambda found: f"# {_words(found.group(1))}", text)
