"""One stretch of the log, while it is read: entries of one kind are checked side by side.

An entry is as it was sealed if it begins with the digests of its disclosures, all of them and no
other, and its time; ends as entries of its kind do; and its disclosures are a salt each and what
its row says. All of that is compared in the letters in which it is stored. What is unlike is not
yet wrong: it is opened, and checked by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import repeat
from operator import add
from typing import Any, Final, Protocol

from msgspec import MsgspecError

from monitor.evidence.canonical import read_time
from monitor.evidence.leaf import MAX_CONTENT, Json
from monitor.evidence.stretch import Event
from monitor.evidence.verify import (
    BLOB_FIELD,
    KEY_CHANGED,
    PICTURE_FIELD,
    RECORD_ERASED,
    StoredEntry,
)
from monitor.storage.alerted import ALERTS, LATER
from monitor.storage.letters import SALTED, Disclosures, demand_salts
from monitor.storage.resealed import MANY, MARKED, Columns, Resealed
from monitor.storage.rowcheck import COMPARED, TABLES
from monitor.storage.wellknown import Group, WellKnown
from monitor.storage.written import UnlikeError, times

_HEAD: Final = b'\x01{"_sd":['
_NECK: Final = b'],"_sd_alg":"sha-256",'
_AT: Final = b'"at":"'
_BARE: Final = _HEAD + _NECK + _AT
"""How an entry without secret fields begins, up to its time."""
_PLAIN: Final = len(_BARE) + len("2026-11-21T08:00:00.000000Z")
_TELLING: Final = frozenset({KEY_CHANGED, RECORD_ERASED})
_DESCRIBED: Final = {**MANY, "alert.raised": ALERTS}
_ONE_BY_ONE: Final = (COMPARED | _TELLING) - _DESCRIBED.keys() - LATER.keys()
_UNLIKE: Final = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError,
    UnlikeError, MsgspecError,
)  # fmt: skip
"""What rows that were never sealed as they stand can lead to."""


class DoubtError(Exception):
    """Something in the stretch is not as it should be, or could not be read."""


class Reader(Protocol):
    """Who reads, one stretch after another (`Stretches`)."""

    known: WellKnown
    gathered: tuple[str, str]

    def ask(self, query: str) -> list[Any]: ...
    def check_slowly(self, entry: StoredEntry) -> tuple[Mapping[str, Json], list[str], int]: ...
    def get_blob(self, digest: str) -> None: ...


class Inspection:
    """The entries from `start` up to `stop`; the place of one is its number among them, from 0."""

    def __init__(self, reader: Reader, start: int, stop: int) -> None:
        self._reader = reader
        self._start = start
        entries = reader.ask(
            'select "index", kind, at, content, leaf_hash, erased_by from entry'  # noqa: S608 - numbers
            f' where "index" >= {start} and "index" < {stop} order by "index"'
        )
        if [row[0] for row in entries] != list(range(start, stop)):
            raise DoubtError
        _, self._kinds, ats, self._contents, hashes, self._erased_by = zip(*entries, strict=True)
        self.hashes: list[bytes] = list(hashes)
        self._times = times(ats)
        self._told = self._disclosures()
        if not self._told.letters.keys() <= set(range(stop - start)):
            raise DoubtError
        self._salts: list[bytes] = []
        self._doubted: list[int] = []
        self.erased: list[int] = []
        self.events: list[Event] = []
        self.blobs = self.pictures = 0
        self.withheld = 0

    def _disclosures(self) -> Disclosures:
        reader, start = self._reader, self._start
        names, letters = reader.gathered
        of_stretch = (
            f"from disclosure where entry_index >= {start}"
            f" and entry_index < {start + len(self._kinds)}"
        )
        rows = reader.ask(
            f"select entry_index - {start}, count(*), {names} {of_stretch}"
            " group by entry_index order by entry_index"
        )
        ((count, lines),) = reader.ask(
            f"select {letters} from"  # noqa: S608 - numbers
            f" (select encoded {of_stretch} order by entry_index, name) as ordered"
        )
        return Disclosures(rows, count or 0, lines or "")

    def check(self) -> None:
        """Check that every entry of the stretch is whole, and fits its rows.

        Raises:
            DoubtError: or another, which depends on what stands where.
        """
        if [sha256(b"\x00" + each).digest() for each in self._contents] != self.hashes:
            raise DoubtError
        if max(map(len, self._contents)) > MAX_CONTENT:
            raise DoubtError
        rows = {kind: self._rows(kind) for kind in _DESCRIBED}
        for kind in TABLES.keys() - _DESCRIBED.keys():
            self._demand_own(kind, f"select t.entry_index from {TABLES[kind]} t")  # noqa: S608 - our own names
        for group, places in self._groups().items():
            kind, names = group
            if kind in _DESCRIBED:
                self._check_described(group, places, _DESCRIBED[kind][0], rows[kind])
            elif kind in LATER:
                self._check_described(group, places, LATER[kind][0], self._named(kind, places))
            elif kind in _ONE_BY_ONE:
                self._doubted += places
            elif names:
                self._check_secret(group, places)
            else:
                self._check_bare(group, places)
        for place in sorted(self._doubted):
            self._slowly(place)
        demand_salts(self._salts)

    def _rows(self, kind: str) -> dict[int, Any]:
        """The rows of a kind by the places of their entries; each is marked as erased as that is.

        Raises:
            DoubtError: one is not, or is not the only one, or its entry speaks of something else.
        """
        found = self._demand_own(kind, _DESCRIBED[kind][1])
        rows = {row[0] - self._start: row for row in found}
        if len(rows) != len(found):
            raise DoubtError
        if kind in MARKED and any(row[1] != self._erased_by[place] for place, row in rows.items()):
            raise DoubtError
        return rows

    def _demand_own(self, kind: str, query: str) -> list[Any]:
        """The rows that begin with an entry of this stretch, which has to be of that kind."""
        stop = self._start + len(self._kinds)
        found = self._reader.ask(
            f"{query} where t.entry_index >= {self._start} and t.entry_index < {stop}"
        )
        if any(self._kinds[row[0] - self._start] != kind for row in found):
            raise DoubtError
        return found

    def _named(self, kind: str, places: Sequence[int]) -> dict[int, Any]:
        """The rows that these entries name, by their places; one that is not there is left out.

        Raises:
            DoubtError: a number stands there twice.
        """
        _, number_in, query = LATER[kind]
        found = [(place, number_in.search(self._contents[place])) for place in places]
        numbers = {place: int(match[1]) for place, match in found if match}
        if not numbers:
            return {}
        asked = self._reader.ask(f"{query} ({', '.join(map(str, {*numbers.values()}))})")
        rows = {row[0]: row for row in asked}
        if len(rows) != len(asked):
            raise DoubtError
        return {place: rows[number] for place, number in numbers.items() if number in rows}

    def _groups(self) -> dict[Group, list[int]]:
        """The places of the entries that are alike; erased ones are in doubt, and in no group."""
        groups: dict[Group, list[int]] = {}
        names_of = self._told.names.get
        both = zip(self._kinds, self._erased_by, strict=True)
        for place, (kind, erased_by) in enumerate(both):
            if erased_by is None:
                groups.setdefault((kind, names_of(place, ())), []).append(place)
            else:
                self._doubted.append(place)
        return groups

    def _check_bare(self, group: Group, places: Sequence[int]) -> None:
        """Entries without secret fields and rows: most are as others, but for their time."""
        contents = [self._contents[place] for place in places]
        heads = [_BARE + self._times[place] for place in places]
        tails = [content[_PLAIN:] for content in contents]
        if [content[:_PLAIN] for content in contents] != heads:
            raise DoubtError
        if not self._reader.known.are_of(group, tails, contents):
            raise DoubtError

    def _check_secret(self, group: Group, places: Sequence[int]) -> None:
        """Entries without rows: a disclosure is opened, unless one has ended like it before."""
        known, names = self._reader.known, group[1]
        if not known.are_of(group, self._tails(places), [self._contents[each] for each in places]):
            raise DoubtError
        for place in places:
            letters = self._told.letters[place]
            if all(map(known.is_disclosure, names, letters)):
                self._salts += [each[:SALTED] for each in letters]
            else:
                self._doubted.append(place)

    def _tails(self, places: Sequence[int], before: Sequence[bytes] = ()) -> list[bytes]:
        """How entries go on that begin as they must.

        They must commit to their disclosures and no other, and have the time that the row gives;
        `before` is what stands before that.
        """
        commitments_of, moments = self._told.commitments.get, self._times
        both = zip(places, before or repeat(b"", len(places)), strict=True)
        heads = [
            b"".join((_HEAD, commitments_of(place, b""), _NECK, first, _AT, moments[place]))
            for place, first in both
        ]
        contents = [self._contents[place] for place in places]
        if not all(map(bytes.startswith, contents, heads)):
            raise DoubtError
        return [content[len(head) :] for content, head in zip(contents, heads, strict=True)]

    def _check_described(
        self,
        group: Group,
        places: Sequence[int],
        reseal: Callable[[Columns], Resealed],
        rows: Mapping[int, Any],
    ) -> None:
        """Entries of which each is sealed again from its row, all of them at once."""
        known, names = self._reader.known, group[1]
        letters = self._told.of(places)
        salts = [each[:SALTED] for each in letters]
        try:
            again = reseal(list(zip(*[rows[place] for place in places], strict=True)))
            if not again.needed.issubset(names):
                raise UnlikeError
            tails = self._tails(places, again.before)
            contents = [self._contents[place] for place in places]
            described = known.are_described(group, tails, contents, again)
            unlike = _differing(described, [True] * len(places))
            for number, name in enumerate(names):
                own = letters[number :: len(names)]
                if name in again.few:
                    among = [each[SALTED:] in again.few[name] for each in own]
                    unlike |= _differing(among, [True] * len(places))
                else:
                    sealed = list(map(add, salts[number :: len(names)], again.ends[name]))
                    unlike |= _differing(sealed, own)
        except _UNLIKE:
            self._doubted += places
            return
        if again.at is not None:
            unlike |= _differing(again.at, [self._times[place] for place in places])
        self._doubted += [places[row] for row in unlike]
        whole = [row for row in range(len(places)) if row not in unlike]
        if unlike:
            salts = [salts[row * len(names) + each] for row in whole for each in range(len(names))]
        self._salts += salts
        for name in again.blobs.keys() & set(names):
            self._check_blobs(name, [again.blobs[name][row] for row in whole])

    def _check_blobs(self, name: str, digests: Sequence[str]) -> None:
        for digest in digests:
            if digest:  # otherwise the entry says that there were no bytes to keep
                self._reader.get_blob(digest)
                self.blobs += name == BLOB_FIELD

    def _slowly(self, place: int) -> None:
        index, kind = self._start + place, self._kinds[place]
        entry = StoredEntry(
            index,
            self._contents[place],
            self.hashes[place],
            self._told.pairs(place),
            self._erased_by[place] is not None,
            kind,
            read_time(self._times[place].decode()),
        )
        public, blobs, withheld = self._reader.check_slowly(entry)
        self.blobs += blobs.count(BLOB_FIELD)
        self.pictures += blobs.count(PICTURE_FIELD)
        self.withheld += withheld
        if entry.erased:
            self.erased.append(index)
        if kind in _TELLING:
            self.events.append(Event(index, kind, public))


def _differing(mine: Sequence[object], theirs: Sequence[object]) -> set[int]:
    """Where two lists of the same length differ."""
    if mine == theirs:
        return set()
    both = enumerate(zip(mine, theirs, strict=True))
    return {row for row, (one, other) in both if one != other}
