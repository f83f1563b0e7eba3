"""Messages get through or to somebody else: waiting, giving up, the next in line, once a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from monitor.briefing import Briefing
from monitor.cases.views import OperatorEvent
from monitor.errors import (
    AuthError,
    MalformedError,
    MoveError,
    RateLimitedError,
    RefusedError,
    TransientError,
)
from monitor.evidence.vault import Vault
from monitor.model import AlertKind, AlertState, DeliveryState, Flag, Grade, Role, Severity, Urgency
from monitor.outbox import Outbox
from monitor.people.audience import Audience
from monitor.storage.store import Store
from monitor.testing import FakeClock, RecordingAlerter

Make = Any
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def house(sqlite_store: Store, vault: Vault, make: Make) -> SimpleNamespace:
    clock = FakeClock(make.now)
    alerter = RecordingAlerter(clock)
    audience = Audience(make.config())
    operator: list[tuple[OperatorEvent, str]] = []

    def tell(event: OperatorEvent, *, key: str, subject_of: str = "", detail: str = "") -> bool:
        operator.append((event, subject_of))
        return True

    outbox = Outbox(
        store=sqlite_store,
        channels={"mail": alerter},
        briefing=Briefing(sqlite_store, audience, clock),
        audience=audience,
        clock=clock,
        jitter=lambda: 1.0,
        tell_operator=tell,
    )
    count = [0]

    def alert(*hearings: Any, target: str = "desmond-lowe", **judged: Any) -> int:
        count[0] += 1
        capture = make.capture(make.post(count[0]), make.person(target), vault=vault)
        (number,) = sqlite_store.sources.accept(make.turn(at=clock.now()), [capture]).fresh
        sqlite_store.judging.judge(make.judgement(number, *hearings, **judged), at=clock.now())
        return sqlite_store.outbox.alerts(limit=1)[0].id

    return SimpleNamespace(
        outbox=outbox,
        store=sqlite_store,
        alerter=alerter,
        clock=clock,
        alert=alert,
        operator=operator,
        make=make,
        vault=vault,
    )


def told(house: SimpleNamespace) -> list[str]:
    return [message.recipient.partition("@")[0] for message in house.alerter.sent]


async def test_what_is_due_is_sent_once_and_sealed(house: SimpleNamespace) -> None:
    number = house.alert()
    (sent,) = await house.outbox.send_due()
    assert sent.delivery.state is DeliveryState.TAKEN
    assert await house.outbox.send_due() == ()
    assert told(house) == ["head"]
    assert house.store.outbox.alert(number).state is AlertState.OPEN
    house.make.verified(house.store, house.vault)


@pytest.mark.parametrize(
    "error",
    [
        TransientError("greylisted"),
        MalformedError("half an answer"),
        AuthError("535 password refused"),
        KeyError("a bug in the channel"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_fails_is_tried_again_with_the_same_message(
    house: SimpleNamespace, error: Exception
) -> None:
    house.alert()
    house.alerter.failures.append(error)
    (sent,) = await house.outbox.send_due()
    assert sent.delivery.state is DeliveryState.LATER
    assert sent.delivery.due_at == house.clock.now() + timedelta(seconds=30)
    house.clock.advance(MINUTE)
    (again,) = await house.outbox.send_due()
    assert again.delivery.message == sent.delivery.message
    assert again.delivery.state is DeliveryState.TAKEN
    house.make.verified(house.store, house.vault)


async def test_a_fault_in_one_delivery_does_not_stop_the_next(house: SimpleNamespace) -> None:
    house.alert()
    house.alert()
    house.alerter.failures.append(ZeroDivisionError("a bug"))
    outcomes = [sent.delivery.state for sent in await house.outbox.send_due()]
    assert outcomes == [DeliveryState.LATER, DeliveryState.TAKEN]


async def test_what_a_server_says_is_fit_to_be_kept(house: SimpleNamespace) -> None:
    house.alert()
    house.alerter.failures.append(RefusedError("550 \x00\udcff no such user " + "x" * 9_000))
    sent = (await house.outbox.send_due())[0]
    assert "\x00" not in sent.delivery.last_error
    assert len(sent.delivery.last_error) <= 500
    house.make.verified(house.store, house.vault)


async def test_an_urgent_message_is_tried_at_least_every_three_minutes_for_five_days(
    house: SimpleNamespace,
) -> None:
    house.alert()
    house.alerter.failures.extend([TransientError("absent")] * 10_000)
    begun, tries = house.clock.now(), 0
    while True:
        outcomes = [s for s in await house.outbox.send_due() if s.delivery.person == "holt"]
        tries += 1
        if outcomes[0].delivery.state is DeliveryState.GIVEN_UP:
            break
        wait = outcomes[0].delivery.due_at - house.clock.now()
        assert wait <= 3 * MINUTE
        # Sleep as long as is asked for, but in longer and longer stretches: hundreds will do.
        house.clock.advance(max(wait, timedelta(minutes=60)))
    assert house.clock.now() - begun > timedelta(days=5)
    assert tries > 100
    # Nobody can be reached by it now, so the next person is tried.
    assert [each.person for each in house.store.outbox.deliveries(1)] == ["holt", "ferris"]


async def test_a_clock_that_jumps_ahead_gives_nothing_up(house: SimpleNamespace) -> None:
    house.alert()
    house.alerter.failures.extend([TransientError("absent")] * 2)
    await house.outbox.send_due()
    house.clock.step_wall(timedelta(days=4_000))
    (sent,) = await house.outbox.send_due()
    assert sent.delivery.state is DeliveryState.LATER


async def test_a_clock_set_back_delays_no_threat(house: SimpleNamespace) -> None:
    house.alert()
    house.clock.step_wall(-DAY)
    assert len(await house.outbox.send_due()) == 1


async def test_a_server_that_asks_for_patience_gets_some_but_not_for_ever(
    house: SimpleNamespace,
) -> None:
    for asked, given in ((10 * MINUTE, 10 * MINUTE), (DAY, 2 * HOUR)):
        house.alert()
        house.alerter.failures.append(RateLimitedError("slowly", asked))
        (sent,) = await house.outbox.send_due()
        assert sent.delivery.due_at == house.clock.now() + given


async def test_a_refused_address_hands_the_alert_to_the_next_person(
    house: SimpleNamespace,
) -> None:
    house.alert()
    house.alerter.failures.append(RefusedError("550 no such user"))
    first, second = await house.outbox.send_due()
    assert first.delivery.state is DeliveryState.BOUNCED
    assert (second.delivery.person, second.delivery.role) == ("ferris", Role.DEPUTY)
    assert house.operator == [(OperatorEvent.DELIVERY_FAILED, "Marian Holt")]
    house.make.verified(house.store, house.vault)


async def test_silence_leads_up_the_whole_ladder_then_to_a_daily_reminder(
    house: SimpleNamespace,
) -> None:
    number = house.alert()
    await house.outbox.send_due()
    for _ in range(3):
        house.clock.advance(HALF_AN_HOUR + MINUTE)
        house.outbox.escalate_unanswered(after=HALF_AN_HOUR)
        await house.outbox.send_due()
    assert told(house) == ["head", "deputy", "chair"]
    assert house.store.outbox.alert(number).state is AlertState.EXHAUSTED
    assert house.operator == [(OperatorEvent.ALERT_UNANSWERED, f"alert {number}")]
    for _day in range(2):
        house.clock.advance(DAY + MINUTE)
        assert house.outbox.escalate_unanswered(after=HALF_AN_HOUR) == 1
        assert house.outbox.escalate_unanswered(after=HALF_AN_HOUR) == 0
        await house.outbox.send_due()
    assert told(house)[3:] == ["head", "head"]
    house.store.escalation.acknowledge(number, by="holt", how="reply", at=house.clock.now())
    house.clock.advance(2 * DAY)
    assert house.outbox.escalate_unanswered(after=HALF_AN_HOUR) == 0


async def test_an_allegation_about_the_headteacher_is_never_handed_to_anybody_else(
    house: SimpleNamespace,
) -> None:
    hidden = house.make.hearing(
        AlertKind.ALLEGATION, "osei", Role.SECOND_PERSON, about_headteacher=True
    )
    accusing = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}))
    number = house.alert(hidden, target="marian-holt", grade=accusing, restricted=True)
    house.alerter.failures.append(RefusedError("550 no such user"))
    await house.outbox.send_due()
    house.clock.advance(DAY)
    house.outbox.escalate_unanswered(after=HALF_AN_HOUR)
    await house.outbox.send_due()
    house.clock.advance(DAY)
    house.outbox.escalate_unanswered(after=HALF_AN_HOUR)
    assert {each.person for each in house.store.outbox.deliveries(number)} == {"osei"}
    # Whose address is bad is told, of which alert it was is not.
    assert {event for event, _subject in house.operator} == {OperatorEvent.DELIVERY_FAILED}


async def test_an_allegation_shows_nothing_of_the_post(house: SimpleNamespace) -> None:
    hidden = house.make.hearing(AlertKind.ALLEGATION)
    accusing = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}))
    house.alert(hidden, grade=accusing, restricted=True)
    await house.outbox.send_due()
    (message,) = house.alerter.sent
    for words in (message.subject, message.text, message.html):
        assert "Lowe" not in words
        assert "late again" not in words
        assert "forum.school.example" not in words


async def test_the_accused_is_not_told_of_an_allegation_about_themselves(
    house: SimpleNamespace,
) -> None:
    # The second person is a governor on the roster, and the one who is accused.
    people = [dict(each) for each in house.make.people]
    people[1]["staff"] = "desmond-lowe"
    house.outbox.audience = Audience(house.make.config(people=people))
    accusing = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}))
    number = house.alert(house.make.hearing(AlertKind.ALLEGATION), grade=accusing, restricted=True)
    house.alerter.failures.append(RefusedError("550 no such user"))
    await house.outbox.send_due()
    assert [each.person for each in house.store.outbox.deliveries(number)] == ["holt"]


async def test_a_message_that_cannot_be_worded_is_sent_in_plain_words(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise LookupError("a fault in the wording")

    monkeypatch.setattr(Briefing, "_view", fails)
    number = house.alert()
    await house.outbox.send_due()
    (message,) = house.alerter.sent
    assert f"staff-mentions alert show {number}" in message.text
    assert message.urgent


async def test_a_channel_that_is_gone_keeps_its_messages_and_says_so(
    house: SimpleNamespace,
) -> None:
    house.outbox.channels = {}
    house.alert()
    (sent,) = await house.outbox.send_due()
    assert sent.delivery.state is DeliveryState.LATER
    assert house.operator == [(OperatorEvent.CHANNEL_BROKEN, "mail")]
    house.outbox.channels = {"mail": house.alerter}
    house.clock.advance(MINUTE)
    await house.outbox.send_due()
    assert told(house) == ["head"]


async def test_a_delivery_that_another_process_took_is_left_to_it(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_given: object, **_named: object) -> None:
        raise MoveError("sending may not become sending")

    house.alert()
    monkeypatch.setattr(house.store.outbox, "begin", taken)
    assert await house.outbox.send_due() == ()
    assert house.alerter.sent == []


async def test_an_outcome_that_could_not_be_kept_ends_in_the_same_message_again(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest: Callable[..., Any] = house.store.outbox.settle

    def locked(*_given: object, **_named: object) -> None:
        raise OperationalError("update", {}, Exception("database is locked"))

    house.alert()
    with monkeypatch.context() as patched:
        patched.setattr(house.store.outbox, "settle", locked)
        with pytest.raises(OperationalError):
            await house.outbox.send_due()
    assert honest is not locked
    assert await house.outbox.send_due() == ()
    house.clock.advance(HOUR)
    await house.outbox.send_due()
    first, second = house.alerter.sent
    assert first == second


async def test_digests_and_tests_bounce_without_waking_anybody_else(
    house: SimpleNamespace,
) -> None:
    hearing = house.make.hearing(AlertKind.TEST, urgency=Urgency.NOW)
    house.store.judging.raise_alert(
        key="test",
        kind=AlertKind.TEST,
        text="",
        addressees=[(house.make.head, hearing)],
        at=house.clock.now(),
    )
    house.alerter.failures.append(RefusedError("550"))
    assert len(await house.outbox.send_due()) == 1
    house.clock.advance(DAY)
    assert house.outbox.escalate_unanswered(after=HALF_AN_HOUR) == 0
