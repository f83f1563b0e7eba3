"""Asks another model, on a server of the school's own, about mentions that the grader doubts.

The grader's grade has been told by then, and nothing waits for this one. What the other model is
told is in the log before it is told; what it said is in the log whatever came of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from loguru import logger

from monitor.backoff import next_delay
from monitor.clock import Clock
from monitor.config.second_opinion import SecondOpinionConfig
from monitor.errors import GradingError, RefusedError, RemoteError
from monitor.evidence.leaf import Json
from monitor.grading.question import Question, spans_of
from monitor.grading.second import (
    Answer,
    NotAnOpinionError,
    Opinion,
    answer_in,
    joined,
    opinion_in,
    request,
    told,
)
from monitor.http.client import SourceHttp
from monitor.http.limits import HttpLimits
from monitor.judge import Judge, question_of, verdict_of
from monitor.model import Grade
from monitor.storage.opinions import Unsure
from monitor.storage.records import Judgement
from monitor.storage.store import Store

LATEST: Final = timedelta(hours=24)
"""A grade older than this is no longer asked about: whoever must decide has decided."""
HOUR: Final = timedelta(hours=1)
SHORTEST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
LARGEST_ANSWER: Final = 64 * 1024
_NO_SCHEMA: Final = frozenset({400, 404, 415, 422, 501})
_TRIED: Final = "Mr Kay is a lovely teacher and I hope his bike falls over"
"""What `check` asks about: nobody's words about nobody."""


def limits(given: SecondOpinionConfig) -> HttpLimits:
    """How much of our time and memory one question may take."""
    seconds = float(given.timeout_seconds)
    return HttpLimits(
        read_seconds=seconds,
        total_seconds=seconds,
        wire_bytes=LARGEST_ANSWER,
        body_bytes=LARGEST_ANSWER,
        redirects=0,
        spacing_seconds=0.0,
    )


