"""Sends what is due, waits and tries again, hands on what cannot reach its person, and says so."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from loguru import logger

from monitor.backoff import next_delay
from monitor.briefing import Briefing
from monitor.cases.procedure import next_roles
from monitor.cases.views import OperatorEvent
from monitor.clock import Clock
from monitor.contract import Alerter
from monitor.errors import (
    AuthError,
    MoveError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    fault,
)
from monitor.model import (
    AlertKind,
    AlertState,
    DeliveryState,
    Role,
    TargetKind,
    Urgency,
)
from monitor.people.audience import Audience
from monitor.storage.convert import dump_message
from monitor.storage.outbox import LONGEST_WAIT
from monitor.storage.records import Addressee, Hearing, StoredAlert, StoredDelivery
from monitor.storage.store import Store
from monitor.text import clean

RETRY_BASE = timedelta(seconds=30)
RETRY_CAP = timedelta(minutes=30)
RETRY_CAP_URGENT = timedelta(minutes=3)
GIVE_UP_AFTER = timedelta(days=5)
"""RFC 5321 section 4.5.4.1: give up after four to five days."""
TRIED_ENOUGH = 100
"""Five days of tries; fewer mean that the clock jumped or the machine slept, not that time went."""
TOLD_AGAIN_AFTER = timedelta(days=1)
"""An alert that everybody has heard and nobody has answered is told once a day."""
LONGEST_SAID = 500

_NOBODY_ANSWERS = {AlertKind.OPERATOR, AlertKind.DIGEST, AlertKind.TEST, AlertKind.WITNESS}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt."""

    delivery: StoredDelivery
    error: str = ""


class TellOperator(Protocol):
    """Tells the administrator one fact about the service, once for each key."""

    def __call__(
        self, event: OperatorEvent, *, key: str, subject_of: str = "", detail: str = ""
    ) -> bool: ...


def _tell_nobody(event: OperatorEvent, *, key: str, subject_of: str = "", detail: str = "") -> bool:
    logger.bind(event=event.value, key=key, subject_of=subject_of, detail=detail).warning(
        "operator.untold"
    )
    return False


