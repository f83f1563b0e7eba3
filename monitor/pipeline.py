"""One turn of a source: poll, then accept (match, seal) in one commit; then judge, one a mention.

A crash anywhere may repeat work and never skips it: the cursor moves in the commit that keeps what
matched, and a mention waits for its judgement as a row.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor import text
from monitor.backoff import next_delay
from monitor.cases.routing import Routing
from monitor.clock import Clock
from monitor.contract import Connector, Poller, SourceInfo, Streamer
from monitor.errors import (
    AuthError,
    EvidenceError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    StaffMentionsError,
    TransientError,
)
from monitor.evidence.clockstate import ClockState
from monitor.evidence.leaf import Json
from monitor.evidence.vault import Vault
from monitor.grading.grader import Grader
from monitor.grading.question import Question
from monitor.matching.matcher import Matcher
from monitor.model import (
    Batch,
    Certainty,
    Grade,
    Mention,
    Post,
    PostField,
    Severity,
    TargetKind,
    Verdict,
)
from monitor.people.audience import Audience
from monitor.storage.records import Capture, Judgement, SourceState, StoredMention, Turn
from monitor.storage.store import Store

BACKOFF_CAP = timedelta(hours=6)
FUTURE_LIMIT = timedelta(hours=25)
"""No source waits longer than this: a due time beyond it means that the clock went backwards."""
LONGEST_REASON = 300
LONGEST_FIELD = 2_000_000
"""Characters of one field: what an entry of the log can open again (its bytes are all kept)."""
LONGEST_NAME = 500
"""Characters of a native id: more than PostgreSQL can look up."""

_IN_THE_WAY = (EvidenceError, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source with its connector, ready to be asked."""

    info: SourceInfo
    kind: str
    interval: timedelta
    connector: Connector


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What one turn did: counts, or the error in plain words where it could not look."""

    source: str
    fetched: int = 0
    matched: int = 0
    fresh: int = 0
    error: str = ""
    state: SourceState | None = None
    recovered: SourceState | None = None
    next_due_at: datetime | None = None

    @property
    def failed(self) -> bool:
        return bool(self.error)


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


@dataclass(slots=True)
class Pipeline:
    """Carries posts from sources to grades; knows no schedule and sends nothing."""

    store: Store
    vault: Vault
    judge: Judge
    clock: Clock
    clock_state: Callable[[], ClockState]
    jitter: Callable[[], float] = random.random
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)

    # --- poll and accept ------------------------------------------------------------------------

    async def turn(self, source: Source) -> TurnReport:
        """Ask one source once and keep what it brought, or that it could not be asked.

        Whatever happens there is a report: where nothing could be kept it says so, and the cursor
        has not moved.
        """
        name = source.info.name
        try:
            state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            try:
                started = self.clock.now()
                batch = await _poll(source, state)
                return await self._accept(source, state, batch, started=started)
            except _IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - one bug in a connector must not stop the queue
                return await self._failed(source, state, error)
        except _IN_THE_WAY as error:
            return _not_kept(name, error)

    async def listen(
        self, source: Source, *, kept: Callable[[TurnReport], Awaitable[object]] | None = None
    ) -> TurnReport:
        """Follow a streaming source until it hangs up; each batch is kept as a turn is.

        `kept` is awaited after each batch with its report; without it, what came is judged.
        """
        name = source.info.name
        report = TurnReport(name)
        try:
            state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            try:
                assert isinstance(source.connector, Streamer), f"{source.kind} cannot be streamed"
                stream = source.connector.stream(state.cursor, self.judge.matcher.wanted)
                async for batch in stream:
                    report = await self._accept(source, state, batch, started=self.clock.now())
                    await (kept(report) if kept else self.judge_waiting())
                    # The next batch finds a source that was looked at and is in order.
                    state = await asyncio.to_thread(self.store.sources.state, name, source.kind)
            except _IN_THE_WAY:
                raise
            except Exception as error:  # noqa: BLE001 - as in `turn`
                report = await self._failed(source, state, error)
                return report if kept is None else await _after(kept, report)
        except _IN_THE_WAY as error:
            return _not_kept(name, error)
        return report

    async def _accept(
        self, source: Source, state: SourceState, batch: Batch, *, started: datetime
    ) -> TurnReport:
        captured = self.clock.now()
        next_due = max(
            captured + source.interval,
            min(batch.not_before or captured, captured + FUTURE_LIMIT),
        )
        turn = Turn(
            source=source.info.name,
            kind=source.kind,
            cursor=batch.cursor,
            started_at=started,
            captured_at=captured,
            fetched=len(batch.posts),
            malformed=batch.malformed,
            not_modified=batch.not_modified,
            complete=batch.complete,
            next_due_at=next_due,
            clock=self._clock_field(),
            note=_clean(batch.note)[:LONGEST_NAME],
        )
        first_look = state.first_success_at is None
        accepted = await asyncio.to_thread(self._keep, source.info, turn, batch, first_look)
        logger.bind(
            source=turn.source,
            fetched=turn.fetched,
            matched=accepted[0],
            fresh=accepted[1],
            malformed=turn.malformed,
        ).info("turn.done")
        return TurnReport(
            turn.source,
            turn.fetched,
            accepted[0],
            accepted[1],
            recovered=state if state.told else None,
            next_due_at=next_due,
        )

    def _clock_field(self) -> Mapping[str, Json]:
        return self.clock_state().as_field()

    def _keep(
        self, info: SourceInfo, turn: Turn, batch: Batch, first_look: bool
    ) -> tuple[int, int]:
        """Match, put raw bytes in the vault, then commit rows, entries and cursor together."""
        captures = []
        for arrived in batch.posts:
            post = clean(arrived)
            mentions = targets(
                self.judge.matcher.match(
                    post, scope=info.scope, source_school=info.school, place=info.place
                )
            )
            if mentions:
                raw = post.raw.content if post.raw else post.text.encode()
                digest = self.vault.put(raw)
                captures.append(Capture(post, digest, mentions, info.scope, first_look))
        accepted = self.store.sources.accept(turn, captures)
        return accepted.matched, len(accepted.fresh)

    async def _failed(self, source: Source, state: SourceState, error: Exception) -> TurnReport:
        at = self.clock.now()
        wait = next_delay(
            state.failures + 1, base=source.interval, cap=BACKOFF_CAP, random=self.jitter
        )
        if isinstance(error, RateLimitedError):
            wait = max(wait, error.retry_after)
        stopped = isinstance(error, AuthError)
        ours = not isinstance(error, RemoteError)
        reason = _fault(error) if ours else _first_line(error)
        if ours:
            logger.bind(source=source.info.name).opt(exception=error).error("turn.crashed")
        kept = await asyncio.to_thread(
            self.store.sources.fail,
            source.info.name,
            source.kind,
            error=reason,
            at=at,
            next_due_at=at + min(wait, FUTURE_LIMIT),
            stopped=stopped,
        )
        logger.bind(
            source=source.info.name,
            error=type(error).__name__,
            failures=kept.failures,
            refused=isinstance(error, RefusedError),
        ).warning("turn.failed")
        return TurnReport(source.info.name, error=reason, state=kept, next_due_at=kept.next_due_at)

    # --- judge ----------------------------------------------------------------------------------

    async def judge_waiting(self) -> tuple[Grade, ...]:
        """Judge every accepted mention, oldest first, a post at a time; the grades given."""
        given: list[Grade] = []
        after = 0
        async with self._judging:
            while waiting := await asyncio.to_thread(self.store.judging.waiting, after=after):
                after = max(stored.id for stored in waiting)
                for mentions in by_post(waiting):
                    given += await asyncio.to_thread(self._judge, mentions)
        return tuple(given)

    def _judge(self, mentions: tuple[StoredMention, ...]) -> list[Grade]:
        """Judge what one post says of each of its targets: each a commit, routed as a whole."""
        given = []
        try:
            graded = [(stored, *self.grade(stored)) for stored in mentions]
            fresh = tuple(verdict_of(stored, grade) for stored, grade, _card in graded)
            for stored, grade, card in graded:
                at = self.clock.now()
                judgement = self._judgement(stored, grade, card, beside=fresh, at=at)
                if self.store.judging.judge(judgement, at=at):
                    given.append(grade)
                    logger.bind(mention=stored.id).info("mention.judged")
        except (StaffMentionsError, ValueError, LookupError) as error:
            # It waits, visibly, and is tried again; the posts behind it do not wait for it.
            logger.bind(mention=mentions[0].id, error=type(error).__name__).error("judge.failed")
        return given

    def judgement(
        self, stored: StoredMention, grade: Grade, card: Mapping[str, str], *, at: datetime
    ) -> Judgement:
        """Decide who hears of a grade, a person's for instance."""
        verdict = verdict_of(stored, grade)
        return self._judgement(stored, grade, card, beside=(verdict,), at=at)

    def _judgement(
        self,
        stored: StoredMention,
        grade: Grade,
        card: Mapping[str, str],
        *,
        beside: tuple[Verdict, ...],
        at: datetime,
    ) -> Judgement:
        audience = self.judge.audience
        known = self.store.judging.verdicts(stored.mention.post.ref)
        routing = Routing.of(known, beside, audience.about_headteacher)
        mine = verdict_of(stored, grade)
        accused = routing.accused(mine)
        return Judgement(
            mention_id=stored.id,
            grade=grade,
            hearings=audience.hearings(routing.asked(mine), accused or mine.target, now=at),
            addressees=audience.everybody(),
            card=card,
            restricted=accused is not None,
        )

    def grade(self, stored: StoredMention) -> tuple[Grade, Mapping[str, str]]:
        """Grade a mention; where that fails the grade is `ungraded`, which somebody hears of."""
        try:
            grader = self.judge.grader()
            grade = grader.grade(question_of(stored, self.judge.insulting))
            if self.judge.distrust:
                grade = replace(grade, unsure=True)
            card = {str(key): str(value) for key, value in grader.card.items()}
        except Exception as error:  # noqa: BLE001 - one post must not stop the queue
            logger.bind(mention=stored.id, error=type(error).__name__).error("mention.ungraded")
            return Grade(Severity.UNGRADED, unsure=True, note=_fault(error)), {}
        return grade, card


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


