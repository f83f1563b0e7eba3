"""What belongs to a case or a mention in the log: which entries, and the hashes that prove them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from monitor.evidence.leaf import open_leaf
from monitor.evidence.log import HASH_SIZE, GetNode
from monitor.evidence.verify import KEY_CHANGED, StoredEntry
from monitor.model import Flag
from monitor.storage.casebook import case_reference
from monitor.storage.convert import stored_grade
from monitor.storage.engine import Database
from monitor.storage.reading import case_row, newest_grade, read_case
from monitor.storage.tables import (
    CaseNoteRow,
    CaseRow,
    CheckpointRow,
    DisclosureRow,
    EntryRow,
    GradeRow,
    HearingRow,
    MentionRow,
    NodeRow,
    PostRow,
)

_CHUNK: Final = 400
"""Rows asked for at once, under the limit of SQLite on the variables of a statement."""

_TOLD_OF: Final = (
    "alert.acknowledged",
    "alert.raised",
    "case.kept-until",
    "case.moved",
    "case.noted",
    "corrections.exported",
    "delivery.attempted",
    "delivery.failed",
    "delivery.taken",
    "evidence.exported",
    "evidence.viewed",
    "opinion.asked",
    "opinion.given",
    "page.not-pictured",
    "page.pictured",
    "post.looked-at-again",
    "record.erased",
    "record.held",
    "record.released",
)
"""Kinds whose public fields say to which mention, post, case or alert they belong."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an export is of: `reference` as people write it, and the entries that belong to it.

    `restricted`: an allegation, for those only who are cleared for it. `posts` and `mentions` are
    the indices of the entries that captured and matched; `entries` holds all, in order.
    """

    reference: str
    restricted: bool
    mention_ids: tuple[int, ...]
    posts: tuple[int, ...]
    mentions: tuple[int, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A checkpoint as kept."""

    size: int
    note: str
    at: datetime


