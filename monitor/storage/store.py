"""The store: one database, the rooms of its rows, and the log that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.evidence.checkpoint import VerifierKey, read_hand_over
from monitor.evidence.cosignature import Cosignature, Told, joined, told_of
from monitor.evidence.leaf import Json, Leaf, OpenedLeaf, open_leaf
from monitor.evidence.log import leaf_hash
from monitor.evidence.verify import KEY_CHANGED, StoredEntry
from monitor.model import Presence
from monitor.storage import dumping, ledger, repeating, schema
from monitor.storage.dossier import Dossiers
from monitor.storage.engine import Database
from monitor.storage.erasing import Erasing
from monitor.storage.escalation import Escalation
from monitor.storage.expiry import Expiry
from monitor.storage.guarding import Guarding
from monitor.storage.holding import Holding
from monitor.storage.judging import Judging
from monitor.storage.opinions import Opinions
from monitor.storage.outbox import OutboxStore
from monitor.storage.pictures import Pictures
from monitor.storage.reading import Reading
from monitor.storage.rowcheck import RowCheck
from monitor.storage.search import Search
from monitor.storage.sources import Sources
from monitor.storage.stamps import Stamps, StoredStamp, stored_stamps
from monitor.storage.stretches import LENGTH
from monitor.storage.tables import CheckpointRow, RememberedRow
from monitor.storage.verifying import Whole, opened


class Store:
    """Everything that is kept, over one address of a database.

    Raises:
        SchemaError: when the database is not at this program's schema (run `migrate`).
    """

    def __init__(self, url: str, *, mail_domain: str) -> None:
        self._database = Database(url)
        try:
            schema.demand_head(self._database.engine)
        except BaseException:
            self._database.close()
            raise
        self.sources = Sources(self._database)
        self.judging = Judging(self._database, mail_domain)
        self.opinions = Opinions(self._database, self.judging)
        self.pictures = Pictures(self._database)
        self.outbox = OutboxStore(self._database)
        self.escalation = Escalation(self._database, mail_domain)
        self.reading = Reading(self._database)
        self.guarding = Guarding(self._database)
        self.log = Log(self._database)
        self.search = Search(self._database)
        self.erasing = Erasing(self._database)
        self.expiry = Expiry(self._database)
        self.holding = Holding(self._database)
        self.stamps = Stamps(self._database)
        self.dossiers = Dossiers(self._database)

    def remembered(self, name: str) -> str | None:
        """A small fact kept over restarts."""
        with self._database.read() as session:
            row = session.get(RememberedRow, name)
            return row.value if row else None

    def remember(self, name: str, value: str, leaves: Sequence[Leaf] = ()) -> None:
        """Keep a small fact, and the entries that say so, in one commit."""
        with self._database.write() as session:
            session.merge(RememberedRow(name=name, value=value))
            ledger.append(session, leaves)

    def repeat_erasures(self, mention_entries: Collection[int], *, by: str, at: datetime) -> int:
        """Erase again what had been erased before a backup brought it back; how many mentions."""
        return repeating.repeat(self._database, mention_entries, by=by, at=at)

    def ping(self) -> None:
        """Raise unless the database answers and can be written."""
        with self._database.write():
            pass

    def close(self) -> None:
        self._database.close()


class Log:
    """The append-only log as stored."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, origin: str, *, verifier: str, at: datetime) -> bool:
        """Write the first entry of an empty log; False where the log has begun."""
        with self._database.write() as session:
            if ledger.size(session) > 0:
                return False
            leaf = entries.log_opened(at=at, origin=origin, verifier=verifier)
            ledger.append(session, [leaf])
            return True

    def entry(self, index: int) -> OpenedLeaf:
        """One entry, opened as far as its disclosures are still there.

        Raises:
            EvidenceError: when there is no such entry, or it is not as it was sealed.
        """
        with self._database.read() as session:
            found = ledger.entry(session, index)
        if found is None:
            raise EvidenceError(f"the log has no entry {index}")
        if leaf_hash(found.content) != found.leaf_hash:
            raise EvidenceError(f"entry {index} is not as it was sealed")
        return open_leaf(found.content, [encoded for _name, encoded in found.disclosures])

    def of_kinds(
        self, kinds: Collection[str], *, since: int, until: int
    ) -> tuple[tuple[int, OpenedLeaf], ...]:
        """Number and public fields of the entries of these kinds from `since` up to `until`."""
        with self._database.read() as session:
            found = ledger.of_kinds(session, kinds, since=since, until=until)
            return tuple((index, open_leaf(content, ())) for index, content in found)

    def append(self, leaves: Sequence[Leaf]) -> list[int]:
        """Seal entries that describe no row of their own."""
        with self._database.write() as session:
            return ledger.append(session, leaves)

    def looked_again(self, post_entry: int, presence: Presence, note: str, at: datetime) -> None:
        """Seal what a second look at a post found."""
        leaf = entries.looked_again(
            at=at, post_entry=post_entry, presence=presence.value, note=note
        )
        self.append([leaf])

    def head(self) -> tuple[int, bytes]:
        """The size and root of the log now."""
        with self._database.read() as session:
            return ledger.root(session)

    def checkpoint(self, sign: Callable[[int, bytes], str], *, at: datetime) -> int | None:
        """Keep a signed note over the whole log; its size, or None where the last one covers it."""
        with self._database.read() as session:
            size, root = ledger.root(session)
            last = session.exec(
                select(CheckpointRow).order_by(col(CheckpointRow.size).desc()).limit(1)
            ).one_or_none()
        if size == 0 or (last is not None and last.size == size):
            return None
        note = sign(size, root)
        with self._database.write() as session:
            ledger.add_checkpoint(session, CheckpointRow(size=size, note=note, at=at))
        return size

    def cosign(
        self, size: int, more: Callable[[str], tuple[Cosignature, ...]], *, at: datetime
    ) -> tuple[Cosignature, ...]:
        """Add witnesses' lines to the checkpoint of that size and seal that they came.

        `more` is given the stored note and answers with the lines to add. Those that stand there
        already are left out; back come the new ones.

        Raises:
            EvidenceError: there is no checkpoint of that size.
        """
        with self._database.write() as session:
            row = session.get(CheckpointRow, size)
            if row is None:
                raise EvidenceError(f"no checkpoint of {size} entries was ever signed here")
            fresh = tuple(each for each in more(row.note) if each.line not in row.note)
            row.note = joined(row.note, fresh)
            leaves = [
                entries.checkpoint_cosigned(
                    at=at, size=size, witness=each.key.name, cosigned_at=each.at
                )
                for each in fresh
            ]
            ledger.append(session, leaves)
            return fresh

    def checkpoints(self) -> tuple[tuple[int, str, datetime], ...]:
        """(size, note, time) of every checkpoint, the smallest first."""
        with self._database.read() as session:
            return tuple((row.size, row.note, row.at) for row in ledger.checkpoints(session))

    def last_checkpoint_at(self) -> datetime | None:
        """When the log was last signed."""
        with self._database.read() as session:
            return session.exec(
                select(CheckpointRow.at).order_by(col(CheckpointRow.size).desc()).limit(1)
            ).one_or_none()

    @contextmanager
    def verifying(
        self, vault: Path, *, processes: int | None = None, length: int = LENGTH
    ) -> Iterator[tuple[LogView, Whole]]:
        """One consistent view of the log, and what checks all of it while the service runs.

        `processes`: None for as many as help; `length` of the stretches, a power of two.
        """
        with opened(self._database, vault, processes=processes, length=length) as (session, whole):
            yield LogView(session), whole

    @contextmanager
    def reading(self) -> Iterator[LogView]:
        """One consistent view of the log while the service runs."""
        with self._database.read() as session:
            yield LogView(session)


