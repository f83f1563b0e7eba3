"""What is thought of a mention: its grade, and who hears of it. Reads and writes no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from loguru import logger

from monitor.cases.routing import Routing
from monitor.contract import SourceInfo
from monitor.errors import fault
from monitor.grading.grader import Grader
from monitor.grading.question import Question, asked
from monitor.matching.answer import Refused
from monitor.matching.matcher import Matcher
from monitor.model import Grade, Mention, Post, PostField, Scope, Severity, Verdict
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

    def mentions(self, posts: Sequence[Post], info: SourceInfo) -> list[tuple[Mention, ...]]:
        """Say whom each post of a source means; a word that may be a name counts in a threat."""

        def threatens(post: Post, words: tuple[Refused, ...]) -> bool:
            return self._threatens(post, words, info.scope)

        return self.matcher.match_all(
            posts,
            scope=info.scope,
            source_school=info.school,
            place=info.place,
            threatens=threatens,
        )

    def _threatens(self, post: Post, words: tuple[Refused, ...], scope: Scope) -> bool:
        """Whether a post is a threat if these words of it are a name; true where nobody can say."""
        grade, _card = self._graded(lambda: question_if_named(post, words, scope), reasons=False)
        return grade.severity in {Severity.THREATENING, Severity.UNGRADED}

    def grade(self, stored: StoredMention) -> tuple[Grade, Mapping[str, str]]:
        """Grade a mention; where that fails the grade is `ungraded`, which somebody hears of."""
        return self._graded(lambda: question_of(stored, self.insulting), mention=stored.id)

    def _graded(
        self, ask: Callable[[], Question], *, mention: int | None = None, reasons: bool = True
    ) -> tuple[Grade, Mapping[str, str]]:
        try:
            grader = self.grader()
            question = ask()
            grade = grader.grade(question, reasons=reasons)
            if self.distrust:
                grade = replace(grade, unsure=True)
            # Everything that decided beside the post itself, so that it can be graded again.
            card = {"insulting": question.insulting, "distrusted": self.distrust, **grader.card}
        except Exception as error:  # noqa: BLE001 - one post must not stop the queue
            logger.bind(mention=mention, error=type(error).__name__).error("mention.ungraded")
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


def question_if_named(post: Post, words: tuple[Refused, ...], scope: Scope) -> Question:
    """What the grader is asked about a post if these words of it are somebody's name."""
    return asked(
        post.text,
        title=post.title,
        thread=post.thread,
        scope=scope,
        names=[(word.field, (word.start, word.end)) for word in words],
        insulting=(),
    )
