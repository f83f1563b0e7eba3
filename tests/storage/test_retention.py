"""Retention keeps whatever a rule does not clearly let go."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import (
    AlertKind,
    CaseState,
    Certainty,
    DeliveryState,
    Flag,
    Grade,
    Message,
    Severity,
    Target,
    TargetKind,
    Urgency,
)
from monitor.retention import Retention
from monitor.storage import expiry
from monitor.storage.convert import dump_message
from monitor.storage.store import Store

NEUTRAL = Grade(Severity.NEUTRAL, model="constant")
ABUSE = Grade(Severity.ABUSIVE, model="constant")
BARR = Target(TargetKind.PERSON, "chloe-barr")


@pytest.fixture
def retention(store: Store, vault: Vault, make: SimpleNamespace) -> Retention:
    return Retention(store, make.config(), vault)


def keep(
    store: Store,
    vault: Vault,
    make: SimpleNamespace,
    *,
    grade: Grade = NEUTRAL,
    number: int = 1,
    target: Target | None = None,
    certainty: Certainty = Certainty.CERTAIN,
) -> int:
    targets = (target,) if target else ()
    capture = make.capture(
        make.post(number, f"Mr Lowe and heron {number}"),
        *targets,
        vault=vault,
        certainty=certainty,
    )
    (kept,) = store.sources.accept(make.turn(), [capture]).fresh
    digest = grade.severity is Severity.NEUTRAL
    hearing = make.hearing(AlertKind.DIGEST, urgency=Urgency.DIGEST) if digest else make.hearing()
    store.judging.judge(make.judgement(kept, hearing, grade=grade), at=make.now)
    return int(kept)


def tell(
    store: Store,
    make: SimpleNamespace,
    outcome: DeliveryState = DeliveryState.TAKEN,
    day: str = "",
) -> None:
    """Raise the digest and let every message be taken, or end otherwise."""
    hearing = make.hearing(AlertKind.DIGEST, urgency=Urgency.DIGEST)
    store.judging.raise_alert(
        key=f"digest:holt{day}", kind=AlertKind.DIGEST, text="{}",
        addressees=[(make.head, hearing)], at=make.now, digest_for="holt",
    )  # fmt: skip
    take_all(store, make, outcome)


def take_all(
    store: Store, make: SimpleNamespace, outcome: DeliveryState = DeliveryState.TAKEN
) -> None:
    for each in store.outbox.due(now=make.now + timedelta(days=2), limit=100):
        message = Message(
            message_id=each.message_id,
            recipient=each.recipient,
            recipient_name=each.recipient_name,
            subject="News",
            text="heron",
            html="",
            urgent=False,
            created_at=make.now,
        )
        digest = hashlib.sha256(dump_message(message).encode()).hexdigest()
        begun = store.outbox.begin(each, message, digest=digest, at=make.now)
        store.outbox.settle(begun.id, outcome, said="ok", at=make.now)


def gone_after(retention: Retention, make: SimpleNamespace, days: int) -> list[int]:
    found = retention.plan(make.now + timedelta(days=days))
    return [one for each in found if not each.case for one in each.mentions]


def test_neutral_goes_after_ninety_days_once_a_digest_that_listed_it_was_taken(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    kept = keep(store, vault, make)
    assert gone_after(retention, make, 91) == [], "it was listed nowhere"
    tell(store, make)
    assert gone_after(retention, make, 89) == []
    assert gone_after(retention, make, 91) == [kept]


@pytest.mark.parametrize("lost", [DeliveryState.BOUNCED, DeliveryState.GIVEN_UP])
def test_what_stood_in_a_digest_that_reached_nobody_is_listed_again(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention, lost: DeliveryState
) -> None:
    kept = keep(store, vault, make)
    tell(store, make, lost, day=":monday")
    assert gone_after(retention, make, 91) == []
    assert [each.stored.id for each in store.reading.digest_lines("holt")] == [kept]
    tell(store, make, day=":tuesday")
    assert store.reading.digest_lines("holt") == ()
    assert gone_after(retention, make, 91) == [kept]
    assert retention.apply(by="program", at=make.now + timedelta(days=91)) == 1
    digests = store.outbox.alerts()
    messages = [each.message for one in digests for each in store.outbox.deliveries(one.id)]
    assert messages == [None, None], "the text of both went with it"
    make.verified(store, vault)


def test_what_a_person_erased_stands_in_no_digest_afterwards(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    gone, stays = (keep(store, vault, make, number=number) for number in (1, 2))
    store.erasing.erase([gone], reason="asked for", by="holt", at=make.now, basis="person")
    assert [each.stored.id for each in store.reading.digest_lines("holt")] == [stays]


@pytest.mark.parametrize(
    ("grade", "certainty"),
    [
        (Grade(Severity.NEUTRAL, unsure=True, model="constant"), Certainty.CERTAIN),
        (
            Grade(Severity.NEUTRAL, flags=frozenset({Flag.MILD}), model="constant"),
            Certainty.CERTAIN,
        ),
        (NEUTRAL, Certainty.POSSIBLE),
    ],
    ids=["unsure", "flagged", "possible"],
)
def test_what_is_not_plainly_neutral_stays(
    store: Store,
    vault: Vault,
    make: SimpleNamespace,
    retention: Retention,
    grade: Grade,
    certainty: Certainty,
) -> None:
    keep(store, vault, make, grade=grade, certainty=certainty)
    tell(store, make)
    assert gone_after(retention, make, 2000) == []


def test_what_something_keeps_does_not_stand_in_the_way_of_what_comes_after_it(
    store: Store,
    vault: Vault,
    make: SimpleNamespace,
    retention: Retention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Read in pages of two, of which the first holds nothing that may go."""
    monkeypatch.setattr(expiry, "PAGE", 2)
    for number in (1, 2, 3):
        keep(store, vault, make, number=number, target=BARR)
    free = [keep(store, vault, make, number=number) for number in (4, 5, 6)]
    keep(store, vault, make, number=7, grade=ABUSE, target=BARR)
    tell(store, make)
    assert gone_after(retention, make, 91) == free
    terms, later = retention.terms, make.now + timedelta(days=91)
    found = store.expiry.neutral(terms, later, limit=2)
    assert [each.mentions for each in found] == [(free[0],), (free[1],)]


