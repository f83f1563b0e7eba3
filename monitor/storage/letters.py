"""The disclosures of a stretch of the log, in the letters in which they are stored."""

from __future__ import annotations

import binascii
import re
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
_SALTS: Final = re.compile(rb'(?:\["[A-Za-z0-9_-]{22})*')
_DIGEST: Final = 43

GATHERED: Final = {
    "sqlite": "json_group_array(name), json_group_array(encoded)",
    "postgresql": """'["' || string_agg(name, '","') || '"]',"""
    """ '["' || string_agg(encoded, '","') || '"]'""",
}
"""How a database gathers the disclosures of one entry; SQLite so refuses what is not text."""

Names = tuple[str, ...]
Row = tuple[int, int, str, str]
"""Of one entry: its place, how many disclosures it has, their names and their letters, as lists."""


class Disclosures:
    """The disclosures of some entries, by the places of these; one without any has no place here.

    `letters` are the disclosures, and `names` what their rows call them; `commitments` is what
    stands of all of them in the entry.

    Raises:
        UnlikeError: they cannot have been sealed with any entry.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        of_names = {names: tuple(names[2:-2].split('","')) for _, _, names, _ in rows}
        self.names: dict[int, Names] = {place: of_names[names] for place, _, names, _ in rows}
        self.letters = {
            place: letters.encode("ascii")[2:-2].split(b'","') for place, _, _, letters in rows
        }
        counts = [len(each) for each in self.letters.values()]
        if not counts == [row[1] for row in rows] == [len(each) for each in self.names.values()]:
            raise UnlikeError
        if any(len(set(names)) != len(names) for names in of_names.values()):
            raise UnlikeError
        flat = list(chain.from_iterable(self.letters.values()))
        if flat and max(map(len, flat)) > MAX_DISCLOSURE:
            raise UnlikeError
        digests, stops = _digests(flat), accumulate(counts)
        self.commitments = {
            place: b'"%b"' % b'","'.join(sorted(digests[stop - count : stop]))
            for place, count, stop in zip(self.letters, counts, stops, strict=True)
        }

    def of(self, places: Iterable[int]) -> list[bytes]:
        """The disclosures of these entries, one after the other."""
        return list(chain.from_iterable([self.letters[place] for place in places]))

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
    if len(octets) != _OCTETS * len(starts) or not _SALTS.fullmatch(octets):
        raise UnlikeError