@dataclass(slots=True)
class Outbox:
    """Carries deliveries to their channels; a row says "sending" before anything is sent."""

    store: Store
    channels: Mapping[str, Alerter]
    briefing: Briefing
    audience: Audience
    clock: Clock
    jitter: Callable[[], float] = random.random
    tell_operator: TellOperator = _tell_nobody

    async def send_due(self) -> tuple[Sent, ...]:
        """Try everything that is due once, the most urgent first."""
        now = self.clock.now()
        await asyncio.to_thread(self.store.outbox.recover, at=now, cut_off_only=True)
        outcomes: list[Sent] = []
        tried: set[int] = set()
        while due := await asyncio.to_thread(self._due, tried):
            for delivery in due:
                tried.add(delivery.id)
                sent = await self._attempt(delivery)
                outcomes += [sent] if sent else []
        return tuple(outcomes)

    def _due(self, tried: set[int]) -> list[StoredDelivery]:
        """What is due and was not tried in this round: nothing may make a round endless."""
        due = self.store.outbox.due(now=self.clock.now(), limit=50 + len(tried))
        return [delivery for delivery in due if delivery.id not in tried]

    async def _attempt(self, delivery: StoredDelivery) -> Sent | None:
        try:
            sending = await asyncio.to_thread(self._begin, delivery)
        except MoveError:
            return None  # another process has it in hand
        state, said, wait = await self._send(sending)
        settled = await asyncio.to_thread(self._settle, sending, state, said, wait)
        logger.bind(delivery=delivery.id, channel=delivery.channel, outcome=state.value).info(
            "delivery.settled"
        )
        if state in {DeliveryState.BOUNCED, DeliveryState.GIVEN_UP}:
            await asyncio.to_thread(self._tell_of_failure, settled)
            await asyncio.to_thread(self.hand_on, settled)
        return Sent(settled, "" if state is DeliveryState.TAKEN else said)

    def _begin(self, delivery: StoredDelivery) -> StoredDelivery:
        message = self.briefing.message(delivery)
        digest = hashlib.sha256(dump_message(message).encode()).hexdigest()
        return self.store.outbox.begin(delivery, message, digest=digest, at=self.clock.now())

    async def _send(self, sending: StoredDelivery) -> tuple[DeliveryState, str, timedelta]:
        alerter = self.channels.get(sending.channel)
        assert sending.message is not None
        if alerter is None:
            said = f"there is no channel called {sending.channel}"
            await asyncio.to_thread(self._tell_of_channel, sending, said)
            return self._later(sending, said, None)
        try:
            receipt = await alerter.send(sending.message)
        except RefusedError as error:
            return DeliveryState.BOUNCED, str(error), timedelta()
        except RemoteError as error:
            if isinstance(error, AuthError):
                await asyncio.to_thread(self._tell_of_channel, sending, str(error))
            after = error.retry_after if isinstance(error, RateLimitedError) else None
            return self._later(sending, str(error), after)
        except Exception as error:  # noqa: BLE001 - one bug in a channel must not stop the outbox
            kind = type(error).__name__
            logger.bind(delivery=sending.id, channel=sending.channel, error=kind).exception(
                "delivery.crashed"
            )
            return self._later(sending, fault(error), None)
        return DeliveryState.TAKEN, receipt.said, timedelta()

    def _later(
        self, sending: StoredDelivery, said: str, after: timedelta | None
    ) -> tuple[DeliveryState, str, timedelta]:
        age = self.clock.now() - sending.created_at
        if age > GIVE_UP_AFTER and sending.attempts >= TRIED_ENOUGH:
            return DeliveryState.GIVEN_UP, said, timedelta()
        cap = RETRY_CAP_URGENT if sending.urgency is Urgency.NOW else RETRY_CAP
        wait = next_delay(sending.attempts, base=RETRY_BASE, cap=cap, random=self.jitter)
        return DeliveryState.LATER, said, min(max(wait, after or timedelta()), LONGEST_WAIT)

    def _settle(
        self, sending: StoredDelivery, state: DeliveryState, said: str, wait: timedelta
    ) -> StoredDelivery:
        at = self.clock.now()
        return self.store.outbox.settle(
            sending.id,
            state,
            said=clean(said, LONGEST_SAID),
            at=at,
            due_at=at + wait if state is DeliveryState.LATER else None,
        )

    # --- those who look after the service -------------------------------------------------------

    def _tell_of_channel(self, sending: StoredDelivery, said: str) -> None:
        """Once a day for each channel: it waits in the same outbox, but the log has it."""
        self.tell_operator(
            OperatorEvent.CHANNEL_BROKEN,
            key=f"{sending.channel}:{self.clock.now().date().isoformat()}",
            subject_of=sending.channel,
            detail=clean(said, LONGEST_SAID),
        )

    def _tell_of_failure(self, failed: StoredDelivery) -> None:
        """Say whose address needs mending; never of which alert, which may be an allegation."""
        alert = self.store.outbox.alert(failed.alert_id)
        if alert.kind is AlertKind.OPERATOR:
            return
        self.tell_operator(
            OperatorEvent.DELIVERY_FAILED,
            key=f"{failed.person}:{self.clock.now().date().isoformat()}",
            subject_of=failed.recipient_name,
        )

    # --- the next in line -----------------------------------------------------------------------

    def escalate_unanswered(self, *, after: timedelta) -> int:
        """Let the next person hear of urgent alerts that nobody answered within `after`.

        What everybody has heard and nobody answered is told again, once a day.
        """
        if after <= timedelta():
            return 0
        now = self.clock.now()
        unanswered = self.store.escalation.unanswered(before=now - after, now=now)
        handed = sum(self.hand_on(delivery) for delivery in unanswered)
        return handed + self._tell_again(now)

    def _tell_again(self, now: datetime) -> int:
        by_alert: dict[int, list[tuple[Addressee, Hearing]]] = {}
        everybody = self.audience.everybody()
        for delivery in self.store.escalation.exhausted(before=now - TOLD_AGAIN_AFTER):
            known = Addressee(
                delivery.person, delivery.recipient_name, delivery.recipient, (delivery.channel,)
            )
            alert = self.store.outbox.alert(delivery.alert_id)
            due = self.audience.due_at(delivery.urgency, now=now)
            hearing = Hearing(
                alert.kind,
                delivery.person,
                delivery.role,
                delivery.urgency,
                due,
                about_headteacher=False,
            )
            addressee = everybody.get(delivery.person, known)
            by_alert.setdefault(alert.id, []).append((addressee, hearing))
        return sum(
            self.store.escalation.tell_again(alert_id, to, at=now)
            for alert_id, to in by_alert.items()
        )

    def hand_on(self, delivery: StoredDelivery) -> int:
        """Tell the next in line what one person could not be told; how many messages that is."""
        alert = self.store.outbox.alert(delivery.alert_id)
        if alert.kind in _NOBODY_ANSWERS:
            return 0
        to = self._next_people(alert, delivery)
        handed = self.store.escalation.escalate(delivery, to, at=self.clock.now())
        if not handed and alert.kind is not AlertKind.ALLEGATION:
            self._tell_if_exhausted(alert.id)
        return handed

    def _tell_if_exhausted(self, alert_id: int) -> None:
        if self.store.outbox.alert(alert_id).state is AlertState.EXHAUSTED:
            self.tell_operator(
                OperatorEvent.ALERT_UNANSWERED, key=str(alert_id), subject_of=f"alert {alert_id}"
            )

    def _next_people(
        self, alert: StoredAlert, delivery: StoredDelivery
    ) -> list[tuple[Addressee, Role]]:
        heard = self.store.reading.heard(delivery.alert_id, delivery.person)
        targets = [each.stored.mention.target for each in heard]
        school = self.audience.school_of(targets[0]) if targets else None
        about_head = self.store.escalation.about_headteacher(delivery)
        accused = {target.id for target in targets if target.kind is TargetKind.PERSON}
        found = []
        for role in next_roles(alert.kind, delivery.role, about_headteacher=about_head):
            addressee = self.audience.addressee(role, school)
            if addressee is None:
                continue
            is_accused = self.audience.staff_id(addressee.person) in accused
            # Nobody is told of an allegation about themselves.
            if alert.kind is not AlertKind.ALLEGATION or not is_accused:
                found.append((addressee, role))
        return found

    def next_due(self) -> datetime | None:
        """When the outbox next has something to do."""
        return self.store.outbox.next_due()
