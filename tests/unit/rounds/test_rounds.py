"""What the service does again and again: turns that lead on, digests, checkpoints, second looks."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from monitor import digest
from monitor.briefing import Briefing
from monitor.cases.views import OperatorEvent
from monitor.contract import SourceInfo
from monitor.errors import AuthError, TransientError
from monitor.evidence.clockstate import ClockState
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import verify_log
from monitor.judge import Judge
from monitor.model import (
    AlertKind,
    Batch,
    Cursor,
    Flag,
    Grade,
    Mention,
    Post,
    Presence,
    Role,
    Scope,
    Severity,
    Urgency,
)
from monitor.outbox import Outbox
from monitor.people.audience import Audience
from monitor.pipeline import Pipeline, Source
from monitor.rounds import Rounds
from monitor.storage.store import Store
from monitor.testing import FakeClock, FakeConnector, RecordingAlerter

Make = Any
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
TUESDAY = MONDAY + DAY
SATURDAY = MONDAY + 5 * DAY
CHRISTMAS = datetime(2026, 12, 25, 7, 30, tzinfo=UTC)
EASTER_MONDAY = datetime(2027, 3, 29, 6, 30, tzinfo=UTC)


@pytest.fixture
def house(
    sqlite_store: Store, vault: Vault, make: Make, signing_key: SigningKey
) -> SimpleNamespace:
    clock = FakeClock(make.now)
    alerter = RecordingAlerter(clock)
    grades: dict[str, Grade] = {}

    class Everything:
        def match_all(self, posts: Sequence[Post], **_place: object) -> list[tuple[Mention, ...]]:
            return [self.match(post) for post in posts]

        def match(self, post: Post) -> tuple[Mention, ...]:
            return (make.mention(post),)

    class Listed:
        card: dict[str, object] = {}  # noqa: RUF012 - a fake of one test

        def grade(self, question: Any, *, reasons: bool = True) -> Grade:  # noqa: ARG002
            return grades.get(question.text, Grade(Severity.NEUTRAL, model="listed"))

    judge = Judge(
        matcher=Everything(),  # type: ignore[arg-type]
        grader=Listed,  # type: ignore[arg-type]
        audience=Audience(make.config()),
    )
    connector = FakeConnector()
    info = SourceInfo("gazette", Scope.OPEN, None, None)
    rounds = Rounds(
        store=sqlite_store,
        pipeline=Pipeline(sqlite_store, vault, judge, clock, lambda: ClockState(True, 3, "kernel")),
        outbox=Outbox(
            sqlite_store,
            {"mail": alerter},
            Briefing(sqlite_store, judge.audience, clock),
            judge.audience,
            clock,
        ),
        sources={"gazette": Source(info, "feed", timedelta(minutes=15), connector)},
        key=signing_key,
        origin=make.origin,
        clock=clock,
    )
    count = [0]

    def kept(*hearings: Any, target: str = "desmond-lowe", **judged: Any) -> int:
        count[0] += 1
        capture = make.capture(make.post(f"k{count[0]}"), make.person(target), vault=vault)
        (number,) = sqlite_store.sources.accept(make.turn(at=clock.now()), [capture]).fresh
        sqlite_store.judging.judge(make.judgement(number, *hearings, **judged), at=clock.now())
        return int(number)

    def set_to(moment: datetime) -> None:
        clock.advance(moment - clock.now())

    return SimpleNamespace(
        rounds=rounds,
        store=sqlite_store,
        source=rounds.sources["gazette"],
        connector=connector,
        alerter=alerter,
        clock=clock,
        grades=grades,
        kept=kept,
        set_to=set_to,
        vault=vault,
        key=signing_key,
        make=make,
    )


def line(make: Make, who: str = "holt") -> Any:
    return make.hearing(AlertKind.DIGEST, who, Role.HEADTEACHER, Urgency.DIGEST)


def alerts(house: SimpleNamespace, kind: AlertKind) -> list[Any]:
    return [each for each in house.store.outbox.alerts() if each.kind is kind]


def operator(house: SimpleNamespace) -> list[str]:
    found = reversed(alerts(house, AlertKind.OPERATOR))
    return [json.loads(each.text)["event"] for each in found]


# --- turns --------------------------------------------------------------------------------------


async def test_a_threat_is_under_a_signed_checkpoint_before_its_mail_goes_out(
    house: SimpleNamespace,
) -> None:
    house.grades["a threat"] = Grade(Severity.THREATENING, model="listed")
    house.connector.script = deque([Batch((house.make.post(1, "a threat"),), Cursor("a"))])
    await house.rounds.turn(house.source)
    assert house.rounds.wake_outbox.is_set()
    ((size, _note, _at),) = house.store.log.checkpoints()
    assert size == house.store.log.head()[0]
    await house.rounds.outbox.send_due()
    assert len(house.alerter.sent) == 1


async def test_a_failing_source_is_told_of_once_and_its_recovery_once(
    house: SimpleNamespace,
) -> None:
    broken = [TransientError("time-out")] * 5
    back = [Batch((), Cursor("a")), Batch((), Cursor("b"))]
    house.connector.script = deque([*broken, *back])
    told = []
    for _ in range(7):
        await house.rounds.turn(house.source)
        told.append(operator(house))
        house.clock.advance(timedelta(hours=6))
    assert told[1] == []
    assert told[2] == told[4] == [OperatorEvent.SOURCE_BROKEN]
    assert told[6] == [OperatorEvent.SOURCE_BROKEN, OperatorEvent.SOURCE_RECOVERED]


async def test_a_refused_key_is_told_of_at_once(house: SimpleNamespace) -> None:
    house.connector.script = deque([AuthError("401")])
    await house.rounds.turn(house.source)
    assert operator(house) == [OperatorEvent.SOURCE_STOPPED]


async def test_what_a_fault_left_waiting_is_judged_after_the_next_turn_of_any_source(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_given: object, **_named: object) -> None:
        raise OperationalError("update", {}, Exception("database is locked"))

    house.connector.script = deque([Batch((house.make.post(),), Cursor("a"))])
    with monkeypatch.context() as patched:
        patched.setattr(house.store.judging, "judge", locked)
        report = await house.rounds.turn(house.source)
    assert report.next_due_at is not None
    assert len(house.store.judging.waiting()) == 1
    await house.rounds.turn(house.source)
    assert house.store.judging.waiting() == ()


# --- digests ------------------------------------------------------------------------------------


def test_mondays_digest_comes_even_when_there_is_nothing_to_say(house: SimpleNamespace) -> None:
    house.set_to(MONDAY)
    assert house.rounds.digest() == 1
    house.set_to(TUESDAY)
    assert house.rounds.digest() == 0


@pytest.mark.parametrize(("day", "expected"), [(SATURDAY, 0), (CHRISTMAS, 0), (EASTER_MONDAY, 1)])
def test_a_day_without_school_has_no_digest_but_mondays(
    house: SimpleNamespace, day: datetime, expected: int
) -> None:
    house.kept(line(house.make), grade=Grade(Severity.NEUTRAL))
    house.set_to(day)
    assert house.rounds.digest() == expected
    assert len(house.store.reading.digest_lines("holt")) == 1 - expected


def test_a_line_is_listed_once_and_a_day_has_one_digest(house: SimpleNamespace) -> None:
    first = house.kept(line(house.make), grade=Grade(Severity.NEUTRAL))
    house.set_to(TUESDAY)
    assert house.rounds.digest() == 1
    second = house.kept(line(house.make), grade=Grade(Severity.NEUTRAL))
    assert house.rounds.digest() == 0
    house.set_to(TUESDAY + DAY)
    assert house.rounds.digest() == 1
    listed = [
        [each.stored.id for each in house.store.reading.digest_lines("holt", listed_in=alert.id)]
        for alert in reversed(alerts(house, AlertKind.DIGEST))
    ]
    assert listed == [[first], [second]]


def test_what_one_digest_cannot_list_waits_for_the_next_and_doubt_comes_first(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "MOST_LINES", 2)
    plain = [house.kept(line(house.make), grade=Grade(Severity.NEUTRAL)) for _ in range(3)]
    unsure = house.kept(line(house.make), grade=Grade(Severity.NEUTRAL, unsure=True))
    for day in (TUESDAY, TUESDAY + DAY):
        house.set_to(day)
        assert house.rounds.digest() == 1
    raised = list(reversed(alerts(house, AlertKind.DIGEST)))
    listed = [
        {each.stored.id for each in house.store.reading.digest_lines("holt", listed_in=alert.id)}
        for alert in raised
    ]
    assert listed == [{unsure, plain[0]}, {plain[1], plain[2]}]
    assert [json.loads(alert.text)["waiting"] for alert in raised] == [2, 0]


def test_a_source_that_cannot_be_looked_at_is_reason_enough_for_a_digest(
    house: SimpleNamespace,
) -> None:
    house.set_to(TUESDAY)
    house.store.sources.fail("gazette", "feed", error="time-out", at=TUESDAY, next_due_at=TUESDAY)
    assert house.rounds.digest() == 1
    (told,) = alerts(house, AlertKind.DIGEST)
    assert [blind["source"] for blind in json.loads(told.text)["blind"]] == ["gazette"]


async def test_a_gap_that_is_over_stands_in_the_next_digest_and_in_no_other(
    house: SimpleNamespace,
) -> None:
    house.set_to(MONDAY)
    broken = [TransientError("time-out")] * 3
    house.connector.script = deque([*broken, Batch((), Cursor("a"))])
    for _ in range(4):
        await house.rounds.turn(house.source)
        house.clock.advance(timedelta(hours=1))
    house.set_to(TUESDAY)
    assert house.rounds.digest() == 1
    house.set_to(TUESDAY + DAY)
    assert house.rounds.digest() == 0
    (told,) = alerts(house, AlertKind.DIGEST)
    (gap,) = json.loads(told.text)["blind"]
    assert (gap["source"], gap["why"]) == ("gazette", "time-out")
    assert gap["since"] == MONDAY.isoformat()
    assert gap["until"] == (MONDAY + timedelta(hours=3)).isoformat()
    (delivery,) = house.store.outbox.deliveries(told.id)
    text = house.rounds.outbox.briefing.message(delivery).text
    assert "10:30" in text
    assert "still cannot be read" not in text


def test_a_digest_says_how_many_alerts_went_out_apart(house: SimpleNamespace) -> None:
    house.kept(line(house.make), grade=Grade(Severity.NEUTRAL))
    house.kept(house.make.hearing(AlertKind.CONCERN))
    house.set_to(house.make.now + timedelta(hours=1))
    assert house.rounds.digest() == 1
    (told,) = alerts(house, AlertKind.DIGEST)
    assert json.loads(told.text)["alerts_sent"] == 1


async def test_a_digest_whose_time_went_by_while_the_service_was_down_is_made_up_for(
    house: SimpleNamespace,
) -> None:
    before, after = MONDAY.replace(hour=6, minute=30), MONDAY.replace(hour=11)
    house.set_to(before)
    assert house.rounds.missed_digest() == 0
    await house.rounds.turn(house.source)
    house.set_to(after)
    assert house.rounds.missed_digest() == 1
    assert house.rounds.missed_digest() == 0


def test_a_service_that_was_set_up_today_has_missed_no_digest(house: SimpleNamespace) -> None:
    house.set_to(MONDAY.replace(hour=11))
    assert house.rounds.missed_digest() == 0


def test_the_counts_of_a_digest_leave_out_what_its_reader_may_not_know(
    house: SimpleNamespace,
) -> None:
    house.kept(line(house.make), grade=Grade(Severity.NEUTRAL))
    hidden = house.make.hearing(AlertKind.ALLEGATION, "osei", Role.SECOND_PERSON)
    accusing = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}))
    house.kept(hidden, target="marian-holt", grade=accusing, restricted=True)
    house.clock.advance(timedelta(hours=1))
    house.set_to(house.make.now + timedelta(hours=2))
    assert house.rounds.digest() == 1
    (told,) = alerts(house, AlertKind.DIGEST)
    facts = json.loads(told.text)
    # Two turns read three posts each; one of the six is not the headteacher's to count.
    assert (facts["matched"], facts["posts_read"]) == (1, 5)


def test_the_second_head_of_a_federation_gets_her_own_lines_only(house: SimpleNamespace) -> None:
    make = house.make
    other = {
        "id": "brackwater",
        "name": "Brackwater Primary",
        "headteacher": "ivy-stone",
        "staff": [{"id": "ivy-stone", "name": "Ivy Stone", "roles": ["headteacher"]}],
        "tell": {"headteacher": "stone"},
    }
    stone = {"id": "stone", "name": "Ivy Stone", "email": "i@b.example", "staff": "ivy-stone"}
    config = make.config(schools=[*make.schools, other], people=[*make.people, stone])
    house.rounds.pipeline.judge.audience = Audience(config)
    mine = house.kept(line(make), grade=Grade(Severity.NEUTRAL))
    hers = house.kept(line(make, "stone"), target="ivy-stone", grade=Grade(Severity.NEUTRAL))
    house.set_to(MONDAY)
    assert house.rounds.digest() == 2
    listed = {}
    for alert in alerts(house, AlertKind.DIGEST):
        (delivery,) = house.store.outbox.deliveries(alert.id)
        lines = house.store.reading.digest_lines(delivery.person, listed_in=alert.id)
        listed[delivery.person] = [each.stored.id for each in lines]
        assert json.loads(alert.text)["matched"] == 1
    assert listed == {"holt": [mine], "stone": [hers]}


# --- evidence and people ------------------------------------------------------------------------


def test_a_checkpoint_covers_the_whole_log_and_is_not_repeated(house: SimpleNamespace) -> None:
    house.kept()
    assert house.rounds.checkpoint() == house.store.log.head()[0]
    assert house.rounds.checkpoint() is None
    with house.store.log.reading() as view:
        found = verify_log(
            view.entries(), view.checkpoints(), [house.key.verifier], house.vault.get
        )
    assert found.signed == found.size


async def test_a_second_look_is_sealed_whatever_it_finds(house: SimpleNamespace) -> None:
    stored = house.store.reading.mention(house.kept())
    assert stored is not None
    sights: list[tuple[Presence | Exception, Presence]] = [
        (Presence.GONE, Presence.GONE),
        (TransientError("time-out"), Presence.COULD_NOT_LOOK),
    ]
    for sight, expected in sights:
        house.connector.sights[stored.mention.post.ref] = sight
        before = house.store.log.head()[0]
        assert (await house.rounds.look_again(stored)).presence is expected
        assert house.store.log.head()[0] == before + 1


def test_the_administrator_hears_one_fact_once(house: SimpleNamespace) -> None:
    for _ in range(2):
        house.rounds.tell_operator(OperatorEvent.DISK_LOW, key="today")
    assert operator(house) == [OperatorEvent.DISK_LOW]
    (delivery,) = house.store.outbox.deliveries(1)
    assert (delivery.person, delivery.role) == ("pryce", Role.ADMINISTRATOR)
