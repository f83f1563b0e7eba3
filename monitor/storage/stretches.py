"""Reads a stretch of the log with its rows at once, and says that it is whole or that it doubts it.

Nearly every entry either describes no row, or is to the letter what its row would be sealed as
(`resealed`). Whatever else is found is opened and compared one by one, by the same functions that
`Reading.take` uses. What is wrong is never said here: a stretch in doubt is read again, in the
order of the log, by them alone.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from monitor.errors import EvidenceError
from monitor.evidence.canonical import FROM_URL, TO_URL, read_time
from monitor.evidence.leaf import MAX_CONTENT, MAX_DISCLOSURE, Json, open_leaf, read_disclosure
from monitor.evidence.stretch import Event, Stretch, levels_over, peaks_of
from monitor.evidence.verify import (
    BLOB_FIELD,
    BLOBS,
    KEY_CHANGED,
    PICTURE_FIELD,
    RECORD_ERASED,
    StoredEntry,
    check_entry,
    opened_entry,
)
from monitor.storage import resealed
from monitor.storage.resealed import SALTED, SYNCHRONISED, Resealed, UnlikeError
from monitor.storage.rowcheck import COMPARED, RowCheck, strays

LENGTH: Final = 1 << 13
"""Entries of one stretch: a power of two, so that its hashes are whole subtrees."""

_HEAD: Final = b'\x01{"_sd":['
_NECK: Final = b'],"_sd_alg":"sha-256","at":"'
_AT: Final = len("2026-11-21T08:00:00.000000Z")
_BARE: Final = _HEAD + _NECK
"""How an entry without secret fields begins, up to its time."""
_PLAIN: Final = len(_BARE) + _AT
_TELLING: Final = frozenset({KEY_CHANGED, RECORD_ERASED})
_SALTS: Final = re.compile(rb'(?:\["[A-Za-z0-9_-]{22})*')
_TAILS: Final = 20_000
"""So many ends of entries are remembered as well written."""
_BROKEN: Final = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError,
    EvidenceError, SQLAlchemyError, UnlikeError, msgspec.MsgspecError,
)  # fmt: skip
"""What rows and bytes that are not as they should be can lead to. Why does not matter here."""

_SHORT: Final = 128
_Told = tuple[str, bytes, bytes]
"""A disclosure: the name that its row gives it, its letters, and its digest."""
_Public = tuple[str, Mapping[str, Json]]


def _columns(table: str, names: Sequence[str]) -> str:
    return ", ".join(f'{table}."{name}"' for name in names)


_MANY: Final[Mapping[str, tuple[Callable[[Any], Resealed], str]]] = {
    "post.captured": (
        resealed.post,
        f"select {_columns('t', resealed.POST)} from post t",  # noqa: S608 - our own names
    ),
    "mention.matched": (
        resealed.mention,
        f"select {_columns('t', resealed.MENTION)}, {_columns('p', resealed.OF_MENTION)} from"  # noqa: S608, ISC004
        " mention t left join post p on p.id = t.post_id",
    ),
    "mention.graded": (
        resealed.grade,
        f"select {_columns('t', resealed.GRADE)}, {_columns('m', resealed.OF_GRADE)} from"  # noqa: S608, ISC004
        " grade t left join mention m on m.id = t.mention_id",
    ),
}
"""The kinds whose rows are many: how one is sealed, and how they are asked for."""
_MARKED: Final = frozenset({"post.captured", "mention.matched"})
"""Those whose rows are marked where they were erased."""
_ONE_BY_ONE: Final = COMPARED - _MANY.keys()


class DoubtError(Exception):
    """Something in the stretch is not as it should be, or could not be read."""


class Stretches:
    """Reads stretches of one database, in one transaction; `get_blob` gives whole blobs only."""

    def __init__(self, session: Session, get_blob: Callable[[str], bytes]) -> None:
        self._session = session
        self._get_blob = get_blob
        self._rows = RowCheck(session)
        self._tails: dict[bytes, _Public] = {}
        self._ends: dict[bytes, str] = {}
        self.plain: dict[bytes, str] = {}
        """Kinds of entries without secrets and rows, by what follows their time."""

    def read(self, start: int, stop: int, signed: Iterable[int]) -> Stretch:
        """Check the entries from `start` up to `stop`; `signed` are sizes of checkpoints in it.

        `start` has to be a multiple of a power of two, by which `stop` is at most farther on.

        Raises:
            DoubtError: it has to be read entry by entry.
        """
        try:
            return self._read(start, stop, signed)
        except _BROKEN as error:
            raise DoubtError from error
        except Exception as error:
            if type(error).__module__.split(".")[0] not in {"sqlite3", "psycopg"}:
                raise
            raise DoubtError from error  # the driver itself could not make sense of a value

    def _read(self, start: int, stop: int, signed: Iterable[int]) -> Stretch:
        if strays(self._session, start, stop, besides=_MANY):
            raise DoubtError
        one = _One(self, start, stop)
        leaves = one.check()
        levels = levels_over(leaves)
        sizes = [*signed, stop]
        return Stretch(
            start,
            stop,
            {size: peaks_of(levels, size - start) for size in sizes},
            tuple(one.erased),
            tuple(one.events),
            one.blobs,
            one.pictures,
            one.withheld,
            self._same_nodes(levels, start),
        )

    def _same_nodes(self, levels: Sequence[Sequence[bytes]], start: int) -> bool:
        for level, hashes in enumerate(levels[1:], start=1):
            first = start >> level
            rows = self.ask(
                f'select hash from node where level = {level} and "index" >= {first}'  # noqa: S608 - numbers
                f' and "index" < {first + len(hashes)} order by "index"'
            )
            if [row[0] for row in rows] != hashes:
                return False
        return True

    def ask(self, query: str) -> list[Any]:
        """Rows as the driver gives them: making objects of them would take most of the time."""
        cursor: Any = self._session.connection().connection.cursor()
        try:
            if self._session.get_bind().dialect.name == "sqlite":
                cursor.execute(query)
            else:
                cursor.execute(query, binary=True)
            found: list[Any] = cursor.fetchall()
            return found
        finally:
            cursor.close()

    def described(self, kind: str, start: int, stop: int) -> list[Any]:
        """The rows of a kind that name an entry of this range; the columns of `resealed`."""
        return self.ask(
            f"{_MANY[kind][1]} where t.entry_index >= {start} and t.entry_index < {stop}"
        )

    def public(self, tail: bytes, content: bytes, row: Resealed | None) -> _Public:
        """The kind and the public fields of well-written content, which ends like that.

        What stands before the tail has been compared to the letter, and `row` says what the fields
        are that differ everywhere; so ends which were seen before are well written here too. Of
        the fields that differ the public fields may then be those of another entry.
        """
        seen = tail
        for name, value in row.own if row else ():
            if name + value not in tail:
                raise UnlikeError
            seen = seen.replace(name + value, name, 1)
        known = self._tails.get(seen)
        if known is None:
            opened = open_leaf(content, ())
            for name, value in row.own if row else ():
                told = opened.public.get(name[1:-2].decode())
                if tail.count(name) != 1 or msgspec.json.encode(told) != value:
                    raise UnlikeError
            if len(self._tails) >= _TAILS:
                self._tails.clear()
                self.plain.clear()
            known = self._tails[seen] = opened.kind, opened.public
        return known

    def is_disclosure(self, name: str, coded: bytes) -> bool:
        """Whether that is the well-written disclosure of a field of that name, no blob's."""
        end = coded[SALTED:]
        known = self._ends.get(end)
        if known is None:
            known, _value = read_disclosure(coded.decode())
            if len(end) <= _SHORT:
                if len(self._ends) >= _TAILS:
                    self._ends.clear()
                self._ends[end] = known
        return known == name and name not in BLOBS

    def check_slowly(self, entry: StoredEntry) -> tuple[str, Mapping[str, Json], list[str], int]:
        """Kind, public fields, names of blobs and number of withheld fields of an opened entry."""
        opened = opened_entry(entry)
        blobs = check_entry(entry, opened, self._get_blob)
        if self._rows.compare(opened, entry.index) is not None:
            raise DoubtError
        return opened.kind, opened.public, blobs, opened.withheld

    def get_blob(self, digest: str) -> None:
        """Raise EvidenceError unless the vault has these bytes whole."""
        self._get_blob(digest)


