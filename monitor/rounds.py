"""What the service does again and again: a turn and what follows from it, digests, checkpoints.

No schedule here and no signals: `monitor.scheduler` says when, `monitor.daemon` for how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from monitor.briefing import operator_text
from monitor.cases.views import OperatorEvent
from monitor.clock import Clock
from monitor.contract import Looker
from monitor.digest import Digests
from monitor.errors import EvidenceError, RemoteError
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.note import SigningKey
from monitor.model import AlertKind, Grade, Observation, Presence, Role, Severity, Urgency
from monitor.opinion import SecondReader
from monitor.outbox import Outbox
from monitor.people.audience import Audience
from monitor.picturing import Picturing
from monitor.pipeline import Pipeline, Source, TurnReport
from monitor.retention import Retention
from monitor.stamping import Stamper
from monitor.storage.records import Addressee, Hearing, HeldUp, SourceState, StoredMention
from monitor.storage.store import Store
from monitor.witnessing import Witnesses


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
    stamper: Stamper | None = None
    reader: SecondReader | None = None
    picturing: Picturing | None = None
    wake_outbox: asyncio.Event = field(default_factory=asyncio.Event)
    wake_stamps: asyncio.Event = field(default_factory=asyncio.Event)
    wake_reader: asyncio.Event = field(default_factory=asyncio.Event)
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
                await asyncio.to_thread(self._tell_of_recovery, report.recovered)
                self.wake_outbox.set()
        except (SQLAlchemyError, EvidenceError, OSError) as error:
            logger.bind(source=report.source, error=type(error).__name__).error("judge.failed")
        return report

    async def judge(self) -> tuple[Grade, ...]:
        """Judge what waits; a threat is under a signed checkpoint before its mail goes out."""
        grades = await self.pipeline.judge_waiting()
        await self._after_grades(grades)
        if any(grade.unsure for grade in grades):
            self.wake_reader.set()
        return grades

    async def reread(self) -> tuple[Grade, ...]:
        """Ask for the second opinions that wait, where one is configured; what they changed."""
        grades = await self.reader.round() if self.reader else ()
        await self._after_grades(grades)
        return grades

    async def picture(self) -> int:
        """Have the pages pictured that are due, where that is switched on; how many pictures."""
        return await self.picturing.round() if self.picturing else 0

    async def _after_grades(self, grades: tuple[Grade, ...]) -> None:
        if any(grade.severity is Severity.THREATENING for grade in grades):
            await asyncio.to_thread(self.checkpoint)
            self.wake_stamps.set()
        if grades:
            self.wake_outbox.set()

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

    def _tell_of_recovery(self, before: SourceState) -> None:
        at = self.clock.now()
        self._digests.remember_gap(before, until=at)
        self.tell_operator(
            OperatorEvent.SOURCE_RECOVERED,
            key=f"{before.name}:{at.isoformat()}",
            subject_of=before.name,
        )
        self.store.sources.set_told(before.name, told=False)

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
        """Raise today's digest for each headteacher, once a day; how many were raised."""
        raised = self._digests.raise_today()
        if raised:
            self.wake_outbox.set()
        return raised

    def missed_digest(self) -> int:
        """Raise today's digest where its time went by while the service was down."""
        return self.digest() if self._digests.was_missed() else 0

    @property
    def _digests(self) -> Digests:
        return Digests(self.store, self.audience, self.clock)

    # --- evidence -------------------------------------------------------------------------------

    def checkpoint(self) -> int | None:
        """Sign the log as it stands; its size, or None where that size is signed already."""
        size = self.store.log.checkpoint(self._sign, at=self.clock.now())
        if size is not None:
            logger.bind(size=size).info("checkpoint.signed")
        return size

    def tell_witnesses(self, *, only_events: bool = False) -> int:
        """Send this week's checkpoint to each witness who has not had it; how many mails.

        With `only_events` only those are told who do not know yet what befell the log.
        """
        told = 0
        if self.audience.config.evidence.witnesses:
            self.checkpoint()
            witnesses = Witnesses(self.store, self.audience, self.clock)
            told = witnesses.tell(self.key.verifier, only_events=only_events)
        if told:
            self.wake_outbox.set()
        return told

    async def stamp(self) -> int:
        """Have checkpoints time-stamped by authorities outside; how many stamps came.

        What an authority does wrong waits and is tried again; nothing here holds up a mail.
        """
        return await self.stamper.round() if self.stamper else 0

    def _sign(self, size: int, root: bytes) -> str:
        return sign(Checkpoint(self.origin, size, root), self.key)

    def settle(self) -> bool:
        """Complete erasures that a crash cut short."""
        return self.store.erasing.settle(self.pipeline.vault)

    def retain(self) -> int:
        """Erase neutral mentions whose time is over; how many. Cases wait for a person."""
        if not self.settle():
            logger.info("erasure.unsettled")  # a reader holds old pages; tomorrow again
        retention = Retention(self.store, self.audience.config, self.pipeline.vault)
        return retention.apply(by="program", at=self.clock.now())

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


Announce = Callable[[TurnReport], None]
"""Told of every finished turn: the progress of a command, the demo's screen."""
