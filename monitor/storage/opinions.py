"""Second opinions as kept: which mention is next, what was asked and answered, what it changed.

The entries of the log hold all of it; small facts say which entries belong to a mention, and up to
which grade the other model has been asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.evidence import entries
from monitor.evidence.leaf import Json, open_leaf
from monitor.model import Severity
from monitor.storage import ledger
from monitor.storage.convert import stored_grade, stored_mention, stored_post
from monitor.storage.engine import Database
from monitor.storage.guarding import accused
from monitor.storage.judging import Judging
from monitor.storage.reading import newest_grade
from monitor.storage.records import Judgement, StoredGrade, StoredMention, StoredOpinion
from monitor.storage.tables import GradeRow, MentionRow, PostRow, RememberedRow

_REACHED: Final = "opinions.reached"
_Pair = tuple[int, int | None]
"""The entries of one question: asked, and given where there is one."""
_GRADED: Final = tuple(each.value for each in Severity if each is not Severity.UNGRADED)


@dataclass(frozen=True, slots=True)
class Unsure:
    """A mention whose standing grade the grader itself is unsure about."""

    stored: StoredMention
    graded: StoredGrade


class Opinions:
    """What was asked of another model, and what came of it."""

    def __init__(self, database: Database, judging: Judging) -> None:
        self._database = database
        self._judging = judging

    def next(self, *, since: datetime) -> Unsure | None:
        """The oldest unsure grade given after `since` about which nobody was asked yet.

        Only where the grader's own grade still stands, and never of a post that carries an
        allegation: who may know of that is not for another program to learn.
        """
        with self._database.read() as session:
            reached = _reached(session)
            found = session.exec(
                select(GradeRow, MentionRow, PostRow)
                .join(MentionRow, col(MentionRow.id) == col(GradeRow.mention_id))
                .join(PostRow, col(PostRow.id) == col(MentionRow.post_id))
                .where(col(GradeRow.id) > reached)
                .where(col(GradeRow.at) >= since)
                .where(col(GradeRow.unsure).is_(True))
                .where(col(GradeRow.by) == "model")
                .where(col(GradeRow.severity).in_(_GRADED))
                .where(col(GradeRow.id) == newest_grade())
                .where(col(MentionRow.erased_by).is_(None))
                .where(~accused())
                .order_by(col(GradeRow.id))
                .limit(1)
            ).one_or_none()
            if found is not None:
                grade, mention, post = found
                return Unsure(stored_mention(mention, stored_post(post)), stored_grade(grade))
            newest = session.exec(select(func.max(GradeRow.id))).one() or 0
        if newest > reached:
            # Nobody need read through the same sure grades again every minute.
            with self._database.write() as session:
                session.merge(RememberedRow(name=_REACHED, value=str(newest)))
        return None

    def ask(
        self, wanted: Unsure, *, model: str, server: str, told: str, at: datetime
    ) -> int | None:
        """Seal what the other model is about to be told; None where the mention was erased."""
        with self._database.write() as session:
            mention = session.get_one(MentionRow, wanted.stored.id)
            if mention.erased_by is not None:
                return None
            leaf = entries.opinion_asked(
                at=at,
                mention_entry=mention.entry_index,
                grade_entry=wanted.graded.entry_index,
                model=model,
                server=server,
                told=told,
            )
            (index,) = ledger.append(session, [leaf])
            _remember(session, wanted.stored.id, (index, None))
            return index

    def give(
        self,
        wanted: Unsure,
        asked: int,
        found: Mapping[str, Json],
        judgement: Judgement | None,
        *,
        at: datetime,
    ) -> bool:
        """Seal the answer, or why it is none, and keep the grade that it leads to; one commit.

        True where the grade was kept. It is not where a person graded the mention meanwhile, whose
        word stands; of a mention erased meanwhile nothing is kept of the answer.
        """
        with self._database.write() as session:
            mention = session.get_one(MentionRow, wanted.stored.id)
            leaf = entries.opinion_given(
                at=at, mention_entry=mention.entry_index, asked_entry=asked, found=found
            )
            erased = mention.erased_by is not None
            (index,) = ledger.append(session, [replace(leaf, secret={}) if erased else leaf])
            session.merge(RememberedRow(name=_REACHED, value=str(wanted.graded.id)))
            if erased:
                return False
            _remember(session, wanted.stored.id, (asked, index))
            newest = session.exec(
                select(GradeRow.id)
                .where(col(GradeRow.mention_id) == mention.id)
                .order_by(col(GradeRow.id).desc())
                .limit(1)
            ).one()
            if judgement is None or newest != wanted.graded.id:
                return False
            self._judging.keep(session, mention, judgement, at)
            return True

    def about(self, mention_entry: int) -> tuple[StoredOpinion, ...]:
        """The same for the mention that an entry of the log describes."""
        query = select(MentionRow.id).where(col(MentionRow.entry_index) == mention_entry)
        with self._database.read() as session:
            mention_id = session.exec(query).one_or_none()
        return () if mention_id is None else self.of(mention_id)

    def of(self, mention_id: int) -> tuple[StoredOpinion, ...]:
        """Every question that was asked about a mention, the oldest first."""
        with self._database.read() as session:
            return tuple(_opinion(session, *pair) for pair in _known(session, mention_id))


def forget_opinions(session: Session, mention_id: int) -> list[int]:
    """Forget which entries are about a mention that is erased; they, to be erased with it."""
    known = _known(session, mention_id)
    row = session.get(RememberedRow, _name(mention_id))
    if row is not None:
        session.delete(row)
    return [index for pair in known for index in pair if index is not None]


def _reached(session: Session) -> int:
    row = session.get(RememberedRow, _REACHED)
    return int(row.value) if row else 0


def _name(mention_id: int) -> str:
    return f"opinions.of:{mention_id}"


def _known(session: Session, mention_id: int) -> list[_Pair]:
    row = session.get(RememberedRow, _name(mention_id))
    return [(asked, given) for asked, given in json.loads(row.value)] if row else []


def _remember(session: Session, mention_id: int, pair: _Pair) -> None:
    kept = [each for each in _known(session, mention_id) if each[0] != pair[0]]
    value = json.dumps([*kept, pair])
    session.merge(RememberedRow(name=_name(mention_id), value=value))


def _opinion(session: Session, asked: int, given: int | None) -> StoredOpinion:
    question = _opened(session, asked)
    answer = None if given is None else _opened(session, given)
    return StoredOpinion(
        asked_entry=asked,
        asked_at=question.at,
        model=str(question.public["model"]),
        server=str(question.secret.get("server", "")),
        told=str(question.secret.get("told", "")),
        given_entry=given,
        found=None if answer is None else answer.secret,
    )


def _opened(session: Session, index: int) -> Any:
    entry = ledger.entry(session, index)
    assert entry is not None, "the log keeps every entry"
    return open_leaf(entry.content, [encoded for _name, encoded in entry.disclosures])