class LogView:
    """The log as it stands in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def entries(self) -> Iterator[StoredEntry]:
        return ledger.entries(self._session)

    def head(self) -> tuple[int, bytes]:
        return ledger.root(self._session)

    def level(self, level: int) -> Iterator[bytes]:
        """The stored hashes of one level of the tree, in order (for `verify_levels`)."""
        return ledger.level(self._session, level)

    def checkpoints(self) -> list[str]:
        return [row.note for row in ledger.checkpoints(self._session)]

    def contents(self) -> Iterator[bytes]:
        """The leaf bytes of every entry, in order."""
        return ledger.contents(self._session)

    def node(self, level: int, index: int) -> bytes:
        """The stored hash of one complete subtree; empty where it is missing."""
        return ledger.node(self._session, level, index)

    def opening(self) -> OpenedLeaf:
        """The entry that began the log.

        Raises:
            EvidenceError: it is gone, or speaks of something else.
        """
        found = ledger.entry(self._session, 0)
        if found is None:
            raise EvidenceError("the log has no entry")
        opened = open_leaf(found.content, ())
        if opened.kind != "log.opened":
            raise EvidenceError("the first entry is not the one that begins a log")
        return opened

    def keys(self) -> list[VerifierKey]:
        """Every key that the log has had, the first first, each handed over by the one before.

        Raises:
            EvidenceError: the chain of hand-overs is broken.
        """
        chain = [VerifierKey.parse(str(self.opening().public.get("verifier", "")))]
        for public in self.hand_overs():
            chain.append(read_hand_over(public, chain[-1:])[1])
        return chain

    def stamps(self) -> tuple[StoredStamp, ...]:
        """The time-stamps on those checkpoints."""
        return stored_stamps(self._session)

    def hand_overs(self) -> list[Mapping[str, Json]]:
        """The public fields of every change of the signing key."""
        found = ledger.contents_of(self._session, KEY_CHANGED)
        return [open_leaf(content, ()).public for content in found]

    def cosigned(self) -> list[Told]:
        """What the log tells of cosignatures under its checkpoints."""
        found = ledger.contents_of(self._session, "checkpoint.cosigned")
        return [told_of(open_leaf(content, ()).public) for content in found]

    def rows(self) -> Iterator[dumping.Part]:
        """Every row of every table, as a backup keeps them."""
        return dumping.dump(self._session)

    def row_check(self) -> Callable[[OpenedLeaf, int], str | None]:
        """Compares each opened entry with the rows that it describes."""
        return RowCheck(self._session)
