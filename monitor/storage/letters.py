"""The disclosures of a stretch of the log, in the letters in which they are stored."""

from __future__ import annotations

import binascii
import string
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import accumulate, chain
from typing import Final

from monitor.evidence.canonical import FROM_URL, TO_URL
from monitor.evidence.leaf import MAX_DISCLOSURE
from monitor.storage.written import UnlikeError

SALTED: Final = 32
"""So many characters of a disclosure hold `["` and a salt of 16 bytes."""
_OCTETS: Final = 24
_OF_SALTS: Final = (string.ascii_letters + string.digits + "-_").encode()
_DIGEST: Final = 43

GATHERED: Final = {
    "sqlite": ("json_group_array(name)", "sum(encoded < x''), group_concat(encoded, x'0a')"),
    "postgresql": (
        """'["' || string_agg(name, '","' order by name) || '"]'""",
        r"count(encoded), string_agg(encoded, E'\n')",
    ),
}
"""How a database gathers the names of an entry's disclosures; and the letters of many, counted.

SQLite keeps any octets as text; it refuses the names of such, and counts only letters below them.
"""

Names = tuple[str, ...]
Row = tuple[int, int, str]
"""Of one entry: its place, how many disclosures it has, and their names, as a list."""


class Disclosures:
    """The disclosures of some entries, by the places of these; one without any has no place here.

    `letters` are the disclosures, and `names` what their rows call them; `commitments` is what
    stands of all of them in the entry. `rows` come in their order, and `lines` are the letters of
    so many disclosures in the order of their entries and names, each in a line.

    Raises:
        UnlikeError, ValueError: they cannot have been sealed with any entry.
    """

    def __init__(self, rows: Sequence[Row], count: int, lines: str) -> None:
        of_names = {names: tuple(names[2:-2].split('","')) for _, _, names in rows}
        self.names: dict[int, Names] = {place: of_names[names] for place, _, names in rows}
        counts = [row[1] for row in rows]
        if counts != [len(each) for each in self.names.values()]:
            raise UnlikeError
        if any(len(set(names)) != len(names) for names in of_names.values()):
            raise UnlikeError
        flat = lines.encode("ascii").split(b"\n") if rows else []
        stops = list(accumulate(counts, initial=0))
        if not len(flat) == count == stops[-1] or max(map(len, flat), default=0) > MAX_DISCLOSURE:
            raise UnlikeError
        digests = _digests(flat)
        of_each = list(zip(self.names, stops, stops[1:], strict=False))
        self.letters = {place: flat[start:stop] for place, start, stop in of_each}
        self.commitments = {
            place: b'"%b"' % b'","'.join(sorted(digests[start:stop]))
            for place, start, stop in of_each
        }

    def of(self, places: Iterable[int]) -> list[bytes]:
        """The disclosures of these entries, one after the other."""
        return list(chain.from_iterable([self.letters.get(place, ()) for place in places]))

    def pairs(self, place: int) -> tuple[tuple[str, str], ...]:
        """Names and letters of the disclosures of one entry."""
        letters = [each.decode() for each in self.letters.get(place, ())]
        return tuple(zip(self.names.get(place, ()), letters, strict=True))


def _digests(letters: Sequence[bytes]) -> list[bytes]:
    """The digest of each disclosure as it stands in its entry, all turned into letters at once.

    A zero byte after each makes it eleven whole groups of three, the last letter of which is the
    zero's.
    """
    hashes = [sha256(each).digest() for each in letters]
    line = binascii.b2a_base64(b"\x00".join([*hashes, b""]), newline=False).translate(TO_URL)
    return [line[at : at + _DIGEST] for at in range(0, len(line), _DIGEST + 1)]


def demand_salts(starts: Sequence[bytes]) -> None:
    """Check that each of these is `["` and a salt as our own are written, `SALTED` letters long.

    Raises:
        UnlikeError, ValueError: one is another.
    """
    octets = binascii.a2b_base64(b"".join(starts).translate(FROM_URL), strict_mode=True)
    count = len(starts)
    if len(octets) != _OCTETS * count or octets[::_OCTETS] != b"[" * count:
        raise UnlikeError
    # The other 22 of each are letters of a salt where no more than these two are none.
    if octets[1::_OCTETS] != b'"' * count or len(octets.translate(None, _OF_SALTS)) != 2 * count:
        raise UnlikeError