class Dossiers:
    """Read-only questions about what an export holds; each is asked in one view of the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_case(self, reference: str) -> Chosen | None:
        """All that belongs to a case such as "SM-2026-0007"."""
        with self._database.read() as session:
            row = case_row(session, reference)
            if row is None:
                return None
            case = read_case(session, row)
            notes = select(CaseNoteRow.entry_index).where(col(CaseNoteRow.case_id) == row.id)
            own = [row.entry_index, *session.exec(notes)]
            return _choose(
                session, case.reference, case.mention_ids, own=own, restricted=row.restricted
            )

    def of_mentions(self, mention_ids: Sequence[int], reference: str) -> Chosen | None:
        """All that belongs to some mentions; None where one of them is not there."""
        with self._database.read() as session:
            found = _in_chunks(
                session, select(MentionRow.id), col(MentionRow.id), sorted(set(mention_ids))
            )
            if len(found) != len(set(mention_ids)):
                return None
            restricted = any(_is_allegation(session, each) for each in mention_ids)
            return _choose(session, reference, mention_ids, own=(), restricted=restricted)

    def about(self, person: str) -> tuple[int, ...]:
        """The mentions of one person of the roster, the oldest first."""
        query = select(MentionRow.id).where(col(MentionRow.target_id) == person)
        with self._database.read() as session:
            return tuple(each for each in session.exec(query.order_by(col(MentionRow.id))) if each)

    def case_entries(self, mention_ids: Sequence[int]) -> tuple[int, ...]:
        """The entries that opened, moved and noted the cases in which these mentions stand."""
        with self._database.read() as session:
            query = select(MentionRow.case_id).where(col(MentionRow.case_id).is_not(None))
            ids = set(_in_chunks(session, query, col(MentionRow.id), mention_ids))
            cases = _in_chunks(session, select(CaseRow), col(CaseRow.id), sorted(ids))
            kin = _Kin({case_reference(each) for each in cases}, set(), set(), set(), set())
            first = min((each.entry_index for each in cases), default=0)
            told = _told_of(session, first)
            return tuple(
                index
                for index, content in told
                if open_leaf(content, ()).kind.startswith("case.") and kin.claims(index, content)
            )

    def allegations(self, mention_ids: Iterable[int]) -> frozenset[int]:
        """Those of the mentions whose standing grade carries an allegation."""
        with self._database.read() as session:
            return frozenset(each for each in mention_ids if _is_allegation(session, each))

    def entries(self, indices: Sequence[int]) -> tuple[StoredEntry, ...]:
        """These entries with their disclosures, in the order of the log."""
        with self._database.read() as session:
            return tuple(_entries(session, sorted(set(indices))))

    def checkpoints(self) -> tuple[SignedNote, ...]:
        """Every checkpoint, the smallest first."""
        query = select(CheckpointRow).order_by(col(CheckpointRow.size))
        with self._database.read() as session:
            return tuple(SignedNote(row.size, row.note, row.at) for row in session.exec(query))

    def nodes(self, places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """The stored hashes of these subtrees (level, index); absent ones are left out."""
        wanted = sorted(set(places))
        found: dict[tuple[int, int], bytes] = {}
        with self._database.read() as session:
            leaves = [index for level, index in wanted if level == 0]
            query = select(EntryRow.index, EntryRow.leaf_hash)
            for index, digest in _in_chunks(session, query, col(EntryRow.index), leaves):
                found[0, index] = digest
            place = tuple_(col(NodeRow.level), col(NodeRow.index))
            inner = [each for each in wanted if each[0] > 0]
            nodes = select(NodeRow.level, NodeRow.index, NodeRow.hash)
            for level, index, digest in _in_chunks(session, nodes, place, inner):
                found[level, index] = digest
        return found


class Planned:
    """Collects which nodes some proofs need, so that all are read in a few statements.

    Build each proof twice in the same steps: first against `ask`, then against what `found` gives.
    """

    def __init__(self) -> None:
        self.places: set[tuple[int, int]] = set()

    def ask(self, level: int, index: int) -> bytes:
        """Note the place; what it gives is no hash of anything."""
        self.places.add((level, index))
        return bytes(HASH_SIZE)

    def found(self, dossiers: Dossiers) -> GetNode:
        """Reads the nodes that were asked for."""
        nodes = dossiers.nodes(self.places)
        return lambda level, index: nodes.get((level, index), b"")


def _in_chunks(session: Session, query: Any, column: Any, wanted: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(wanted), _CHUNK):
        found += session.exec(query.where(column.in_(wanted[start : start + _CHUNK]))).all()
    return found


def _is_allegation(session: Session, mention_id: int) -> bool:
    grade = session.exec(
        select(GradeRow)
        .join(MentionRow, col(MentionRow.id) == col(GradeRow.mention_id))
        .where(col(MentionRow.id) == mention_id)
        .where(col(GradeRow.id) == newest_grade())
    ).one_or_none()
    return grade is not None and Flag.ALLEGATION in stored_grade(grade).grade.flags


def _choose(
    session: Session,
    reference: str,
    mention_ids: Sequence[int],
    *,
    own: Sequence[int],
    restricted: bool,
) -> Chosen:
    query = select(MentionRow.entry_index, MentionRow.post_id)
    rows = _in_chunks(session, query, col(MentionRow.id), mention_ids)
    matched = {entry for entry, _ in rows}
    ids = sorted({post_id for _, post_id in rows})
    posts = set(_in_chunks(session, select(PostRow.entry_index), col(PostRow.id), ids))
    mention = col(GradeRow.mention_id)
    grades = _in_chunks(session, select(GradeRow.entry_index), mention, mention_ids)
    heard = col(HearingRow.mention_id)
    alerts = set(_in_chunks(session, select(HearingRow.alert_id), heard, mention_ids))
    first = min((*posts, *matched, *own), default=0)
    kin = _Kin({reference} if own else set(), matched, posts, alerts, {*own, *grades})
    told = [index for index, content in _told_of(session, first) if kin.claims(index, content)]
    changes = session.exec(select(EntryRow.index).where(col(EntryRow.kind) == KEY_CHANGED)).all()
    everything = {0, *own, *posts, *matched, *grades, *told, *changes}
    return Chosen(
        reference=reference,
        restricted=restricted,
        mention_ids=tuple(mention_ids),
        posts=tuple(sorted(posts)),
        mentions=tuple(sorted(matched)),
        entries=tuple(sorted(everything)),
    )


@dataclass(slots=True)
class _Kin:
    """What the public fields of an entry may name for it to belong to what is exported."""

    references: set[str]
    mentions: set[int]
    posts: set[int]
    alerts: set[int]
    entries: set[int]
    deliveries: set[int] = field(default_factory=set)

    def claims(self, index: int, content: bytes) -> bool:
        """Whether the entry belongs; asked in the order of the log, since deliveries are learnt."""
        public = open_leaf(content, ()).public
        named = {name: value for name, value in public.items() if type(value) in {int, str}}
        delivery = named.get("delivery")
        theirs = (
            named.get("reference") in self.references
            or named.get("what") in self.references
            or named.get("mention_entry") in self.mentions
            or named.get("post_entry") in self.posts
            or named.get("alert") in self.alerts
            or delivery in self.deliveries
            or self._lists(public.get("entries"))
            or self._lists(public.get("mention_entries"))
        )
        if theirs:
            self.entries.add(index)
            if isinstance(delivery, int):
                self.deliveries.add(delivery)
        return theirs

    def _lists(self, listed: object) -> bool:
        if not isinstance(listed, list):
            return False
        return not (self.entries | self.mentions | self.posts).isdisjoint(
            each for each in listed if isinstance(each, int)
        )


def _told_of(session: Session, first: int) -> Iterator[tuple[int, bytes]]:
    """Index and content of every entry after `first` that may belong to a mention or a case."""
    query = (
        select(EntryRow.index, EntryRow.content)
        .where(col(EntryRow.kind).in_(_TOLD_OF))
        .where(col(EntryRow.index) > first)
        .order_by(col(EntryRow.index))
        .execution_options(yield_per=5_000)
    )
    yield from session.exec(query)


def _entries(session: Session, indices: Sequence[int]) -> Iterator[StoredEntry]:
    disclosed: dict[int, list[tuple[str, str]]] = {}
    query = select(DisclosureRow.entry_index, DisclosureRow.name, DisclosureRow.encoded)
    for index, name, encoded in _in_chunks(session, query, col(DisclosureRow.entry_index), indices):
        disclosed.setdefault(index, []).append((name, encoded))
    columns = select(EntryRow.index, EntryRow.content, EntryRow.leaf_hash, EntryRow.erased_by)
    rows = _in_chunks(session, columns, col(EntryRow.index), indices)
    for index, content, leaf_hash, erased_by in sorted(rows):
        yield StoredEntry(
            index=index,
            content=content,
            leaf_hash=leaf_hash,
            disclosures=tuple(sorted(disclosed.get(index, ()))),
            erased=erased_by is not None,
        )
