"""What the service does again and again: a turn and what follows from it, digests, checkpoints.

No schedule here and no signals: `monitor.scheduler` says when, `monitor.daemon` for how long.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor.briefing import digest_text, operator_text
from monitor.cases.views import OperatorEvent
from monitor.clock import Clock
from monitor.contract import Looker
from monitor.errors import EvidenceError, RemoteError
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.note import SigningKey
from monitor.model import AlertKind, Grade, Observation, Presence, Role, Severity, Urgency
from monitor.outbox import Outbox
from monitor.people.audience import Audience
from monitor.pipeline import Pipeline, Source, TurnReport
from monitor.storage.records import Addressee, Hearing, HeldUp, SourceState, StoredMention
from monitor.storage.store import Store

MONDAY = 0


@dataclass(slots=True)
class Rounds:
    """One running service, without its schedule."""

    store: Store
    pipeline: Pipeline
    outbox: Outbox
    sources: Mapping[str, Source]
    key: SigningKey
    origin: str
    clock: Clock
    wake_outbox: asyncio.Event = field(default_factory=asyncio.Event)
    limit: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    def __post_init__(self) -> None:
        self.outbox.tell_operator = self.tell_operator

    @property
    def audience(self) -> Audience:
        return self.pipeline.judge.audience

    # --- turns ----------------------------------------------------------------------------------

    async def turn(self, source: Source) -> TurnReport:
        """Poll one source, judge what it brought, and let the outbox know."""
        async with self.limit:
            report = await self.pipeline.turn(source)
        return await self.after(report)

    async def listen(self, source: Source) -> TurnReport:
        """Follow a streaming source until it hangs up; each batch is judged as it comes."""
        return await self.pipeline.listen(source, kept=self.after)

    async def after(self, report: TurnReport) -> TurnReport:
        """Judge what waits, tell whoever must hear, and sign what is grave.

        Where the database or the disk is in the way nothing is lost by going on: mentions wait as
        rows, and the next turn judges them.
        """
        try:
            await self.judge()
            if report.failed:
                await self._tell_of_failure(report)
            elif report.recovered:
                await asyncio.to_thread(self._tell_of_recovery, report.source)
                self.wake_outbox.set()
        except (SQLAlchemyError, EvidenceError, OSError) as error:
            logger.bind(source=report.source, error=type(error).__name__).error("judge.failed")
        return report

    async def judge(self) -> tuple[Grade, ...]:
        """Judge what waits; a threat is under a signed checkpoint before its mail goes out."""
        grades = await self.pipeline.judge_waiting()
        if any(grade.severity is Severity.THREATENING for grade in grades):
            await asyncio.to_thread(self.checkpoint)
        if grades:
            self.wake_outbox.set()
        return grades

    async def _tell_of_failure(self, report: TurnReport) -> None:
        state = report.state
        if state is None or state.told:
            return
        limit = self.audience.config.alerts.source_failures_before_telling
        if state.stopped or state.failures >= limit:
            await asyncio.to_thread(self._say_broken, state)
            self.wake_outbox.set()

    def _say_broken(self, state: SourceState) -> None:
        event = OperatorEvent.SOURCE_STOPPED if state.stopped else OperatorEvent.SOURCE_BROKEN
        since = state.failing_since or self.clock.now()
        self.tell_operator(
            event,
            key=f"{state.name}:{since.isoformat()}",
            subject_of=state.name,
            detail=state.last_error,
            since=since,
        )
        self.store.sources.set_told(state.name, told=True)

    def _tell_of_recovery(self, name: str) -> None:
        at = self.clock.now()
        self.tell_operator(
            OperatorEvent.SOURCE_RECOVERED, key=f"{name}:{at.isoformat()}", subject_of=name
        )
        self.store.sources.set_told(name, told=False)

    def tell_of_channels(self, held_up: tuple[HeldUp, ...]) -> None:
        """Say once a day that a channel takes nothing: by another way, or when it works again."""
        for each in held_up:
            logger.bind(channel=each.channel, since=each.since.isoformat()).error("channel.broken")
            self.tell_operator(
                OperatorEvent.CHANNEL_BROKEN,
                key=f"{each.channel}:{self.clock.now().date().isoformat()}",
                subject_of=each.channel,
                detail=each.error,
                since=each.since,
            )

    # --- people ---------------------------------------------------------------------------------

    def tell_operator(
        self,
        event: OperatorEvent,
        *,
        key: str,
        subject_of: str = "",
        detail: str = "",
        since: datetime | None = None,
    ) -> bool:
        """Tell the administrator one fact about the service; once for each key."""
        administrator = self.audience.addressee(Role.ADMINISTRATOR, None)
        assert administrator is not None, "the config names an administrator"
        text = operator_text(event, subject_of=subject_of, detail=detail, since=since)
        return self._raise(
            f"operator:{event.value}:{key}", AlertKind.OPERATOR, text, administrator,
            Role.ADMINISTRATOR, Urgency.DAYTIME,
        )  # fmt: skip

    def test_alert(self, role: Role) -> bool:
        """Send an invented message, marked as such, to the person in that part."""
        addressee = self.audience.addressee(role, None)
        if addressee is None:
            return False
        key = f"test:{role.value}:{self.clock.now().isoformat()}"
        return self._raise(key, AlertKind.TEST, "", addressee, role, Urgency.NOW)

    def _raise(
        self,
        key: str,
        kind: AlertKind,
        text: str,
        addressee: Addressee,
        role: Role,
        urgency: Urgency,
        *,
        digest_for: str | None = None,
    ) -> bool:
        now = self.clock.now()
        due = now if kind is not AlertKind.OPERATOR else self.audience.due_at(urgency, now=now)
        hearing = Hearing(kind, addressee.person, role, urgency, due, about_headteacher=False)
        raised = self.store.judging.raise_alert(
            key=key,
            kind=kind,
            text=text,
            addressees=[(addressee, hearing)],
            at=now,
            digest_for=digest_for,
        )
        return raised is not None

    async def escalate(self) -> int:
        """Hand urgent alerts that nobody answered to the next person."""
        minutes = self.audience.config.alerts.escalate_after_minutes
        handed = await asyncio.to_thread(
            self.outbox.escalate_unanswered, after=timedelta(minutes=minutes)
        )
        if handed:
            self.wake_outbox.set()
        return handed

    def digest(self) -> int:
        """Raise today's digest for each headteacher; how many were raised.

        On a day without school nothing is sent but Monday's. Monday's comes even when there is
        nothing to list: a person who stops getting it knows that the watcher is dead. Asked again
        on the same day it does nothing.
        """
        now = self.clock.now()
        config = self.audience.config
        today = now.astimezone(config.zone).date()
        if not config.is_school_day(today) and today.weekday() != MONDAY:
            return 0
        kept = json.loads(self.store.remembered("digest") or "{}")
        if kept.get("day") == today.isoformat():
            return 0
        states = self.store.sources.states()
        fetched = sum(state.fetched for state in states)
        since = datetime.fromisoformat(kept["until"]) if kept else _beginning(states, now)
        read = max(0, fetched - kept.get("fetched", 0))
        raised = sum(
            self._raise_digest(addressee, schools, today, (since, now), read, states)
            for addressee, schools in self._digest_readers().values()
        )
        totals = {"day": today.isoformat(), "until": now.isoformat(), "fetched": fetched}
        self.store.remember("digest", json.dumps(totals))
        if raised:
            self.wake_outbox.set()
        return raised

    def _raise_digest(
        self,
        addressee: Addressee,
        schools: frozenset[str],
        today: date,
        span: tuple[datetime, datetime],
        read: int,
        states: tuple[SourceState, ...],
    ) -> bool:
        """One reader's digest, where there is something in it or it is Monday."""
        since, until = span
        matched, hidden = self._counted(schools, since, until)
        text = digest_text(
            since=since,
            until=until,
            posts_read=max(0, read - hidden),
            matched=matched,
            states=states,
        )
        blind = any(state.failures for state in states)
        lines = self.store.reading.digest_lines(addressee.person)
        if not lines and not blind and today.weekday() != MONDAY:
            return False
        return self._raise(
            f"digest:{addressee.person}:{today.isoformat()}",
            AlertKind.DIGEST,
            text,
            addressee,
            Role.HEADTEACHER,
            Urgency.DIGEST,
            digest_for=addressee.person,
        )

    def _counted(
        self, schools: frozenset[str], since: datetime, until: datetime
    ) -> tuple[int, int]:
        """Posts about these schools that a headteacher may count, and those that they may not."""
        shown, hidden = 0, 0
        for post in self.store.reading.counted_posts(since, until):
            accused = [target for target in post.accused if self.audience.about_headteacher(target)]
            if accused:
                hidden += 1
            elif any(self.audience.school_of(target) in schools for target in post.targets):
                shown += 1
        return shown, hidden

    def _digest_readers(self) -> dict[str, tuple[Addressee, frozenset[str]]]:
        """Each headteacher with the schools that are theirs."""
        found: dict[str, tuple[Addressee, frozenset[str]]] = {}
        for school in self.audience.config.schools:
            addressee = self.audience.addressee(Role.HEADTEACHER, school.id)
            if addressee is not None:
                _same, schools = found.get(addressee.person, (addressee, frozenset()))
                found[addressee.person] = addressee, schools | {school.id}
        return found

    # --- evidence -------------------------------------------------------------------------------

    def checkpoint(self) -> int | None:
        """Sign the log as it stands; its size, or None where that size is signed already."""
        size = self.store.log.checkpoint(self._sign, at=self.clock.now())
        if size is not None:
            logger.bind(size=size).info("checkpoint.signed")
        return size

    def _sign(self, size: int, root: bytes) -> str:
        return sign(Checkpoint(self.origin, size, root), self.key)

    async def look_again(self, stored: StoredMention) -> Observation:
        """Look whether a kept post still stands, and seal what was found."""
        ref, url = stored.mention.post.ref, stored.mention.post.url
        source = self.sources.get(stored.kept.source)
        observation = Observation(ref, Presence.COULD_NOT_LOOK, note="its source is not configured")
        if source is not None and isinstance(source.connector, Looker):
            try:
                observation = await source.connector.look_again(ref, url)
            except RemoteError as error:
                observation = Observation(ref, Presence.COULD_NOT_LOOK, note=str(error))
        await asyncio.to_thread(
            self.store.log.looked_again,
            stored.kept.entry_index,
            observation.presence,
            observation.note,
            self.clock.now(),
        )
        return observation


def _beginning(states: tuple[SourceState, ...], now: datetime) -> datetime:
    """Just before the first turn that brought something: what the first digest reaches back to."""
    looked = [state.first_success_at for state in states if state.first_success_at is not None]
    return min([*looked, now - timedelta(days=1)]) - timedelta(seconds=1)


Announce = Callable[[TurnReport], None]
"""Told of every finished turn: the progress of a command, the demo's screen."""
