"""judge: one commit a mention; an alert shows a post once; cases group and never mix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import (
    AlertKind,
    Author,
    CaseState,
    DeliveryState,
    Flag,
    Grade,
    GradingState,
    Role,
    Severity,
    Urgency,
)
from monitor.storage import ledger
from monitor.storage.store import Store

Make = Any
Accept = Callable[..., tuple[int, ...]]

DIGEST = Urgency.DIGEST


@pytest.fixture
def accept(store: Store, make: Make, vault: Vault) -> Accept:
    """Accept one post with these targets; the ids of its fresh mentions."""

    def accept_one(
        number: int | str = 1,
        *targets: str,
        words: str = "Mr Lowe was late again",
        first_look: bool = False,
        source: str = "gazette",
        **fields: Any,
    ) -> tuple[int, ...]:
        capture = make.capture(
            make.post(number, words, **fields),
            *(make.person(name) for name in targets),
            vault=vault,
            first_look=first_look,
        )
        found: tuple[int, ...] = store.sources.accept(make.turn(source), [capture]).fresh
        return found

    return accept_one


def case_of(store: Store, mention_id: int) -> str:
    for case in store.reading.cases():
        if mention_id in case.mention_ids:
            return case.reference
    return ""


def test_a_judgement_is_one_commit_of_grade_alert_case_and_delivery(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    (number,) = accept()
    assert store.judging.judge(make.judgement(number), at=make.now)
    stored = store.reading.mention(number)
    assert stored is not None
    assert stored.state is GradingState.JUDGED
    assert [grade.grade.severity for grade in store.reading.grades(number)] == [
        Severity.THREATENING
    ]
    (delivery,) = store.outbox.deliveries(1)
    assert (delivery.person, delivery.state) == ("holt", DeliveryState.WAITING)
    assert store.outbox.alert(1).reference == case_of(store, number) == "SM-2026-0001"
    make.verified(store, vault)


@pytest.mark.parametrize("fault_at", [1, 2, 3])
def test_a_fault_in_the_middle_leaves_the_mention_waiting(
    store: Store,
    make: Make,
    vault: Vault,
    accept: Accept,
    monkeypatch: pytest.MonkeyPatch,
    fault_at: int,
) -> None:
    (number,) = accept()
    before = store.log.head()
    left = [fault_at]
    honest = ledger.append

    def failing(session: Any, leaves: Any) -> list[int]:
        left[0] -= 1
        if left[0] == 0:
            raise EvidenceError("the disk is full")
        return honest(session, leaves)

    monkeypatch.setattr(ledger, "append", failing)
    with pytest.raises(EvidenceError):
        store.judging.judge(make.judgement(number), at=make.now)
    monkeypatch.undo()
    assert store.log.head() == before
    assert [waiting.id for waiting in store.judging.waiting()] == [number]
    assert not any((store.reading.cases(), store.outbox.alerts(), store.reading.grades(number)))
    assert store.judging.judge(make.judgement(number), at=make.now)
    make.verified(store, vault)


def test_judging_a_mention_again_changes_nothing(store: Store, make: Make, accept: Accept) -> None:
    (number,) = accept()
    store.judging.judge(make.judgement(number), at=make.now)
    before = store.log.head()
    assert not store.judging.judge(make.judgement(number), at=make.now)
    assert store.log.head() == before
    assert len(store.outbox.due(now=make.now)) == 1


def test_an_alert_shows_a_post_once_with_all_its_targets(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    first, second = accept(1, "desmond-lowe", "chloe-barr")
    store.judging.judge(make.judgement(first), at=make.now)
    # The program may stop here: nothing goes out before the whole post is judged.
    assert store.outbox.due(now=make.now) == ()
    store.judging.judge(make.judgement(second), at=make.now)
    (delivery,) = store.outbox.due(now=make.now)
    heard = store.reading.heard(delivery.alert_id, "holt")
    assert [each.stored.id for each in heard] == [first, second]
    assert case_of(store, first) == case_of(store, second)
    make.verified(store, vault)


def test_the_soonest_of_a_posts_targets_decides_when_it_goes_out(
    store: Store, make: Make, accept: Accept
) -> None:
    first, second = accept(1, "desmond-lowe", "chloe-barr")
    tomorrow = make.now + timedelta(hours=20)
    by_day = make.hearing(urgency=Urgency.DAYTIME, due_at=tomorrow)
    store.judging.judge(make.judgement(first, by_day), at=make.now)
    store.judging.judge(make.judgement(second, make.hearing()), at=make.now)
    (delivery,) = store.outbox.due(now=make.now)
    assert delivery.urgency is Urgency.NOW


def test_a_target_found_after_the_alert_went_out_is_an_alert_of_its_own(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    (first,) = accept(1, "desmond-lowe")
    store.judging.judge(make.judgement(first), at=make.now)
    later = accept(1, "desmond-lowe", "chloe-barr", "marian-holt")
    for number in later:
        store.judging.judge(make.judgement(number), at=make.now)
    deliveries = store.outbox.due(now=make.now)
    assert len(deliveries) == 2
    heard = store.reading.heard(deliveries[1].alert_id, "holt")
    assert [each.stored.id for each in heard] == list(later)
    make.verified(store, vault)


def test_a_first_look_is_one_alert_for_each_person_however_many_posts_there_are(
    store: Store, make: Make, accept: Accept
) -> None:
    look = make.hearing(AlertKind.FIRST_LOOK)
    with_second = make.hearing(AlertKind.FIRST_LOOK, "osei", Role.SECOND_PERSON)
    numbers = [accept(n, first_look=True)[0] for n in range(5)]
    for number in numbers[:4]:
        store.judging.judge(make.judgement(number, look, with_second), at=make.now)
    assert store.outbox.due(now=make.now) == ()
    store.judging.judge(make.judgement(numbers[4], look), at=make.now)
    deliveries = store.outbox.due(now=make.now)
    assert sorted(each.person for each in deliveries) == ["holt", "osei"]
    assert len({each.alert_id for each in deliveries}) == 1
    assert len(store.reading.heard(1, "holt")) == 5
    assert len(store.reading.heard(1, "osei")) == 4


def test_the_first_look_at_one_source_does_not_wait_for_another(
    store: Store, make: Make, accept: Accept
) -> None:
    look = make.hearing(AlertKind.FIRST_LOOK)
    (mine,) = accept(1, first_look=True, source="gazette")
    accept(2, first_look=True, source="forum")
    store.judging.judge(make.judgement(mine, look), at=make.now)
    assert len(store.outbox.due(now=make.now)) == 1


def test_digest_lines_are_listed_once(store: Store, make: Make, accept: Accept) -> None:
    (first,) = accept(1)
    line = make.hearing(AlertKind.DIGEST, urgency=DIGEST)
    neutral = Grade(Severity.NEUTRAL)
    store.judging.judge(make.judgement(first, line, grade=neutral), at=make.now)
    assert [each.stored.id for each in store.reading.digest_lines("holt")] == [first]
    digest = store.judging.raise_alert(
        key="digest:holt:today",
        kind=AlertKind.DIGEST,
        text="{}",
        addressees=[(make.head, line)],
        at=make.now,
        digest_for="holt",
    )
    assert digest is not None
    assert store.reading.digest_lines("holt") == ()
    assert [each.stored.id for each in store.reading.digest_lines("holt", listed_in=digest)] == [
        first
    ]
    (second,) = accept(2)
    store.judging.judge(make.judgement(second, line, grade=neutral), at=make.now)
    assert [each.stored.id for each in store.reading.digest_lines("holt")] == [second]


def test_an_alert_with_the_same_key_is_raised_once(store: Store, make: Make) -> None:
    hearing = make.hearing(AlertKind.OPERATOR, "pryce", Role.ADMINISTRATOR)
    raised = [
        store.judging.raise_alert(
            key="operator:disk",
            kind=AlertKind.OPERATOR,
            text="{}",
            addressees=[(make.head, hearing)],
            at=make.now,
        )
        for _ in range(2)
    ]
    assert raised == [1, None]
    assert len(store.outbox.due(now=make.now)) == 1


# --- cases --------------------------------------------------------------------------------------


def test_mentions_by_one_author_about_one_person_share_a_case(
    store: Store, make: Make, accept: Accept
) -> None:
    numbers = [accept(n)[0] for n in range(3)]
    (elsewhere,) = accept(3, author=Author("@somebody_else"))
    (other,) = accept(4, "chloe-barr")
    for number in (*numbers, elsewhere, other):
        store.judging.judge(make.judgement(number), at=make.now)
    assert len({case_of(store, number) for number in numbers}) == 1
    assert len({case_of(store, number) for number in (numbers[0], elsewhere, other)}) == 3


def test_a_closed_case_takes_no_new_post_but_is_reopened_by_a_version_of_its_own(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    (first,) = accept(1)
    store.judging.judge(make.judgement(first), at=make.now)
    reference = case_of(store, first)
    store.reading.move_case(reference, CaseState.CLOSED, by="holt", why="done", at=make.now)
    (unrelated,) = accept(2)
    store.judging.judge(make.judgement(unrelated), at=make.now)
    assert case_of(store, unrelated) != reference
    (edited,) = accept(1, words="Mr Lowe, worse")
    store.judging.judge(make.judgement(edited), at=make.now)
    assert case_of(store, edited) == reference
    found = store.reading.case(reference)
    assert found is not None
    assert found.state is CaseState.REOPENED
    make.verified(store, vault)


def test_an_unknown_author_ties_nothing_together(store: Store, make: Make, accept: Accept) -> None:
    numbers = [accept(n, author=Author())[0] for n in range(2)]
    for number in numbers:
        store.judging.judge(make.judgement(number), at=make.now)
    assert len({case_of(store, number) for number in numbers}) == 2


def test_a_restricted_case_holds_nothing_else(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    accusing = Grade(Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}))
    (open_one,) = accept(1)
    (secret,) = accept(2)
    (open_again,) = accept(3)
    hidden = make.hearing(AlertKind.ALLEGATION)
    store.judging.judge(make.judgement(open_one), at=make.now)
    store.judging.judge(
        make.judgement(secret, hidden, grade=accusing, restricted=True), at=make.now
    )
    store.judging.judge(make.judgement(open_again), at=make.now)
    assert case_of(store, open_one) == case_of(store, open_again) != case_of(store, secret)
    restricted = {case.reference: case.restricted for case in store.reading.cases()}
    assert restricted == {case_of(store, open_one): False, case_of(store, secret): True}
    make.verified(store, vault)


def test_numbers_of_cases_begin_anew_each_year(store: Store, make: Make, accept: Accept) -> None:
    for year, number in ((2026, 1), (2026, 2), (2027, 3)):
        (mention,) = accept(number, author=Author())
        store.judging.judge(make.judgement(mention), at=make.now.replace(year=year))
    found = [case.reference for case in reversed(store.reading.cases())]
    assert found == ["SM-2026-0001", "SM-2026-0002", "SM-2027-0001"]


# --- a person's own grade -----------------------------------------------------------------------


def by_person(severity: Severity, *flags: Flag) -> Grade:
    return Grade(severity, flags=frozenset(flags), by="holt", note="read it myself")


def test_a_persons_grade_stands_beside_the_models_and_is_news(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    (number,) = accept()
    store.judging.judge(make.judgement(number), at=make.now)
    again = make.judgement(number, grade=by_person(Severity.THREATENING))
    for _ in range(2):
        store.judging.regrade(number, again, at=make.now)
    assert [each.grade.by for each in store.reading.grades(number)] == ["model", "holt", "holt"]
    assert len(store.outbox.due(now=make.now)) == 3
    make.verified(store, vault)


def test_a_persons_grade_of_a_mention_that_waits_is_not_overtaken_by_the_model(
    store: Store, make: Make, accept: Accept
) -> None:
    (number,) = accept()
    neutral = by_person(Severity.NEUTRAL)
    line = make.hearing(AlertKind.DIGEST, urgency=DIGEST)
    store.judging.regrade(number, make.judgement(number, line, grade=neutral), at=make.now)
    assert store.judging.waiting() == ()
    assert not store.judging.judge(make.judgement(number), at=make.now)
    assert store.reading.grades(number)[-1].grade.by == "holt"


def test_a_mention_found_to_accuse_leaves_the_digest_and_its_open_case(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    first, second = accept(1, "desmond-lowe", "chloe-barr")
    line = make.hearing(AlertKind.DIGEST, urgency=DIGEST)
    store.judging.judge(make.judgement(first), at=make.now)
    store.judging.judge(make.judgement(second, line, grade=Grade(Severity.NEUTRAL)), at=make.now)
    before = case_of(store, first)
    accusing = by_person(Severity.ABUSIVE, Flag.ALLEGATION)
    hidden = make.hearing(AlertKind.ALLEGATION)
    judgement = make.judgement(second, hidden, grade=accusing, restricted=True)
    store.judging.regrade(second, judgement, at=make.now)
    assert store.reading.digest_lines("holt") == ()
    assert case_of(store, first) == case_of(store, second) != before
    make.verified(store, vault)


def test_what_waits_about_a_post_found_to_accuse_is_taken_back_and_goes_to_nobody_else(
    store: Store, make: Make, vault: Vault, accept: Accept
) -> None:
    (number,) = accept(1)
    store.judging.judge(make.judgement(number), at=make.now)
    (waiting,) = store.outbox.due(now=make.now)
    accusing = by_person(Severity.THREATENING, Flag.ALLEGATION)
    hidden = make.hearing(AlertKind.ALLEGATION, "osei", Role.SECOND_PERSON)
    judgement = make.judgement(number, hidden, grade=accusing, restricted=True)
    store.judging.regrade(number, judgement, at=make.now)
    (withdrawn,) = store.outbox.deliveries(waiting.alert_id)
    assert withdrawn.state is DeliveryState.GIVEN_UP
    assert [each.person for each in store.outbox.due(now=make.now)] == ["osei"]
    later = make.now + timedelta(days=2)
    tried = store.escalation.unanswered(before=later, now=later)
    assert waiting.alert_id not in {each.alert_id for each in tried}
    assert store.escalation.exhausted(before=later) == ()
    assert store.reading.heard(waiting.alert_id, "holt") == ()
    make.verified(store, vault)


def test_a_line_listed_before_its_post_was_found_to_accuse_is_shown_no_more(
    store: Store, make: Make, accept: Accept
) -> None:
    (number,) = accept(1)
    line = make.hearing(AlertKind.DIGEST, urgency=DIGEST)
    store.judging.judge(make.judgement(number, line, grade=Grade(Severity.NEUTRAL)), at=make.now)
    digest = store.judging.raise_alert(
        key="digest",
        kind=AlertKind.DIGEST,
        text="{}",
        addressees=[(make.head, line)],
        at=make.now,
        digest_for="holt",
    )
    accusing = by_person(Severity.NEUTRAL, Flag.ALLEGATION)
    hidden = make.hearing(AlertKind.ALLEGATION, "osei", Role.SECOND_PERSON)
    judgement = make.judgement(number, hidden, grade=accusing, restricted=True)
    store.judging.regrade(number, judgement, at=make.now)
    assert store.reading.digest_lines("holt", listed_in=digest) == ()


# --- what waits ---------------------------------------------------------------------------------


def test_what_waits_comes_in_order_and_never_a_part_of_a_post(store: Store, accept: Accept) -> None:
    one = accept(1)
    two = accept(2, "desmond-lowe", "chloe-barr", "marian-holt")
    three = accept(3)
    first = [stored.id for stored in store.judging.waiting(limit=2)]
    assert first == [*one, *two]
    assert [stored.id for stored in store.judging.waiting(limit=2, after=first[-1])] == [*three]


def test_verdicts_are_the_standing_grades_of_every_version(
    store: Store, make: Make, accept: Accept
) -> None:
    (first,) = accept(1)
    (second,) = accept(1, words="Mr Lowe, edited")
    accept(2)
    store.judging.judge(make.judgement(first), at=make.now)
    store.judging.regrade(
        first, make.judgement(first, grade=by_person(Severity.NEUTRAL)), at=make.now
    )
    store.judging.judge(make.judgement(second), at=make.now)
    found = store.judging.verdicts(make.post(1).ref)
    assert [each.mention_id for each in found] == [first, second]
    assert [each.grade.severity for each in found] == [Severity.NEUTRAL, Severity.THREATENING]
    assert found[0].version != found[1].version
