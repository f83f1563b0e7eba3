"""The outbox survives anything: what is due, what was cut off, who is told next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from monitor.errors import MoveError
from monitor.evidence.vault import Vault
from monitor.model import AlertState, DeliveryState, Message, Role, Urgency
from monitor.storage.convert import dump_message
from monitor.storage.records import StoredDelivery
from monitor.storage.store import Store

Make = Any
Alert = Callable[..., tuple[StoredDelivery, ...]]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alert(store: Store, make: Make, vault: Vault) -> Alert:
    """Raise an alert about a new post; its deliveries."""
    count = 0

    def raise_one(*hearings: Any) -> tuple[StoredDelivery, ...]:
        nonlocal count
        count += 1
        capture = make.capture(make.post(f"alert-{count}"), vault=vault)
        (number,) = store.sources.accept(make.turn(), [capture]).fresh
        store.judging.judge(make.judgement(number, *hearings), at=make.now)
        return store.outbox.deliveries(store.outbox.alerts(limit=1)[0].id)

    return raise_one


def begin(store: Store, delivery: StoredDelivery, at: datetime) -> StoredDelivery:
    message = delivery.message or Message(
        delivery.message_id,
        delivery.recipient,
        delivery.recipient_name,
        "Threat",
        f"words made at {at.isoformat()} 🔪",
        "<p>words</p>",
        urgent=True,
        created_at=at,
    )
    digest = hashlib.sha256(dump_message(message).encode()).hexdigest()
    return store.outbox.begin(delivery, message, digest=digest, at=at)


def settle(
    store: Store, delivery: StoredDelivery, state: DeliveryState, at: datetime
) -> StoredDelivery:
    later = at + MINUTE if state is DeliveryState.LATER else None
    return store.outbox.settle(delivery.id, state, said=f"it said {state}", at=at, due_at=later)


def ids(deliveries: tuple[StoredDelivery, ...]) -> list[int]:
    return [each.id for each in deliveries]


def test_the_most_urgent_goes_first_even_when_others_have_waited_longer(
    store: Store, make: Make, alert: Alert
) -> None:
    by_day = make.hearing(urgency=Urgency.DAYTIME, due_at=make.now - HOUR)
    (slow,) = alert(by_day)
    (fast,) = alert(make.hearing())
    assert ids(store.outbox.due(now=make.now)) == [fast.id, slow.id]
    assert ids(store.outbox.due(now=make.now, limit=1)) == [fast.id]


def test_what_waits_for_the_morning_is_not_due_at_night(
    store: Store, make: Make, alert: Alert
) -> None:
    morning = make.now + timedelta(hours=11)
    (waiting,) = alert(make.hearing(urgency=Urgency.DAYTIME, due_at=morning))
    assert store.outbox.due(now=make.now) == ()
    assert store.outbox.next_due() == morning
    assert ids(store.outbox.due(now=morning)) == [waiting.id]


def test_a_clock_set_back_freezes_no_delivery(store: Store, make: Make, alert: Alert) -> None:
    morning = make.hearing(urgency=Urgency.DAYTIME, due_at=make.now + timedelta(hours=11))
    (urgent,), (by_day,) = alert(make.hearing()), alert(morning)
    (retried,) = alert(make.hearing(urgency=Urgency.DAYTIME))
    settle(store, begin(store, retried, make.now), DeliveryState.LATER, make.now)
    a_little, a_lot = make.now - timedelta(hours=3), make.now - timedelta(days=400)
    assert ids(store.outbox.due(now=a_little)) == [urgent.id, retried.id]
    assert sorted(ids(store.outbox.due(now=a_lot))) == sorted([urgent.id, by_day.id, retried.id])


def test_after_a_crash_the_same_message_is_offered_again_to_the_letter(
    database_url: str, store: Store, make: Make, vault: Vault, alert: Alert
) -> None:
    (delivery,) = alert(make.hearing())
    sending = begin(store, delivery, make.now)
    assert store.outbox.due(now=make.now + DAY) == ()
    with closing(Store(database_url, mail_domain="school.example")) as restarted:
        assert restarted.outbox.recover(at=make.now + MINUTE) == 1
        (again,) = restarted.outbox.due(now=make.now + MINUTE)
        repeated = begin(restarted, again, make.now + 2 * MINUTE)
    assert repeated.message == sending.message
    assert repeated.message_id == sending.message_id
    assert repeated.attempts == 2
    settle(store, repeated, DeliveryState.TAKEN, make.now + HOUR)
    make.verified(store, vault)


def test_while_the_service_runs_only_what_was_cut_off_is_offered_again(
    store: Store, make: Make, alert: Alert
) -> None:
    (delivery,) = alert(make.hearing())
    begin(store, delivery, make.now)
    assert store.outbox.recover(at=make.now + MINUTE, cut_off_only=True) == 0
    assert store.outbox.recover(at=make.now + HOUR, cut_off_only=True) == 1


def test_a_cut_off_delivery_is_found_after_the_clock_went_back(
    store: Store, make: Make, alert: Alert
) -> None:
    (delivery,) = alert(make.hearing())
    begin(store, delivery, make.now)
    assert store.outbox.recover(at=make.now - DAY, cut_off_only=True) == 1


def test_nothing_is_sent_by_two_at_once(store: Store, make: Make, alert: Alert) -> None:
    (delivery,) = alert(make.hearing())
    begin(store, delivery, make.now)
    with pytest.raises(MoveError):
        begin(store, delivery, make.now)


@pytest.mark.parametrize(
    "state", [DeliveryState.TAKEN, DeliveryState.BOUNCED, DeliveryState.GIVEN_UP]
)
def test_what_has_ended_is_never_sent_again(
    store: Store, make: Make, vault: Vault, alert: Alert, state: DeliveryState
) -> None:
    (delivery,) = alert(make.hearing())
    ended = settle(store, begin(store, delivery, make.now), state, make.now)
    assert ended.finished_at == make.now
    assert store.outbox.due(now=make.now + DAY) == ()
    with pytest.raises(MoveError):
        begin(store, ended, make.now + DAY)
    make.verified(store, vault)


# --- the next in line ---------------------------------------------------------------------------


def unanswered(store: Store, now: datetime) -> list[str]:
    found = store.escalation.unanswered(before=now - 30 * MINUTE, now=now)
    return [each.person for each in found]


def test_an_urgent_alert_is_unanswered_half_an_hour_after_it_was_made_taken_or_not(
    store: Store, make: Make, alert: Alert
) -> None:
    (delivery,) = alert(make.hearing())
    alert(make.hearing(urgency=Urgency.DAYTIME))
    assert unanswered(store, make.now + 20 * MINUTE) == []
    # Each try moves the time of the next one, but not the time since which nobody answered.
    settle(
        store,
        begin(store, delivery, make.now + 25 * MINUTE),
        DeliveryState.LATER,
        make.now + 25 * MINUTE,
    )
    assert unanswered(store, make.now + 31 * MINUTE) == ["holt"]


def test_an_alert_made_before_the_clock_went_back_is_not_forgotten(
    store: Store, make: Make, alert: Alert
) -> None:
    alert(make.hearing())
    assert unanswered(store, make.now - DAY) == ["holt"]


def test_an_answered_alert_rings_no_more(store: Store, make: Make, alert: Alert) -> None:
    (delivery,) = alert(make.hearing())
    store.escalation.acknowledge(delivery.alert_id, by="holt", how="reply", at=make.now)
    assert unanswered(store, make.now + HOUR) == []
    with pytest.raises(MoveError):
        store.escalation.acknowledge(delivery.alert_id, by="osei", how="reply", at=make.now)


def test_the_ladder_is_climbed_a_step_at_a_time_and_then_the_alert_is_exhausted(
    store: Store, make: Make, vault: Vault, alert: Alert
) -> None:
    (first,) = alert(make.hearing())
    ladder = [(make.deputy, Role.DEPUTY), (make.second, Role.SECOND_PERSON)]
    assert store.escalation.escalate(first, ladder, at=make.now + HOUR) == 1
    told = store.outbox.deliveries(first.alert_id)
    assert [(each.person, each.step) for each in told] == [("holt", 0), ("ferris", 1)]
    assert len(store.reading.heard(first.alert_id, "ferris")) == 1
    assert store.escalation.escalate(told[1], ladder[1:], at=make.now + 2 * HOUR) == 1
    third = store.outbox.deliveries(first.alert_id)[2]
    assert store.escalation.escalate(third, [], at=make.now + 3 * HOUR) == 0
    assert store.outbox.alert(first.alert_id).state is AlertState.EXHAUSTED
    make.verified(store, vault)


def test_two_who_were_told_together_do_not_exhaust_it_while_a_third_may_answer(
    store: Store, make: Make, alert: Alert
) -> None:
    head, second = alert(
        make.hearing(about_headteacher=True),
        make.hearing(who="osei", role=Role.SECOND_PERSON, about_headteacher=True),
    )
    ladder = [(make.deputy, Role.DEPUTY), (make.second, Role.SECOND_PERSON)]
    assert store.escalation.escalate(head, ladder, at=make.now + HOUR) == 1
    back = [(make.head, Role.HEADTEACHER)]
    assert store.escalation.escalate(second, back, at=make.now + HOUR) == 0
    assert store.outbox.alert(head.alert_id).state is AlertState.OPEN
    deputy = store.outbox.deliveries(head.alert_id)[-1]
    assert store.escalation.escalate(deputy, [], at=make.now + 2 * HOUR) == 0
    assert store.outbox.alert(head.alert_id).state is AlertState.EXHAUSTED


def test_what_is_exhausted_is_told_again_once_a_day_until_somebody_answers(
    store: Store, make: Make, vault: Vault, alert: Alert
) -> None:
    (first,) = alert(make.hearing())
    store.escalation.escalate(first, [], at=make.now)
    assert store.escalation.exhausted(before=make.now) == ()
    tomorrow = make.now + DAY + MINUTE
    (again,) = store.escalation.exhausted(before=tomorrow - DAY)
    assert again.person == "holt"
    told = store.escalation.tell_again(first.alert_id, [(make.head, make.hearing())], at=tomorrow)
    assert told == 1
    assert store.escalation.exhausted(before=tomorrow - DAY) == ()
    assert len(store.escalation.exhausted(before=tomorrow + MINUTE)) == 1
    store.escalation.acknowledge(first.alert_id, by="holt", how="reply", at=tomorrow)
    assert store.escalation.exhausted(before=tomorrow + MINUTE) == ()
    assert (
        store.escalation.tell_again(first.alert_id, [(make.head, make.hearing())], at=tomorrow) == 0
    )
    make.verified(store, vault)