def targets(found: tuple[Mention, ...]) -> tuple[Mention, ...]:
    """A school counts as the target only where no person is named for certain."""
    named = any(
        mention.target.kind is TargetKind.PERSON and mention.certainty is not Certainty.POSSIBLE
        for mention in found
    )
    if not named:
        return found
    return tuple(mention for mention in found if mention.target.kind is TargetKind.PERSON)


def clean(post: Post) -> Post:
    """Make what every database and every page can hold: no NUL and no lone surrogate in words."""
    return replace(
        post,
        ref=replace(post.ref, native_id=_short(_clean(post.ref.native_id))),
        text=_clean(post.text),
        title=_clean(post.title),
        thread=_clean(post.thread),
        url=_clean(post.url),
        published_raw=_clean(post.published_raw),
        author=replace(
            post.author,
            handle=_clean(post.author.handle),
            name=_clean(post.author.name),
            native_id=_clean(post.author.native_id),
            url=_clean(post.author.url),
        ),
        media_urls=tuple(_clean(url) for url in post.media_urls),
    )


def _clean(words: str) -> str:
    whole = words if words.isascii() else words.encode("utf-8", "replace").decode()
    return whole.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:LONGEST_FIELD]


def _short(native_id: str) -> str:
    """A name of any length as one that every database can look up, always the same."""
    if len(native_id) <= LONGEST_NAME:
        return native_id
    return f"sha256:{hashlib.sha256(native_id.encode()).hexdigest()}"