def test_neutral_stays_for_a_year_after_abuse_of_the_same_person_only(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    lowe = keep(store, vault, make)
    barr = keep(store, vault, make, number=2, target=BARR)
    keep(store, vault, make, number=3, grade=ABUSE)
    tell(store, make)
    assert gone_after(retention, make, 91) == [barr]
    assert gone_after(retention, make, 373) == [lowe, barr]


def test_a_hold_keeps_and_a_dry_run_changes_nothing(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    kept = keep(store, vault, make)
    tell(store, make)
    store.holding.hold(mention=kept, by="holt", why="the police asked", at=make.now)
    head = store.log.head()
    assert gone_after(retention, make, 91) == []
    assert store.log.head() == head


def test_what_was_applied_is_erased_logged_and_verifies(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    keep(store, vault, make)
    tell(store, make)
    later = make.now + timedelta(days=91)
    assert retention.apply(by="program", at=later) == 1
    assert retention.apply(by="program", at=later) == 0
    opened = store.log.entry(store.log.head()[0] - 1)
    assert opened.kind == "record.erased"
    assert opened.public["basis"] == "retention"
    assert "90 days" in str(opened.secret["reason"])
    make.verified(store, vault)


def closed_case(store: Store, vault: Vault, make: SimpleNamespace, grade: Grade) -> str:
    keep(store, vault, make, grade=grade)
    alert = store.outbox.alerts(limit=1)[0]
    store.escalation.acknowledge(alert.id, by="holt", how="cli", at=make.now)
    take_all(store, make)
    reference = store.reading.cases()[0].reference
    store.reading.note(reference, by="holt", text="spoke to the heron", at=make.now)
    store.reading.move_case(reference, CaseState.CLOSED, by="holt", why="done", at=make.now)
    return reference


def test_an_abusive_case_goes_after_the_school_year_and_one_more_with_approval_only(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    reference = closed_case(store, vault, make, ABUSE)
    early, late = (
        make.now.replace(year=2028, month=8, day=31),
        make.now.replace(year=2028, month=9, day=1),
    )
    with pytest.raises(EvidenceError, match="not among the cases"):
        retention.approve(reference, by="holt", why="agreed", at=early)
    assert [each.case for each in retention.plan(late)] == [reference]
    assert retention.apply(by="program", at=late) == 0
    assert retention.approve(reference, by="holt", why="agreed", at=late) == 1
    case = store.reading.case(reference)
    assert case is not None
    assert [text for _at, _by, text in case.notes] == [""]
    make.verified(store, vault)


def test_a_picture_of_the_page_goes_with_the_case_and_is_listed_nowhere_else(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    """Neither the vault, nor the rows, nor what a look at the log can open has it afterwards."""
    reference = closed_case(store, vault, make, ABUSE)
    hosts = frozenset({"forum.school.example"})
    assert store.pictures.enqueue(hosts, since=make.now - timedelta(days=1)) == 1
    wanted = store.pictures.next(now=make.now)
    assert wanted is not None
    digest = vault.put(b"\x89PNG of the page")
    index = store.pictures.keep(wanted, digest, {"url": wanted.url}, at=make.now)
    assert index is not None
    late = make.now.replace(year=2028, month=9, day=1)
    assert retention.approve(reference, by="holt", why="agreed", at=late) == 1
    assert not vault.has(digest)
    assert store.log.entry(index).secret == {}
    assert store.pictures.counts() == {"erased": 1}
    assert store.pictures.enqueue(hosts, since=make.now - timedelta(days=1)) == 0
    make.verified(store, vault)


def test_a_threat_is_kept_until_the_day_that_a_person_set(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    reference = closed_case(store, vault, make, Grade(Severity.THREATENING, model="constant"))
    far = make.now + timedelta(days=4000)
    assert retention.plan(far) == ()
    day = (make.now + timedelta(days=100)).date()
    store.holding.keep_until(reference, day, by="holt", why="agreed", at=make.now)
    assert retention.plan(make.now + timedelta(days=100)) == ()
    assert [each.case for each in retention.plan(far)] == [reference]
    store.holding.hold(reference=reference, by="holt", why="a claim", at=make.now)
    assert retention.plan(far) == ()


def test_a_case_of_an_allegation_is_marked_as_one(
    store: Store, vault: Vault, make: SimpleNamespace, retention: Retention
) -> None:
    reference = closed_case(store, vault, make, Grade(Severity.THREATENING, model="constant"))
    store.holding.keep_until(reference, make.now.date(), by="holt", why="agreed", at=make.now)
    far = make.now + timedelta(days=400)
    assert [each.restricted for each in retention.plan(far)] == [False]
    with store._database.write() as session:
        session.connection().execute(text("update casefile set restricted = true"))
    assert [each.restricted for each in retention.plan(far)] == [True]
