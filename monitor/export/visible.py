"""Makes what strangers wrote readable and harmless on paper: nothing hidden, nothing turned.

A control character, a direction override or a letter that no font has is written out as
"⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩": a reader sees that it is there. The sealed text is untouched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from typing import Final

MARKS_SHOWN: Final = 4
"""Combining marks after one letter that a language may need; of a flood the rest is counted."""
LINES_SHOWN: Final = 120

_PLAIN: Final = re.compile(r"[ -~\n]*")
_LINE_ENDS: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_LONG_WORD: Final = re.compile(r"[^\s/?&-]{40,}")
"""A run in which no line would end by itself, as one does after the slashes of an address."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_BREAK_EVERY: Final = 16
_BREAK: Final = "\u200b"
_EMOJI_STYLE: Final = frozenset("\ufe0e\ufe0f")
"""Ask for a picture in colour or in black; they change no word, and paper has one style."""


def visible(text: str, *, limit: int, lack: AbstractSet[str] = frozenset()) -> str:
    """`text` as it may be printed, at most `limit` code points of it; `lack` is in no font.

    The work is bounded by `limit`. Where something was cut, the end says so and how long it was.
    """
    head = _LINE_ENDS.sub("\n", text[:limit])
    rows = head.split("\n")
    cut = len(text) > limit or len(rows) > LINES_SHOWN
    shown = "\n".join(rows[:LINES_SHOWN])
    if not _PLAIN.fullmatch(shown):
        shown = "".join(_letters(shown, lack))
        if len(shown) > 2 * limit:  # mostly characters that had to be written out
            shown, cut = shown[: 2 * limit], True
    shown = _LONG_WORD.sub(_breakable, shown)
    if cut:
        shown += f" [cut here; the whole has {len(text):,} characters and is sealed in the log]"
    return shown


def _letters(text: str, lack: AbstractSet[str]) -> list[str]:
    kept: list[str] = []
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        if kind in {"Mn", "Me"} and letter not in _EMOJI_STYLE:
            marks += 1
        else:
            if marks > MARKS_SHOWN:
                kept.append(f"⟨{marks - MARKS_SHOWN} more marks⟩")
            marks = 0
        if marks > MARKS_SHOWN or letter in _EMOJI_STYLE:
            continue
        if letter == "\n":
            kept.append(letter)
        elif letter == "\t" or (kind == "Zs" and letter != "\u1680"):
            kept.append(" ")
        elif kind[0] == "C" or kind in {"Zl", "Zp"} or letter in lack or not letter.isprintable():
            kept.append(written_out(letter))
        else:
            kept.append(letter)
    if marks > MARKS_SHOWN:
        kept.append(f"⟨{marks - MARKS_SHOWN} more marks⟩")
    return kept


def written_out(letter: str) -> str:
    """A character by its number and, where it has one, its name in Unicode."""
    name = unicodedata.name(letter, "")
    return f"⟨U+{ord(letter):04X}{' ' if name else ''}{name}⟩"


def _breakable(found: re.Match[str]) -> str:
    """A long word with places at which a line may end; they have no width.

    A digest keeps none: it fits on a line, and is to be copied from the page.
    """
    word = found.group()
    if _DIGEST.fullmatch(word):
        return word
    return _BREAK.join(word[n : n + _BREAK_EVERY] for n in range(0, len(word), _BREAK_EVERY))
