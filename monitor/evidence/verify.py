"""Reads a whole log, entry by entry, and names the first thing in it that is wrong.

Nothing here believes the database: sizes, hashes, fields and blobs are worked out again from what
was stored, and compared with what was signed. Ten million entries pass through without being held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import (
    Checkpoint,
    VerifierKey,
    open_note,
    read_hand_over,
    stated,
)
from monitor.evidence.leaf import Json, OpenedLeaf, open_leaf
from monitor.evidence.log import Frontier, leaf_hash
from monitor.evidence.stretch import Event, Stretch

KEY_CHANGED: Final = "key.changed"
RECORD_ERASED: Final = "record.erased"
"""The kind whose public field `entries` lists the indices of entries that were erased by it."""
BLOB_FIELD: Final = "raw_sha256"
WARC_FIELD: Final = "warc_sha256"
PICTURE_FIELD: Final = "picture_sha256"
BLOBS: Final = {
    BLOB_FIELD: "the original",
    WARC_FIELD: "the WARC file",
    PICTURE_FIELD: "the picture of the page",
}
"""The fields that name a blob, and what it is."""
PROGRESS_EVERY: Final = 4096

CheckRow = Callable[[OpenedLeaf, int], str | None]
"""Compares one entry with the rows that describe it; says what differs, or None."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as it was stored; `disclosures` are (name, encoded) pairs.

    `erased` means that salts, values and blob were destroyed on purpose; a later entry says so.
    `kind` is what the database calls it and `at` the time that it gives it, where one does.
    """

    index: int
    content: bytes
    leaf_hash: bytes
    disclosures: tuple[tuple[str, str], ...] = ()
    erased: bool = False
    kind: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found whole: so many entries with this root, and what stands behind them.

    `signed` is the size of the latest checkpoint: entries from there on are only the database's
    word. `withheld` counts secret fields that nobody disclosed, `erased` the entries erased.
    """

    size: int
    root: bytes
    checkpoints: int
    blobs: int
    withheld: int
    signed: int
    erased: int
    pictures: int = 0


def verify_log(
    entries: Iterable[StoredEntry],
    checkpoints: Sequence[str],
    verifiers: Iterable[VerifierKey],
    get_blob: Callable[[str], bytes],
    *,
    head: tuple[int, bytes] | None = None,
    progress: Callable[[int], None] = lambda _: None,
    check_row: CheckRow | None = None,
    redacted: bool = False,
) -> Verified:
    """Check all of a log: every byte, field, blob, row, checkpoint, key and erasure.

    `entries` come in the order of the log from 0. `verifiers` are the keys trusted at the start of
    the log; further keys are learnt from hand-overs in it. `head` is the size and root that the
    database believes in. `check_row` lets the caller compare its rows with what was sealed.
    `redacted` allows fields to be withheld from entries that were not erased, as in an export.

    Raises:
        EvidenceError: the first thing that is wrong, in words for the person who runs the server.
    """
    reading = Reading(verifiers, checkpoints, get_blob, check_row=check_row, redacted=redacted)
    try:
        for taken, entry in enumerate(entries, start=1):
            reading.take(entry)
            if taken % PROGRESS_EVERY == 0:
                progress(taken)
    finally:
        progress(reading.size)
    return reading.finish(head)


@dataclass(slots=True)
class _Erasures:
    """Which entries are marked erased, and which of those a later entry accounts for."""

    marks: bytearray = field(default_factory=bytearray)
    count: int = 0

    def mark(self, index: int) -> None:
        self.marks.extend(bytes(index + 1 - len(self.marks)))
        self.marks[index] = 1
        self.count += 1

    def account(self, index: int, public: Mapping[str, Json]) -> None:
        """Read a `record.erased` entry: each entry that it names must have been erased."""
        named = public.get("entries")
        if not isinstance(named, list) or not named:
            raise EvidenceError("it records an erasure but does not say of which entries")
        for one in named:
            if type(one) is not int or not 0 <= one < index:
                raise EvidenceError(f"it records the erasure of {one!r}, which is no earlier entry")
            if one >= len(self.marks) or not self.marks[one]:
                raise EvidenceError(
                    f"it records that entry {one} was erased, but entry {one} was not"
                )
            self.marks[one] = 2

    def unaccounted(self) -> int | None:
        found = self.marks.find(1)
        return None if found < 0 else found


