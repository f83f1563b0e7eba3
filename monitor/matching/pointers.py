"""What words of the roster point to: a person, a school, or a crowd of schools."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

CROWD = 20
"""Schools that share words, beyond which these are looked up together."""


class PhraseRef(NamedTuple):
    """What words of the roster point to: kind is alias, name, hashtag, handle, email or place.

    `person` is -1 where the school is meant. `alone` tells that nothing is needed beside it.
    """

    kind: str
    school: int
    person: int = -1
    alone: bool = True


class Crowd(dict[int, PhraseRef]):
    """The schools, more than a few, that bear the same words; these count only beside others."""


Entry = tuple[tuple[str, ...], PhraseRef | Crowd]
"""Words of the roster, and what they point to."""


def with_crowds(entries: list[Entry]) -> list[Entry]:
    """Return the entries with one crowd for the same words of many schools, all of which need more.

    They need their place, account or hashtag beside them, so that few of them ever matter.
    """
    sharing: dict[tuple[str, ...], list[PhraseRef]] = defaultdict(list)
    for words, ref in entries:
        if isinstance(ref, PhraseRef):
            sharing[words].append(ref)
    crowds = {
        words: Crowd(sorted({ref.school: ref for ref in reversed(refs)}.items()))
        for words, refs in sharing.items()
        if len(refs) > CROWD
        and all(ref.person < 0 and ref.kind != "place" and not ref.alone for ref in refs)
    }
    rest = [(words, ref) for words, ref in entries if words not in crowds]
    return [*rest, *crowds.items()]
