"""Where the words of a field that is left out can still be read in what an export would show.

A field is left out of every entry as a whole, but what stood in it may stand elsewhere too: a
person's name in the text, an account in somebody's answer. Only a person can judge that, so the
export stops and says where. What is compared is the literal value, whatever its case, spaces and
escapes; a nickname or a hint is for whoever reads the export before it leaves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import unquote

from ahocorasick_rs import AhoCorasick

from monitor.errors import EvidenceError
from monitor.evidence.leaf import Json, read_disclosure
from monitor.evidence.verify import PICTURE_FIELD, StoredEntry
from monitor.export.redact import CONTENT, RAW, Shown
from monitor.export.visible import visible

SHORTEST: Final = 3
"""Letters of a value that is looked for; a shorter one stands in any text."""
SHORTEST_NUMBER: Final = 6
"""Digits of a number of which the same is true."""
LONGEST_SHOWN: Final = 40
LISTED: Final = 12
"""Lines of the message, and entries in a line."""

_SAYS_NOTHING: Final = frozenset(
    {"about", "answer", "flags", "left_out", "published", "raw_media_type", "raw_offset"}
    | {"reference", "scores", "severity", "unsure", "urgency", "version"}
)
"""Fields that name nobody and quote nothing: their words, such as "abusive", stand everywhere."""
_OF_A_PART: Final = frozenset({"context", "field", "kind", "rule"})
"""Parts of a field of which the same is true."""
_LINE: Final = 20
"""Characters of a line that is surely a quotation where it stands elsewhere."""
_CODE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Trace:
    """A value of the field `of` that can be read elsewhere: in `place` of these entries.

    `add` is the field to leave out as well, empty where nothing can be; `value` is empty where
    nothing was found but nothing could be read either.
    """

    of: str
    value: str
    place: str
    entries: tuple[int, ...]
    add: str

    def __str__(self) -> str:
        where = f"{self.place}{_numbered(self.entries)}"
        if not self.value:
            return f"{self.of}: {where} may show it, which no program can read"
        quoted = visible(self.value, limit=LONGEST_SHOWN)
        return f"{self.of}: “{quoted}” stands in {where}"


def _numbered(entries: Sequence[int]) -> str:
    if not entries:
        return ""
    listed = ", ".join(map(str, entries[:LISTED]))
    more = f" and {len(entries) - LISTED} more" if len(entries) > LISTED else ""
    return f" of {'entries' if len(entries) > 1 else 'entry'} {listed}{more}"


class TracesError(EvidenceError):
    """An export would still show what was to be left out of it."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.traces = tuple(traces)
        super().__init__(told(self.traces))


def told(traces: Sequence[Trace]) -> str:
    """The traces as lines, and what to leave out as well."""
    rows = [f"  {each}" for each in traces[:LISTED]]
    if len(traces) > LISTED:
        rows.append(f"  and {len(traces) - LISTED} more")
    fields = ",".join(sorted({each.add for each in traces if each.add}))
    advice = f"\nleave out as well: {fields}" if fields else ""
    kept = sum(not each.add for each in traces)
    if kept:
        advice += f"\n{kept} of these stand in what every export shows and no field leaves out"
    return "\n".join(["what is left out can still be read in this export:", *rows]) + advice


def find(
    stored: Sequence[StoredEntry],
    shown: Sequence[Shown],
    originals: Iterable[tuple[int, bytes]],
    said: Mapping[str, str],
    *,
    asked: Callable[[int], AbstractSet[str]],
    name: Callable[[object], str],
) -> tuple[Trace, ...]:
    """Every trace in an export of `shown`, which `stored` are in full.

    Args:
        stored: the entries with all their disclosures.
        shown: the same with those that stay.
        originals: the entry and the bytes of each original that leaves, in each of its forms.
        said: what the report says of the export itself, by the field that leaves it out.
        asked: the fields that a person wants left out of the entry with this index.
        name: a person of the roster by their id, or the id.
    """
    values = _left_out(stored, asked, name)
    if not values:
        return ()
    known = sorted(values)
    machine = AhoCorasick(known)
    found: dict[tuple[str, str, str, str], set[int]] = {}
    for place, add, entry, text in _readable(shown, originals, said):
        at = {entry} if entry is not None else set()
        for value in _found(machine, known, text):
            for of in values[value]:
                found.setdefault((of, value, place, add), set()).update(at)
    read = [
        Trace(of, value, place, tuple(sorted(at)), add)
        for (of, value, place, add), at in sorted(found.items())
    ]
    return (*read, *_unread(shown, set().union(*values.values())))


def _found(machine: AhoCorasick, known: Sequence[str], text: str) -> set[str]:
    """Those of the values that stand in a text, whole."""
    return {
        known[number]
        for reading in _readings(text)
        for number, start, end in machine.find_matches_as_indexes(reading, overlapping=True)
        if _stands_alone(reading, start, end)
    }


def _left_out(
    stored: Sequence[StoredEntry],
    asked: Callable[[int], AbstractSet[str]],
    name: Callable[[object], str],
) -> dict[str, set[str]]:
    """Each value that a person wants left out, and the fields in which it stood."""
    values: dict[str, set[str]] = {}
    for entry in stored:
        wanted = asked(entry.index) - _SAYS_NOTHING
        for field, encoded in entry.disclosures:
            # The words that matched are how the text calls the target.
            of = "target" if field == "matches" and "target" in wanted else field
            if of not in wanted or field.endswith("_sha256"):
                continue
            for text in _strings(read_disclosure(encoded)[1]):
                for value in map(_plain, {text, name(text), *_lines(text)}):
                    if len(value) >= (SHORTEST_NUMBER if value.isdigit() else SHORTEST):
                        values.setdefault(value, set()).add(of)
    return values


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if len(line.strip()) >= _LINE)


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part, inner in value.items():
            if part not in _OF_A_PART:
                yield from _strings(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _strings(inner)


def _readable(
    shown: Sequence[Shown], originals: Iterable[tuple[int, bytes]], said: Mapping[str, str]
) -> Iterator[tuple[str, str, int | None, str]]:
    """Place, field to leave out, entry and text of all that the export would show."""
    for each in shown:
        for field, value in each.opened.secret.items():
            for text in _strings(value):
                yield field, field, each.index, text
        for value in each.opened.public.values():
            for text in _strings(value):
                yield "the sealed bytes", "", each.index, text
    for entry, content in originals:
        yield "the original bytes", RAW, entry, content.decode("utf-8", "replace")
    for field, text in said.items():
        yield "what the report says of the export", field, None, text


def _unread(shown: Sequence[Shown], left_out: AbstractSet[str]) -> Iterator[Trace]:
    """The pictures that stay although something is left out that stands on the page."""
    of = sorted(left_out & (CONTENT | {"target"}))
    pictured = tuple(each.index for each in shown if each.opened.secret.get(PICTURE_FIELD))
    if of and pictured:
        yield Trace(of[0], "", "the picture", pictured, PICTURE_FIELD)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _readings(text: str) -> set[str]:
    """A text as it stands and with each kind of escape undone."""
    bare = _CODE.sub(lambda found: chr(int(found[1], 16)), text)
    return {_plain(each) for each in (text, bare, unescape(bare), unquote(bare))}


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit goes on at either end: "Lee" is not in "sleeve"."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (
        (before.isalnum() and text[start].isalnum())
        or (after.isalnum() and text[end - 1].isalnum())
    )