class Reading:
    """One pass over a log: entries one by one, or stretches of it that somebody else has read.

    The arguments are those of `verify_log`.
    """

    def __init__(
        self,
        verifiers: Iterable[VerifierKey],
        checkpoints: Sequence[str],
        get_blob: Callable[[str], bytes],
        *,
        check_row: CheckRow | None = None,
        redacted: bool = False,
    ) -> None:
        self._keys = set(verifiers)
        self._get_blob = get_blob
        self._check_row = check_row
        self._redacted = redacted
        self._frontier = Frontier()
        self._erasures = _Erasures()
        self._waiting: list[tuple[Checkpoint, str]] = []
        self._next = -1
        self._origin = ""
        self._signed = 0
        self._checkpoints = 0
        self._blobs = self._pictures = 0
        self._withheld = 0
        self._expect(checkpoints)

    @property
    def size(self) -> int:
        """How many entries were read."""
        return self._frontier.size

    def signed_between(self, start: int, stop: int) -> tuple[int, ...]:
        """The sizes of the checkpoints from `start` on and below `stop`, still to come."""
        return tuple(each.size for each, _note in self._waiting if start <= each.size < stop)

    def _expect(self, checkpoints: Sequence[str]) -> None:
        """Put the checkpoints in the order of their sizes; nothing in them is believed yet."""
        for number, note in enumerate(checkpoints, start=1):
            try:
                self._waiting.append((stated(note), note))
            except EvidenceError as error:
                raise EvidenceError(f"checkpoint number {number}: {error}") from error
        self._waiting.sort(key=lambda pair: pair[0].size, reverse=True)
        self._meet()

    def take(self, entry: StoredEntry) -> None:
        """Check the next entry by itself, then add it to the tree.

        Raises:
            EvidenceError: what is wrong with it, or with the checkpoint of this size.
        """
        size = self._frontier.size
        if entry.index != size:
            raise EvidenceError(_out_of_order(entry.index, size))
        opened = opened_entry(entry)
        try:
            self._check(entry, opened)
        except EvidenceError as error:
            raise EvidenceError(f"entry {size} ({opened.kind}): {error}") from error
        self._frontier.push(entry.leaf_hash)
        if self._frontier.size == self._next:
            self._meet()

    def join(self, stretch: Stretch) -> None:
        """Add the entries that come next, each found whole by itself, as `take` would add them.

        Raises:
            EvidenceError: they do not fit what came before, or a checkpoint among them.
        """
        assert stretch.start == self._frontier.size, "stretches are joined in their order"
        for index in stretch.erased:
            self._erasures.mark(index)
        events = [*stretch.events]
        while self._next >= 0 and self._next < stretch.stop:
            while events and events[0].index < self._next:
                self._heed(events.pop(0))
            self._meet(self._next, stretch.peaks[self._next])
        for event in events:
            self._heed(event)
        self._frontier.join(stretch.stop - stretch.start, stretch.peaks[stretch.stop])
        self._blobs += stretch.blobs
        self._pictures += stretch.pictures
        self._withheld += stretch.withheld
        if self._frontier.size == self._next:
            self._meet()

    def _heed(self, event: Event) -> None:
        try:
            self._decide(event.index, event.kind, event.public)
        except EvidenceError as error:
            raise EvidenceError(f"entry {event.index} ({event.kind}): {error}") from error

    def _decide(self, index: int, kind: str, public: Mapping[str, Json]) -> None:
        """Keep what an entry says about others."""
        if kind == RECORD_ERASED:
            self._erasures.account(index, public)
        elif kind == KEY_CHANGED:
            old, new = read_hand_over(public, self._keys)
            self._keys = (self._keys - {old}) | {new}

    def _check(self, entry: StoredEntry, opened: OpenedLeaf) -> None:
        if entry.erased:
            self._erasures.mark(entry.index)
        whole = check_entry(entry, opened, self._get_blob, redacted=self._redacted)
        self._blobs += whole.count(BLOB_FIELD)
        self._pictures += whole.count(PICTURE_FIELD)
        self._withheld += opened.withheld
        self._decide(entry.index, opened.kind, opened.public)
        if self._check_row is not None:
            different = self._check_row(opened, entry.index)
            if different is not None:
                raise EvidenceError(different)

    def _meet(self, size: int | None = None, further: Sequence[bytes] = ()) -> None:
        """Compare the tree with every checkpoint of its size, now or with subtrees at its end."""
        size = self._frontier.size if size is None else size
        root = b""
        while self._waiting and self._waiting[-1][0].size == size:
            checkpoint, note = self._waiting.pop()
            self._open(checkpoint, note)
            root = root or self._frontier.root(further)
            if checkpoint.root != root:
                raise EvidenceError(
                    f"the checkpoint of {size} entries does not fit the log: not as it was when "
                    f"signed is at least one of {_range(self._signed, size)}"
                )
            self._checkpoints += 1
            self._signed = size
        self._next = self._waiting[-1][0].size if self._waiting else -1

    def _open(self, checkpoint: Checkpoint, note: str) -> None:
        try:
            opened = open_note(note, self._keys)
        except EvidenceError as error:
            raise EvidenceError(f"the checkpoint of {checkpoint.size} entries: {error}") from error
        self._origin = self._origin or opened.origin
        if opened.origin != self._origin:
            raise EvidenceError(
                f"the checkpoint of {opened.size} entries belongs to another log, {opened.origin}"
            )

    def finish(self, head: tuple[int, bytes] | None) -> Verified:
        """What can only be said at the end: nothing is missing there, and every erasure is told."""
        size, root = self._frontier.size, self._frontier.root()
        if self._waiting:
            checkpoint, note = self._waiting[0]  # the largest: all that were taken out count
            self._open(checkpoint, note)
            raise EvidenceError(
                f"the log has {size} entries, but a checkpoint was signed when it had "
                f"{checkpoint.size}: gone from its end: {_range(size, checkpoint.size)}"
            )
        if head is not None and head != (size, root):
            what = "another root" if head[0] == size else f"{head[0]} entries"
            raise EvidenceError(f"the log has {size} entries, but the database speaks of {what}")
        silent = self._erasures.unaccounted()
        if silent is not None:
            raise EvidenceError(
                f"entry {silent} is marked as erased, but no later entry says who erased it and why"
            )
        return Verified(
            size=size,
            root=root,
            checkpoints=self._checkpoints,
            blobs=self._blobs,
            pictures=self._pictures,
            withheld=self._withheld,
            signed=self._signed,
            erased=self._erasures.count,
        )