def question_of(
    stored: StoredMention, insulting_names: frozenset[tuple[str, str]] = frozenset()
) -> Question:
    """What the grader is asked about a mention: the words, and which of them are the name.

    An insulting name is not masked as a name is: calling somebody so is what is to be graded.
    """
    post = stored.mention.post
    spans: dict[PostField, list[tuple[int, int]]] = {each: [] for each in PostField}
    insulting = []
    for match in stored.mention.matches:
        span = (match.start, match.end)
        name = (stored.mention.target.id, match.text.casefold())
        if name in insulting_names and match.field is PostField.TEXT:
            insulting.append(span)
        else:
            spans[match.field].append(span)
    return Question(
        text=post.text,
        spans=tuple(spans[PostField.TEXT]),
        title=post.title,
        thread=post.thread,
        scope=stored.kept.scope,
        insulting=tuple(insulting),
        title_spans=tuple(spans[PostField.TITLE]),
        thread_spans=tuple(spans[PostField.THREAD]),
    )


async def _poll(source: Source, state: SourceState) -> Batch:
    assert isinstance(source.connector, Poller), f"{source.kind} cannot be polled"
    try:
        return await source.connector.poll(state.cursor)
    except OSError as error:
        # Of the connector's making: it must not pass for a disk of ours that is full.
        raise TransientError(f"the connector met {type(error).__name__}") from error


def _not_kept(name: str, error: Exception) -> TurnReport:
    """The disk or the database is in the way: nothing was kept, so nothing is skipped."""
    logger.bind(source=name, error=type(error).__name__).error("turn.could_not_keep")
    return TurnReport(name, error=f"could not keep what came: {_first_line(error)}")


async def _after(kept: Callable[[TurnReport], Awaitable[object]], report: TurnReport) -> TurnReport:
    await kept(report)
    return report


def _first_line(error: Exception) -> str:
    # What another machine says may hold anything; what is stored may not.
    return text.clean((str(error).splitlines() or [type(error).__name__])[0], LONGEST_REASON)


def _fault(error: Exception) -> str:
    """A fault of ours or a plugin's: its kind only, since its words may hold a post's."""
    return f"a fault in the program ({type(error).__name__})"
