"""What is thought of a mention: its grade, and who hears of it. Reads and writes no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from loguru import logger

from monitor.cases.routing import Routing
from monitor.errors import fault
from monitor.grading.grader import Grader
from monitor.grading.question import Question, asked
from monitor.matching.matcher import Matcher
from monitor.model import Grade, PostField, Severity, Verdict
from monitor.people.audience import Audience
from monitor.storage.records import Judgement, StoredMention


@dataclass(slots=True)
class Judge:
    """The two judgements and those who hear of them, replaced as one when the config changes.

    `insulting` are (person, alias in one case) of the aliases that are abuse by themselves.
    `distrust` is set when the grader's self-test failed: every grade is then marked unsure.
    """

    matcher: Matcher
    grader: Callable[[], Grader]
    audience: Audience
    insulting: frozenset[tuple[str, str]] = frozenset()
    distrust: bool = False

    def grade(self, stored: StoredMention) -> tuple[Grade, Mapping[str, str]]:
        """Grade a mention; where that fails the grade is `ungraded`, which somebody hears of."""
        try:
            grader = self.grader()
            question = question_of(stored, self.insulting)
            grade = grader.grade(question)
            if self.distrust:
                grade = replace(grade, unsure=True)
            # Everything that decided beside the post itself, so that it can be graded again.
            card = {"insulting": question.insulting, "distrusted": self.distrust, **grader.card}
        except Exception as error:  # noqa: BLE001 - one post must not stop the queue
            logger.bind(mention=stored.id, error=type(error).__name__).error("mention.ungraded")
            return Grade(Severity.UNGRADED, unsure=True, note=fault(error)), {}
        return grade, {key: json.dumps(value, sort_keys=True) for key, value in card.items()}

    def judgement(
        self,
        stored: StoredMention,
        grade: Grade,
        card: Mapping[str, str],
        standing: tuple[Verdict, ...],
        beside: tuple[Verdict, ...],
        *,
        at: datetime,
    ) -> Judgement:
        """Decide who hears of a grade.

        `standing` are the verdicts that the post has in all its versions, `beside` those that its
        targets get now: a post is routed as a whole.
        """
        routing = Routing.of(standing, beside, self.audience.about_headteacher)
        mine = verdict_of(stored, grade)
        accused = routing.accused(mine)
        return Judgement(
            mention_id=stored.id,
            grade=grade,
            hearings=self.audience.hearings(routing.asked(mine), accused or mine.target, now=at),
            addressees=self.audience.everybody(),
            card=card,
            restricted=accused is not None,
        )


def by_post(waiting: tuple[StoredMention, ...]) -> list[tuple[StoredMention, ...]]:
    """Mentions together with those of the same version of the same post, in order."""
    found: dict[int, list[StoredMention]] = {}
    for stored in waiting:
        found.setdefault(stored.kept.id, []).append(stored)
    return [tuple(mentions) for mentions in found.values()]


def verdict_of(stored: StoredMention, grade: Grade) -> Verdict:
    """A grade with what routes it beside the mention that it is given to."""
    return Verdict(
        mention_id=stored.id,
        version=stored.mention.post.version,
        target=stored.mention.target,
        certainty=stored.mention.certainty,
        first_look=stored.first_look,
        grade=grade,
    )


def question_of(
    stored: StoredMention, insulting_names: frozenset[tuple[str, str]] = frozenset()
) -> Question:
    """What the grader is asked about a mention: the words, and which of them are the name."""
    mention = stored.mention
    insulting = tuple(
        (match.start, match.end)
        for match in mention.matches
        if match.field is PostField.TEXT
        and (mention.target.id, match.text.casefold()) in insulting_names
    )
    return asked(
        mention.post.text,
        title=mention.post.title,
        thread=mention.post.thread,
        scope=stored.kept.scope,
        names=[(match.field, (match.start, match.end)) for match in mention.matches],
        insulting=insulting,
    )