class _One:
    """One stretch, while it is read."""

    def __init__(self, within: Stretches, start: int, stop: int) -> None:
        self._within = within
        self._start = start
        self._stop = stop
        self._salts: list[bytes] = []
        self._rows: dict[str, dict[int, Any]] = {}
        self.erased: list[int] = []
        self.events: list[Event] = []
        self.blobs = self.pictures = 0
        self.withheld = 0

    def check(self) -> list[bytes]:
        """The leaf hashes of the stretch, every entry of which is whole."""
        ask, start, stop = self._within.ask, self._start, self._stop
        rows = ask(
            'select "index", kind, content, leaf_hash, erased_by from entry'  # noqa: S608 - numbers
            f' where "index" >= {start} and "index" < {stop} order by "index"'
        )
        if [row[0] for row in rows] != list(range(start, stop)):
            raise DoubtError
        disclosures = ask(
            "select entry_index, name, encoded from disclosure"  # noqa: S608 - numbers
            f" where entry_index >= {start} and entry_index < {stop} order by entry_index, name"
        )
        coded = [row[2].encode("ascii") for row in disclosures]
        digests = _digests(coded)
        for kind in _MANY:
            self._take_rows(kind, rows)
        at, last, plain = 0, len(disclosures), self._within.plain
        for index, kind, content, stored, erased_by in rows:
            if type(content) is not bytes or sha256(b"\x00" + content).digest() != stored:
                raise DoubtError
            first = at
            while at < last and disclosures[at][0] == index:
                at += 1
            if erased_by is None:
                if (
                    first == at
                    and plain.get(content[_PLAIN:]) == kind
                    and content.startswith(_BARE)
                    and _is_time(content[_PLAIN - _AT : _PLAIN])
                ):
                    continue  # most entries: a source was looked at, as often before
                mine = [
                    (disclosures[each][1], coded[each], digests[each]) for each in range(first, at)
                ]
                if self._is_as_sealed(index, kind, content, mine):
                    continue
            pairs = tuple((name, encoded) for _, name, encoded in disclosures[first:at])
            entry = StoredEntry(index, content, stored, pairs, erased_by is not None, kind)
            self._slowly(entry)
        if at != last:
            raise DoubtError
        _demand_salts(self._salts)
        return [row[3] for row in rows]

    def _take_rows(self, kind: str, entries: Sequence[Any]) -> None:
        """Read the rows of a kind; each has an entry of that kind of its own, marked as it is."""
        rows = self._within.described(kind, self._start, self._stop)
        by_entry = self._rows[kind] = {row[0]: row for row in rows}
        if len(by_entry) != len(rows):
            raise DoubtError
        for index, row in by_entry.items():
            entry = entries[index - self._start]
            if entry[1] != kind or (kind in _MARKED and row[1] != entry[4]):
                raise DoubtError

    def _is_as_sealed(self, index: int, kind: str, content: bytes, mine: Sequence[_Told]) -> bool:
        """Whether the entry is whole, and to the letter what its row would be sealed as."""
        head = _head(mine)
        at = content[len(head) : len(head) + _AT]
        if kind in _ONE_BY_ONE or not content.startswith(head) or not _is_time(at):
            return False
        tail = content[len(head) + _AT :]
        if len(content) > MAX_CONTENT:
            return False
        try:
            row = _MANY[kind][0](self._rows[kind][index]) if kind in _MANY else None
            sealed, public = self._within.public(tail, content, row)
        except _BROKEN:
            return False
        if row is None:
            same = self._are_disclosures(public, mine)
        else:
            same = self._is_row(row, at, public, mine)
        if sealed != kind or not same:
            return False
        self._salts += [coded[:SALTED] for _, coded, _ in mine]
        if kind in _TELLING:
            self.events.append(Event(index, kind, public))
        elif not mine and row is None:
            self._within.plain[tail] = kind
        return True

    def _are_disclosures(self, public: Mapping[str, Json], mine: Sequence[_Told]) -> bool:
        is_disclosure = self._within.is_disclosure
        return all(name not in public and is_disclosure(name, coded) for name, coded, _ in mine)

    def _is_row(
        self, row: Resealed, at: bytes, public: Mapping[str, Json], mine: Sequence[_Told]
    ) -> bool:
        ends = row.ends
        if (row.at and row.at.encode() != at) or not ends.keys().isdisjoint(public):
            return False
        for name, value in row.public.items():
            if name == SYNCHRONISED:
                clock = public.get("clock")
                if type(clock) is not dict or clock.get("synchronised") is not value:
                    return False
            elif name not in public or public[name] != value:
                return False
        for name, coded, _ in mine:
            if coded[SALTED:] != ends.get(name):
                return False
        for name, digest in row.blobs:
            if digest and any(each[0] == name for each in mine):
                self._within.get_blob(digest)
                self.blobs += name == BLOB_FIELD
        return True

    def _slowly(self, entry: StoredEntry) -> None:
        kind, public, blobs, withheld = self._within.check_slowly(entry)
        self.blobs += blobs.count(BLOB_FIELD)
        self.pictures += blobs.count(PICTURE_FIELD)
        self.withheld += withheld
        if entry.erased:
            self.erased.append(entry.index)
        if kind in _TELLING:
            self.events.append(Event(entry.index, kind, public))


