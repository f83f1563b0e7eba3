"""Leaves fields out of an export, with everything that would tell what stood in them.

Only disclosures are left out: the sealed entry stays as it is, and so does every proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.errors import EvidenceError
from monitor.evidence.leaf import OpenedLeaf, open_leaf
from monitor.evidence.verify import BLOB_FIELD, PICTURE_FIELD, WARC_FIELD, StoredEntry

CONTENT: Final = frozenset(
    {"author", "media_urls", "native_id", "published", "text", "thread", "title", "url"}
)
"""Fields whose value also stands in the bytes as they arrived."""

RAW: Final = "raw"
"""How a person asks for the bytes as they arrived to be left out."""

_OF_THE_BYTES: Final = frozenset(
    {BLOB_FIELD, PICTURE_FIELD, WARC_FIELD, "answer", "asked_for", "message_sha256", "raw_offset"}
)
"""Unsalted digests of bytes that hold the content: words could be tried on them until one fits."""

_FOLLOWS: Final = {
    # The version is a short digest of title and text; the words that decided are words of them, and
    # another model was told them, names masked.
    "text": frozenset({"matches", "reasons", "said", "told", "version"}),
    "title": frozenset({"matches", "reasons", "said", "told", "version"}),
    "thread": frozenset({"matches", "reasons", "said", "told"}),
    # An address and an id at a platform often hold the name of the account.
    "author": frozenset({"native_id", "url"}),
    "native_id": frozenset({"url"}),
    "url": frozenset({"native_id"}),
    "target": frozenset({"matches"}),
    "person": frozenset({"recipient"}),
    # How sure the grader was, what kind of alert was raised and how soon, say which grade it was.
    "severity": frozenset({"about", "said", "scores", "unsure", "urgency"}),
    "flags": frozenset({"about", "said"}),
    RAW: frozenset(),
    # The WARC file holds the item, where it stood, and the answer it came in.
    "answer": frozenset({WARC_FIELD}),
    BLOB_FIELD: frozenset({WARC_FIELD}),
    "raw_media_type": frozenset({WARC_FIELD}),
    "raw_offset": frozenset({WARC_FIELD}),
}
_NEVER: Final = frozenset({"manifest_sha256", "files"})
"""What ties the files of the export to the log."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as an export shows it: `opened` holds what is disclosed and nothing else."""

    index: int
    content: bytes
    leaf_hash: bytes
    disclosures: tuple[str, ...]
    opened: OpenedLeaf
    erased: bool

    def get(self, name: str) -> Any:
        """The value of a field, public or disclosed; None where it is withheld or not there."""
        return self.opened.secret.get(name, self.opened.public.get(name))

    def withholds(self, name: str) -> bool:
        """Whether that field was sealed but is not disclosed here, as far as a reader can know."""
        return self.opened.withheld > 0 and name not in self.opened.secret


def closure(fields: Iterable[str]) -> frozenset[str]:
    """The fields to leave out where a person names `fields`: all that would give them away."""
    asked = frozenset(fields)
    wanted: frozenset[str] = asked
    for name in asked:
        wanted |= _FOLLOWS.get(name, frozenset())
    if wanted & (CONTENT | {RAW}):
        wanted |= _OF_THE_BYTES
    return wanted - _NEVER


def show(entry: StoredEntry, left_out: frozenset[str]) -> Shown:
    """An entry with the disclosures that stay.

    Raises:
        EvidenceError: the entry or one of its disclosures is damaged.
    """
    kept = tuple(encoded for name, encoded in entry.disclosures if name not in left_out)
    try:
        opened = open_leaf(entry.content, kept)
    except EvidenceError as error:
        raise EvidenceError(f"entry {entry.index}: {error}") from error
    return Shown(entry.index, entry.content, entry.leaf_hash, kept, opened, entry.erased)


def show_all(
    entries: Sequence[StoredEntry],
    fields: frozenset[str],
    per_entry: Mapping[int, frozenset[str]],
) -> tuple[Shown, ...]:
    """Entries without `fields` in any and without those of `per_entry` in single ones, by index.

    Raises:
        EvidenceError: an entry is damaged, or no entry has such a field.
    """
    check_names(fields.union(*per_entry.values()), entries)
    whole = closure(fields)
    single = {index: closure(names) for index, names in per_entry.items()}
    return tuple(show(each, whole | single.get(each.index, frozenset())) for each in entries)


def check_names(fields: Iterable[str], entries: Sequence[StoredEntry]) -> None:
    """Refuse a field that no entry has: a slip of the pen must not disclose what was to be hidden.

    Raises:
        EvidenceError: with the fields that there are.
    """
    known = {name for entry in entries for name, _ in entry.disclosures} | {RAW} - _NEVER
    known |= CONTENT
    unknown = sorted(set(fields) - known)
    if unknown:
        raise EvidenceError(
            f"no entry has a secret field {unknown[0]!r}; there are: {', '.join(sorted(known))}"
        )
