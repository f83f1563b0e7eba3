"""Remembers how entries and disclosures end that were found well written: most end like others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from monitor.evidence.leaf import Json, OpenedLeaf, open_leaf, read_disclosure
from monitor.evidence.verify import BLOBS
from monitor.storage.letters import SALTED
from monitor.storage.resealed import SYNCHRONISED, Resealed
from monitor.storage.written import written

_MOST: Final = 20_000
"""So many ends of each sort are remembered."""
_SHORT: Final = 128

Group = tuple[str, tuple[str, ...]]
"""A kind of entry, and the names of its secret fields."""


class WellKnown:
    """Whoever asks has compared an entry, or a disclosure, to the letter up to its end.

    So what ends as one did that was opened before is well written too, and says the same.
    """

    def __init__(self) -> None:
        self._alike: defaultdict[Group, set[bytes]] = defaultdict(set)
        self._described: defaultdict[Group, set[tuple[bytes, tuple[Json, ...]]]] = defaultdict(set)
        self._names: dict[bytes, str] = {}

    def are_of(self, group: Group, tails: Sequence[bytes], contents: Sequence[bytes]) -> bool:
        """Whether all these entries are of that group; `tails` are the ends of their contents.

        Raises:
            EvidenceError: one is no entry.
        """
        known = self._alike[group]
        for tail, content in zip(tails, contents, strict=True):
            if tail not in known:
                opened = open_leaf(content, ())
                if not _is_of(group, opened):
                    return False
                _remember(known, tail)
        return True

    def are_described(
        self, group: Group, tails: Sequence[bytes], contents: Sequence[bytes], again: Resealed
    ) -> list[bool]:
        """Whether each of these entries says in public what its row would be sealed as.

        Raises:
            EvidenceError: one is no entry.
        """
        known, found = self._described[group], []
        own = [[(name, name + value) for value in values] for name, values in again.own.items()]
        for row, (tail, said, *told) in enumerate(zip(tails, again.public, *own, strict=True)):
            seen, length = tail, len(tail)
            for name, both in told:
                seen = seen.replace(both, name, 1)
                length += len(name) - len(both)
            same = len(seen) == length
            if same and (seen, said) not in known:
                same = _says(open_leaf(contents[row], ()), group, tail, again, row)
                if same:
                    _remember(known, (seen, said))
            found.append(same)
        return found

    def is_disclosure(self, name: str, letters: bytes) -> bool:
        """Whether that is the disclosure of a field of that name, no blob's.

        Raises:
            EvidenceError: it is no disclosure.
        """
        end = letters[SALTED:]
        known = self._names.get(end)
        if known is None:
            known, _value = read_disclosure(letters.decode())
            if len(end) <= _SHORT:
                if len(self._names) >= _MOST:
                    self._names.clear()
                self._names[end] = known
        return known == name and name not in BLOBS


def _remember(known: set[Any], end: object) -> None:
    if len(known) >= _MOST:
        known.clear()
    known.add(end)


def _is_of(group: Group, opened: OpenedLeaf) -> bool:
    kind, secret = group
    return opened.kind == kind and opened.public.keys().isdisjoint(secret)


def _says(opened: OpenedLeaf, group: Group, tail: bytes, again: Resealed, row: int) -> bool:
    """Whether the entry is of that kind, and its public fields are as the row would be sealed."""
    if not _is_of(group, opened):
        return False
    public = dict(opened.public)
    clock = public.get("clock")
    if isinstance(clock, dict):
        public[SYNCHRONISED] = clock.get("synchronised")
    for name, values in again.own.items():
        told = public.get(name[1:-2].decode())
        if tail.count(name) != 1 or written([told]) != [values[row]]:
            return False
    return all(
        name in public and public[name] == value
        for name, value in zip(again.says, again.public[row], strict=True)
    )