def _head(mine: Sequence[_Told]) -> bytes:
    """How an entry with these secret fields, and no other, begins."""
    if not mine:
        return _BARE
    digests = sorted([digest for _, _, digest in mine])
    return b'%b"%b"%b' % (_HEAD, b'","'.join(digests), _NECK)


@lru_cache(maxsize=4096)
def _is_time(written: bytes) -> bool:
    try:
        read_time(written.decode())
    except (EvidenceError, UnicodeDecodeError):
        return False
    return True


def _digests(coded: Sequence[bytes]) -> list[bytes]:
    """The digest of each disclosure as it stands in its entry, all turned into letters at once.

    A zero byte after each makes it eleven whole groups of three, the last letter of which is the
    zero's.
    """
    if any(len(each) > MAX_DISCLOSURE for each in coded):
        raise DoubtError
    hashes = [sha256(each).digest() for each in coded]
    letters = binascii.b2a_base64(b"\x00".join([*hashes, b""]), newline=False).translate(TO_URL)
    return [letters[at : at + 43] for at in range(0, len(letters), 44)]


def _demand_salts(starts: Sequence[bytes]) -> None:
    """Check that all of these, 24 bytes each, are `["` and a salt as our own are written."""
    octets = binascii.a2b_base64(b"".join(starts).translate(FROM_URL), strict_mode=True)
    if len(octets) != 24 * len(starts) or not _SALTS.fullmatch(octets):
        raise DoubtError
