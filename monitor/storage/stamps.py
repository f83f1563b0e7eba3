"""Time-stamps as stored: one row a token, each the subject of an entry of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.evidence.stamp import Token
from monitor.storage import ledger
from monitor.storage.engine import Database
from monitor.storage.tables import CheckpointRow, StampRow


@dataclass(frozen=True, slots=True)
class StoredStamp:
    """A time-stamp on the checkpoint of `size` entries; `entry_index` is the entry about it."""

    size: int
    authority: str
    token: Token
    received_at: datetime
    entry_index: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checkpoint that should be stamped; `expires_at` is the end of the stamp that it has."""

    size: int
    note: str
    expires_at: datetime | None = None


class Stamps:
    """What authorities outside said about our checkpoints."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, wanted: Wanted, authority: str, token: Token, *, at: datetime) -> int:
        """Store a token and seal that it came, in one commit; the index of the entry."""
        leaf = entries.checkpoint_stamped(
            at=at,
            size=wanted.size,
            authority=authority,
            stamped_at=token.at,
            expires_at=token.expires_at,
            token_sha256=token.response_sha256,
            chain_sha256=token.chain_sha256,
        )
        with self._database.write() as session:
            (index,) = ledger.append(session, [leaf])
            session.add(
                StampRow(
                    entry_index=index,
                    checkpoint_size=wanted.size,
                    authority=authority,
                    token=token.response,
                    chain=token.chain,
                    at=token.at,
                    expires_at=token.expires_at,
                    received_at=at,
                )
            )
        return index

    def missing(self, authority: str, *, limit: int) -> tuple[Wanted, ...]:
        """Checkpoints without a stamp of this authority, the newest first."""
        stamped = select(StampRow.checkpoint_size).where(col(StampRow.authority) == authority)
        query = select(CheckpointRow).where(col(CheckpointRow.size).not_in(stamped))
        with self._database.read() as session:
            rows = session.exec(query.order_by(col(CheckpointRow.size).desc()).limit(limit))
            return tuple(Wanted(row.size, row.note) for row in rows)

    def expiring(
        self, authority: str, *, now: datetime, within: timedelta, limit: int
    ) -> tuple[Wanted, ...]:
        """Checkpoints whose last stamp of this authority ends soon, the first to end first."""
        ends = func.max(col(StampRow.expires_at))
        query = (
            select(CheckpointRow, ends)
            .join(StampRow, col(StampRow.checkpoint_size) == col(CheckpointRow.size))
            .where(col(StampRow.authority) == authority)
            .group_by(col(CheckpointRow.size), col(CheckpointRow.note), col(CheckpointRow.at))
            .having(ends < now + within)
            .order_by(ends)
            .limit(limit)
        )
        with self._database.read() as session:
            return tuple(Wanted(row.size, row.note, end) for row, end in session.exec(query))

    def unstamped(self, authorities: Sequence[str]) -> int:
        """How many checkpoints lack the stamp of at least one of these authorities."""
        lacking: set[int] = set()
        with self._database.read() as session:
            for authority in authorities:
                stamped = select(StampRow.checkpoint_size)
                stamped = stamped.where(col(StampRow.authority) == authority)
                query = select(CheckpointRow.size).where(col(CheckpointRow.size).not_in(stamped))
                lacking.update(session.exec(query))
        return len(lacking)

    def of_checkpoint(self, size: int) -> tuple[StoredStamp, ...]:
        """The stamps on one checkpoint, in the order in which they came."""
        with self._database.read() as session:
            return stored_stamps(session, size)

    def all(self) -> tuple[StoredStamp, ...]:
        """Every stamp in the order in which they came."""
        with self._database.read() as session:
            return stored_stamps(session)


def stored_stamps(session: Session, size: int | None = None) -> tuple[StoredStamp, ...]:
    """The stamps in this transaction's view: of one checkpoint, or all."""
    query = select(StampRow)
    if size is not None:
        query = query.where(col(StampRow.checkpoint_size) == size)
    return tuple(
        StoredStamp(
            size=row.checkpoint_size,
            authority=row.authority,
            token=Token(row.token, row.chain, row.at, row.expires_at),
            received_at=row.received_at,
            entry_index=row.entry_index,
        )
        for row in session.exec(query.order_by(col(StampRow.entry_index)))
    )
