"""A school's own grades as texts that name nobody, for whoever trains the next model.

What is known to be a name or an address is replaced; a text in which something may still be one
waits until a person has looked at it. Posts that carry an allegation stay out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from monitor.evidence import entries
from monitor.export.handing_over import write_file
from monitor.grading.question import Span
from monitor.grading.reading import welded_words
from monitor.grading.second import BY
from monitor.matching.masking import Masker, StandIns
from monitor.matching.roster import Roster
from monitor.model import Match, PostField, Scope, TargetKind
from monitor.storage.records import StoredGrade, StoredMention
from monitor.storage.store import Store

PERSON: Final = "Mx Person"
SCHOOL: Final = "the school"
STAND_INS: Final = StandIns(staff="Mx Colleague", school=SCHOOL, other="Mx Other")
NICKNAME: Final = "(an insulting nickname was taken out)"
_PROGRAM: Final = frozenset({"model", BY})


@dataclass(frozen=True, slots=True)
class Correction:
    """One regraded mention without names; `doubtful` are the words that may still be one."""

    mention_id: int
    mention_entry: int
    row: dict[str, Any]
    doubtful: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anonymiser:
    """Takes everybody out of a post. `insulting` are (person, alias in one case) of the roster.

    `more` are words that a person found to be names.
    """

    roster: Roster
    insulting: frozenset[tuple[str, str]]
    more: tuple[str, ...] = ()

    def correction(self, stored: StoredMention, grades: Sequence[StoredGrade]) -> Correction:
        """One mention and its grades, the newest a person's, as a labelled text."""
        mention, post = stored.mention, stored.mention.post
        own, stand_in = grades[-1].grade, PERSON
        if mention.target.kind is TargetKind.SCHOOL:
            stand_in = SCHOOL
        masker = Masker(self.roster, STAND_INS, apart=(mention.target.id, stand_in))
        shown: dict[str, Any] = {}
        doubtful: dict[str, None] = {}
        for name, words, field in (
            ("text", post.text, PostField.TEXT),
            ("title", post.title, PostField.TITLE),
            ("thread", post.thread, PostField.THREAD),
        ):
            here = [match for match in mention.matches if match.field is field]
            shown[name], found = self._masked(masker, words, here, stand_in)
            doubtful |= dict.fromkeys(found)
        if any((m.target.id, m.text.casefold()) in self.insulting for m in mention.matches):
            doubtful[NICKNAME] = None
        if stand_in not in shown["text"]:
            # The name stands elsewhere, but a labelled text needs somebody whom it is about.
            shown["text"] = f"{stand_in}: {shown['text']}"
        row = {
            **{name: words for name, words in shown.items() if words},
            "mention": stand_in,
            "label": own.severity.value,
            "flags": sorted(flag.value for flag in own.flags),
            **({"scope": "school"} if stored.kept.scope is Scope.SCHOOL else {}),
            "was": next(
                (each.grade.severity.value for each in grades if each.grade.by in _PROGRAM), ""
            ),
        }
        return Correction(stored.id, stored.entry_index, row, tuple(doubtful))

    def _masked(
        self, masker: Masker, words: str, matches: Sequence[Match], stand_in: str
    ) -> tuple[str, tuple[str, ...]]:
        """One field: the target's names become the stand-in, and all else is masked between."""
        pieces: list[str] = []
        doubtful: list[str] = []
        at = 0
        for start, end in _joined(matches, len(words)):
            before = masker.mask(words[at:start], self.more)
            stuck = " ".join((stand_in, *welded_words(words[start:end])))
            pieces += [before.text, " " * before.text[-1:].isalnum(), stuck]
            doubtful += before.doubtful
            at = end
        rest = masker.mask(words[at:], self.more)
        gap = " " * (at > 0 and rest.text[:1].isalnum())
        return "".join((*pieces, gap, rest.text)), (*doubtful, *rest.doubtful)


def _joined(matches: Sequence[Match], length: int) -> list[Span]:
    """Where the target is named, in order, overlapping places as one."""
    joined: list[Span] = []
    for start, end in sorted((match.start, min(match.end, length)) for match in matches):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif start < end:
            joined.append((start, end))
    return joined


def gather(store: Store, anonymiser: Anonymiser) -> tuple[Correction, ...]:
    """Every mention whose standing grade is a person's, without names, the oldest first."""
    found = []
    for stored in store.reading.regraded(by_none_of=_PROGRAM):
        if not store.guarding.mention(stored.id):
            grades = store.reading.grades(stored.id)
            found.append(anonymiser.correction(stored, grades))
    return tuple(found)


def write(
    store: Store,
    path: Path,
    chosen: Sequence[Correction],
    *,
    by: str,
    why: str,
    now: Callable[[], datetime],
) -> int:
    """Write the corrections as JSON lines; the entry that says so is in the log first.

    Raises:
        EvidenceError: the file is there already, or cannot be written.
    """
    lines = [
        json.dumps({"id": f"correction-{number}", **each.row}, ensure_ascii=False)
        for number, each in enumerate(chosen, start=1)
    ]

    def fill(file: IO[bytes]) -> int:
        leaf = entries.corrections_exported(
            at=now(), mention_entries=[each.mention_entry for each in chosen], by=by, why=why
        )
        (index,) = store.log.append([leaf])
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        return index

    return write_file(path, (), fill)