def opened_entry(entry: StoredEntry) -> OpenedLeaf:
    """Open an entry with all that is stored of it.

    Raises:
        EvidenceError: its bytes do not have the hash beside them, or are not as they were sealed.
    """
    if leaf_hash(entry.content) != entry.leaf_hash:
        raise EvidenceError(
            f"entry {entry.index}: its content was altered: it no longer has the hash stored"
            " beside it"
        )
    try:
        return open_leaf(entry.content, [encoded for _, encoded in entry.disclosures])
    except EvidenceError as error:
        raise EvidenceError(f"entry {entry.index}: {error}") from error


def check_entry(
    entry: StoredEntry,
    opened: OpenedLeaf,
    get_blob: Callable[[str], bytes],
    *,
    redacted: bool = False,
) -> list[str]:
    """Check what an entry says of itself, and its blobs; the names of the fields that name one.

    Raises:
        EvidenceError: what is wrong, without the name of the entry.
    """
    if entry.kind not in {None, opened.kind}:
        raise EvidenceError(f"its row calls it {entry.kind!r}, which is not what was sealed")
    if entry.at is not None and entry.at != opened.at:
        raise EvidenceError(f"its row gives it the time {entry.at}; sealed was {opened.at}")
    names = tuple(opened.secret)
    if names != tuple(name for name, _ in entry.disclosures):
        raise EvidenceError("a field stands under another name than the one it was sealed with")
    if entry.erased:
        return []
    if opened.withheld and not redacted:
        raise EvidenceError(
            f"{opened.withheld} of its {opened.withheld + len(names)} secret fields are gone, "
            f"though it was not erased; left are: {', '.join(names) or 'none'}"
        )
    return [
        name
        for name in BLOBS
        if name in opened.secret and _has_blob(opened.secret[name], name, get_blob)
    ]


def _has_blob(digest: Any, name: str, get_blob: Callable[[str], bytes]) -> bool:
    """Whether there is one, which is then found whole."""
    if digest is None or digest == "":
        return False  # the entry says that there were no bytes to keep
    try:
        _check_blob(digest, get_blob)
    except EvidenceError as error:
        raise EvidenceError(f"{BLOBS[name]}: {error}") from error
    return True


def _check_blob(digest: Any, get_blob: Callable[[str], bytes]) -> None:
    if not isinstance(digest, str):
        raise EvidenceError("what was sealed is not a digest")
    found = sha256(get_blob(digest)).hexdigest()
    if found != digest:
        raise EvidenceError(f"blob {digest} was altered: its SHA-256 is now {found}")


def _range(start: int, end: int) -> str:
    return f"entry {start}" if end - start == 1 else f"the entries {start} to {end - 1}"


def _out_of_order(index: int, expected: int) -> str:
    if index > expected:
        return f"missing from the log: {_range(expected, index)}; next comes entry {index}"
    return f"entry {index} stands where entry {expected} should: entries were moved or put in"