@dataclass(slots=True)
class SecondReader:
    """One configured model, asked politely: one question at a time, so many in an hour.

    `mask` takes the other names of the roster out of what is told. `trouble` is what is wrong with
    the server now, empty where it answers.
    """

    store: Store
    judge: Callable[[], Judge]
    clock: Clock
    http: SourceHttp
    given: SecondOpinionConfig
    mask: Callable[[str], str]
    trouble: str = ""
    answered_at: datetime | None = None
    _asked: deque[datetime] = field(default_factory=deque)
    _failures: int = 0
    _not_before: datetime | None = None

    async def round(self) -> tuple[Grade, ...]:
        """Ask about each mention that waits; the grades that were changed by it."""
        changed = []
        while self._may_ask():
            since = self.clock.now() - LATEST
            wanted = await asyncio.to_thread(self.store.opinions.next, since=since)
            if wanted is None or not await self._is_there():
                break
            grade = await self._reread(wanted)
            if grade is not None:
                changed.append(grade)
        return tuple(changed)

    async def try_out(self) -> str:
        """Ask about an invented sentence; in words what came. Raises RemoteError."""
        question = Question(_TRIED, spans_of(_TRIED, "Mr Kay"))
        reading = await asyncio.to_thread(self.judge().grader().reading, question)
        began = self.clock.monotonic()
        answer = await self._answer(told(reading))
        opinion = opinion_in(answer.said)
        took = self.clock.monotonic() - began
        return f"{self.given.model} finds an invented sentence {opinion.severity} in {took:.1f} s"

    @property
    def patience(self) -> float:
        """Seconds after which nobody waits for `try_out` any more."""
        return self.given.timeout_seconds + 5.0

    # --- whether to ask -------------------------------------------------------------------------

    def _may_ask(self) -> bool:
        now = self.clock.now()
        # A clock that was set back must not stop this for as long as it went back.
        while self._asked and not now - HOUR < self._asked[0] <= now:
            self._asked.popleft()
        waits = self._not_before is not None and now < self._not_before <= now + LONGEST_WAIT
        return len(self._asked) < self.given.most_per_hour and not waits

    async def _is_there(self) -> bool:
        """See that the server answers at all before anything is sealed about telling it."""
        try:
            await self.http.peek(f"{self.given.url}/models")
        except RefusedError as error:
            if error.status is None:
                return self._failed(error)
        except RemoteError as error:
            return self._failed(error)
        return True

    def _failed(self, error: RemoteError) -> bool:
        self._failures += 1
        self.trouble = str(error)
        wait = next_delay(self._failures, base=SHORTEST_WAIT, cap=LONGEST_WAIT, random=lambda: 0.0)
        self._not_before = self.clock.now() + min(wait, LONGEST_WAIT)
        logger.bind(model=self.given.model, error=type(error).__name__).warning("opinion.no_server")
        return False

    # --- asking ---------------------------------------------------------------------------------

    async def _reread(self, wanted: Unsure) -> Grade | None:
        self._asked.append(self.clock.now())
        try:
            words = await asyncio.to_thread(self._words, wanted)
        except GradingError as error:
            self.trouble = str(error)
            self._not_before = self.clock.now() + SHORTEST_WAIT
            return None
        asked = await asyncio.to_thread(
            self.store.opinions.ask,
            wanted,
            model=self.given.model,
            server=self.given.url,
            told=words,
            at=self.clock.now(),
        )
        if asked is None:
            return None
        found, opinion = await self._found(words)
        return await asyncio.to_thread(self._keep, wanted, asked, found, opinion)

    def _words(self, wanted: Unsure) -> str:
        """What is told: what our own model reads, without the other names of the roster."""
        judge = self.judge()
        reading = judge.grader().reading(question_of(wanted.stored, judge.insulting))
        masked = replace(reading, text=self.mask(reading.text), context=self.mask(reading.context))
        return told(masked)

    async def _found(self, words: str) -> tuple[Mapping[str, Json], Opinion | None]:
        """Ask, and say what came of it as it is sealed."""
        answer = Answer("", "")
        try:
            answer = await self._answer(words)
            opinion = opinion_in(answer.said)
        except RemoteError as error:
            self._failed(error)
            return {"why": f"no opinion: {error}"}, None
        except NotAnOpinionError as error:
            logger.bind(model=self.given.model).info("opinion.none")
            said: dict[str, Json] = {"said": answer.said, "served_by": answer.served_by}
            return {**said, "why": f"no opinion: {error}"}, None
        return {
            "said": answer.said,
            "served_by": answer.served_by,
            "severity": opinion.severity.value,
            "flags": sorted(flag.value for flag in opinion.flags),
        }, opinion

    async def _answer(self, words: str) -> Answer:
        """Ask with a form for the answer; without one where the server knows no such thing."""
        try:
            body = await self._post(words, with_schema=True)
        except RefusedError as error:
            if error.status not in _NO_SCHEMA:
                raise
            body = await self._post(words, with_schema=False)
        answer = answer_in(body)
        self.trouble, self._failures, self._not_before = "", 0, None
        self.answered_at = self.clock.now()
        return answer

    async def _post(self, words: str, *, with_schema: bool) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        content = request(self.given.model, words, with_schema=with_schema)
        return await self.http.post(f"{self.given.url}/chat/completions", content, headers=headers)

    # --- what it changes ------------------------------------------------------------------------

    def _keep(
        self, wanted: Unsure, asked: int, found: Mapping[str, Json], opinion: Opinion | None
    ) -> Grade | None:
        grade = None
        if opinion is not None:
            name = f"{self.given.model} (second opinion)"
            grade = joined(wanted.graded.grade, opinion, model=name)
        at = self.clock.now()
        judgement = None if grade is None else self._judgement(wanted, grade, at)
        kept = self.store.opinions.give(wanted, asked, found, judgement, at=at)
        logger.bind(mention=wanted.stored.id, changed=kept).info("opinion.given")
        return grade if kept else None

    def _judgement(self, wanted: Unsure, grade: Grade, at: datetime) -> Judgement:
        """Whoever must hear sooner than by the grader's grade hears; nobody hears a thing twice."""
        judge, stored = self.judge(), wanted.stored
        standing = self.store.judging.verdicts(stored.mention.post.ref)
        before, after = (
            judge.judgement(stored, each, {}, standing, (verdict_of(stored, each),), at=at)
            for each in (wanted.graded.grade, grade)
        )
        heard = {each.person: each.urgency.rank for each in before.hearings}
        sooner = tuple(
            each
            for each in after.hearings
            if each.person not in heard or each.urgency.rank < heard[each.person]
        )
        return replace(after, hearings=sooner)
