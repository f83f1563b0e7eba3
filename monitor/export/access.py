"""What is kept about a person, item by item, for a subject access request.

UK GDPR, article 15, gives a person their data; Data Protection Act 2018, schedule 2, says what may
be kept back (other people's data, part 3; legal advice, paragraph 19). The program proposes nothing
but caution: what names others starts at "withhold", all else at "undecided".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from monitor.errors import EvidenceError
from monitor.evidence.leaf import OpenedLeaf, open_leaf
from monitor.evidence.verify import KEY_CHANGED, StoredEntry
from monitor.export.visible import visible
from monitor.storage.dossier import Dossiers

LONGEST_SUMMARY: Final = 300

ALWAYS: Final = frozenset({"log.opened", KEY_CHANGED})
_POST: Final = frozenset({"post.captured", "mention.matched", "post.looked-at-again"})
_ADVICE: Final = re.compile(
    r"\b(?:solicitors?|barristers?|legal advice|counsel|privileged?|without prejudice)\b",
    re.IGNORECASE,
)
_ABOUT_OTHERS: Final = {
    "mention.graded": "says what a colleague thought of it",
    "case.noted": "is what a colleague wrote",
    "case.moved": "names the colleague who decided",
    "corrections": "names the colleague who exported it",
    "alert": "names the colleagues who were told",
    "delivery": "names the colleagues who were told",
    "evidence": "names the colleagues who looked",
    "page": "shows what else stood on the page, strangers' words too",
    "record": "names the colleague who decided",
}


class Decision(StrEnum):
    """What becomes of an item; nothing leaves while one is undecided."""

    UNDECIDED = "undecided"
    RELEASE = "release"
    REDACT = "redact"
    WITHHOLD = "withhold"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to decide on: `entries` are released, redacted or withheld together."""

    id: str
    what: str
    at: datetime
    words: str
    entries: tuple[int, ...]
    decision: Decision = Decision.UNDECIDED
    reason: str = ""
    redact: tuple[str, ...] = ()


@dataclass(slots=True)
class Gathered:
    """The entries about a person, and which of their posts carry an allegation."""

    entries: dict[int, tuple[StoredEntry, OpenedLeaf]] = field(default_factory=dict)
    accused: set[int] = field(default_factory=set)


def items(dossiers: Dossiers, person: str) -> tuple[Item, ...]:
    """Every item that is kept about a person of the roster, the oldest first.

    Raises:
        EvidenceError: nothing is kept about that person.
    """
    found = gather(dossiers, person)
    posts: dict[int, list[int]] = {}
    home: dict[int, int] = {}
    for index, (_, opened) in found.entries.items():
        if opened.kind == "post.captured":
            posts[index] = [index]
    for index, (_, opened) in found.entries.items():
        owner = opened.public.get("post_entry")
        if opened.kind in _POST and isinstance(owner, int) and owner in posts:
            posts[owner].append(index)
            home[index] = owner
    made = []
    for index, (_, opened) in sorted(found.entries.items()):
        grade_of = home.get(_number(opened.public.get("mention_entry")), -1)
        if opened.kind in ALWAYS or index in home:
            continue
        if _by_program(opened):
            posts.get(grade_of, []).append(index)
        elif opened.kind != "post.captured":
            made.append(_other(index, opened))
    made += [
        _post(index, found.entries[index][1], members, locked=index in found.accused)
        for index, members in posts.items()
    ]
    return tuple(sorted(made, key=lambda item: item.entries[0]))


def _by_program(opened: OpenedLeaf) -> bool:
    """Whether the program itself said this of a post, or asked another model about it."""
    if opened.kind == "mention.graded":
        return opened.public.get("by") != "person"
    return opened.kind.startswith("opinion.")


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def gather(dossiers: Dossiers, person: str) -> Gathered:
    """Every entry about a person of the roster.

    Raises:
        EvidenceError: there is none.
    """
    mention_ids = dossiers.about(person)
    base = dossiers.of_mentions(mention_ids, person) if mention_ids else None
    if base is None:
        raise EvidenceError(f"nothing is kept about {person!r}; people are named as in the roster")
    wanted = set(base.entries) | set(dossiers.case_entries(mention_ids))
    found = Gathered()
    for entry in dossiers.entries(sorted(wanted)):
        opened = open_leaf(entry.content, [encoded for _, encoded in entry.disclosures])
        found.entries[entry.index] = (entry, opened)
    locked = set(dossiers.allegations(mention_ids))
    accused = dossiers.of_mentions(sorted(locked), person) if locked else None
    if accused is not None:
        found.accused = set(accused.posts)
    return found


def _post(index: int, opened: OpenedLeaf, members: Iterable[int], *, locked: bool) -> Item:
    words = opened.secret.get("text") or opened.secret.get("title") or "(erased)"
    source = opened.public.get("source")
    return Item(
        id=f"post-{index}",
        what=f"a post read from {source}, with the program's grades",
        at=opened.at,
        words=visible(str(words), limit=LONGEST_SUMMARY),
        entries=tuple(sorted(members)),
        decision=Decision.WITHHOLD if locked else Decision.UNDECIDED,
        reason="carries an allegation that is kept locked" if locked else "",
    )


def _other(index: int, opened: OpenedLeaf) -> Item:
    kind = opened.kind
    said = next(
        (opened.secret[n] for n in ("text", "note", "why", "said") if n in opened.secret), ""
    )
    why = _ABOUT_OTHERS.get(kind) or _ABOUT_OTHERS.get(kind.partition(".")[0]) or ""
    if kind.startswith("report."):
        why = "names who reported it"
    if isinstance(said, str) and _ADVICE.search(said):
        why = "may be legal advice"
    return Item(
        id=f"entry-{index}",
        what=kind.replace(".", ": ").replace("-", " "),
        at=opened.at,
        words=visible(str(said or ""), limit=LONGEST_SUMMARY),
        entries=(index,),
        decision=Decision.WITHHOLD if why else Decision.UNDECIDED,
        reason=why,
    )
