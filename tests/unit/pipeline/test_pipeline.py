"""A turn keeps or reports; a post is judged as a whole; no fault stops what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from monitor.arrivals import clean, targets
from monitor.contract import SourceInfo
from monitor.errors import AuthError, EvidenceError, RateLimitedError, TransientError
from monitor.evidence.clockstate import ClockState
from monitor.evidence.vault import Vault
from monitor.judge import Judge
from monitor.matching.matcher import Matcher
from monitor.matching.roster import Roster
from monitor.model import (
    AlertKind,
    Batch,
    Certainty,
    Cursor,
    Flag,
    Grade,
    Mention,
    Post,
    Scope,
    Severity,
    Target,
    TargetKind,
)
from monitor.people.audience import Audience
from monitor.pipeline import Pipeline, Source
from monitor.storage.store import Store
from monitor.testing import FakeClock, FakeConnector, FakeStream, script

Make = Any
MINUTE = timedelta(minutes=1)
NAMES = {"Lowe": "desmond-lowe", "Barr": "chloe-barr", "Holt": "marian-holt"}


class NameMatcher:
    """Finds three surnames; whoever is followed by "?" is only possible."""

    def __init__(self, make: Make) -> None:
        self._make = make

    def match_all(self, posts: Sequence[Post], **_place: object) -> list[tuple[Mention, ...]]:
        return [self.match(post) for post in posts]

    def match(self, post: Post) -> tuple[Mention, ...]:
        return tuple(
            self._make.mention(
                post,
                self._make.person(person),
                Certainty.POSSIBLE if f"{name}?" in post.text else Certainty.CERTAIN,
            )
            for name, person in NAMES.items()
            if name in post.text
        )

    def wanted(self, text: str) -> bool:
        return any(name in text for name in NAMES)


@dataclass
class PlainGrader:
    """Reads the grade off the words: "threat", "abuse", and "nonce" accuses whom it follows."""

    name: str = "plain"
    card: Mapping[str, object] = field(default_factory=lambda: {"model": "plain"})
    broken: bool = False

    def grade(self, question: Any, *, reasons: bool = True) -> Grade:  # noqa: ARG002 - as the real one
        if self.broken or "crash" in question.text:
            raise RuntimeError("the model cannot read this")
        severity = Severity.NEUTRAL
        if "threat" in question.text:
            severity = Severity.THREATENING
        elif "abuse" in question.text or "nonce" in question.text:
            severity = Severity.ABUSIVE
        flags = {Flag.ALLEGATION} if "nonce" in question.text else set()
        return Grade(severity, flags=frozenset(flags), model="plain")


@pytest.fixture
def house(sqlite_store: Store, vault: Vault, make: Make) -> SimpleNamespace:
    clock = FakeClock(make.now)
    grader = PlainGrader()
    judge = Judge(
        matcher=NameMatcher(make),  # type: ignore[arg-type]
        grader=lambda: grader,  # type: ignore[arg-type, return-value]
        audience=Audience(make.config()),
    )
    pipeline = Pipeline(
        store=sqlite_store,
        vault=vault,
        judge=judge,
        clock=clock,
        clock_state=lambda: ClockState(True, 3, "kernel"),
        jitter=lambda: 0.0,
    )
    connector = FakeConnector()
    source = Source(
        SourceInfo("gazette", Scope.OPEN, None, None), "feed", timedelta(minutes=15), connector
    )
    return SimpleNamespace(
        pipeline=pipeline,
        store=sqlite_store,
        vault=vault,
        clock=clock,
        grader=grader,
        connector=connector,
        source=source,
        make=make,
    )


def batch(make: Make, *words: str, cursor: str = "next", start: int = 0) -> Batch:
    posts = tuple(make.post(n, text) for n, text in enumerate(words, start))
    return Batch(posts=posts, cursor=Cursor(cursor))


async def looked(house: SimpleNamespace, *words: str, start: int = 0) -> tuple[Grade, ...]:
    """A turn of a source that is known already, judged."""
    if house.store.sources.state("gazette", "feed").first_success_at is None:
        house.connector.script.append(Batch((), Cursor("first")))
        await house.pipeline.turn(house.source)
    house.connector.script.append(batch(house.make, *words, start=start))
    await house.pipeline.turn(house.source)
    found: tuple[Grade, ...] = await house.pipeline.judge_waiting()
    return found


def told(house: SimpleNamespace) -> list[tuple[str, AlertKind]]:
    """Who is told by which kind of alert, in the order of the alerts."""
    return [
        (delivery.person, alert.kind)
        for alert in reversed(house.store.outbox.alerts())
        for delivery in house.store.outbox.deliveries(alert.id)
    ]


# --- turns --------------------------------------------------------------------------------------


async def test_a_turn_keeps_what_matches_and_only_that(house: SimpleNamespace) -> None:
    house.connector.script = script(batch(house.make, "Mr Lowe", "the weather", "Miss Barr"))
    report = await house.pipeline.turn(house.source)
    assert (report.fetched, report.matched, report.fresh, report.error) == (3, 2, 2, "")
    assert house.store.reading.counts().posts == 2
    assert len(list(house.vault.walk())) == 4, (
        "of each its original, and the WARC file that it stands in"
    )
    assert house.store.sources.state("gazette", "feed").cursor == Cursor("next")


async def test_the_next_turn_asks_from_the_cursor_that_was_kept(house: SimpleNamespace) -> None:
    house.connector.script = script(batch(house.make, "Mr Lowe"))
    await house.pipeline.turn(house.source)
    await house.pipeline.turn(house.source)
    assert house.connector.asked == [None, Cursor("next")]


@pytest.mark.parametrize(
    ("error", "wait", "stopped"),
    [
        (TransientError("time-out"), timedelta(minutes=7.5), False),
        (RateLimitedError("slowly", timedelta(hours=2)), timedelta(hours=2), False),
        (RateLimitedError("for ever", timedelta(days=900)), timedelta(hours=25), False),
        (AuthError("the key is refused"), timedelta(minutes=7.5), True),
        (ConnectionResetError(104, "reset"), timedelta(minutes=7.5), False),
        (KeyError("a bug"), timedelta(minutes=7.5), False),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_source_that_cannot_be_looked_at_is_a_fact_with_a_plan(
    house: SimpleNamespace, error: Exception, wait: timedelta, stopped: bool
) -> None:
    house.connector.script = script(error)
    report = await house.pipeline.turn(house.source)
    assert report.failed
    assert report.next_due_at == house.clock.now() + wait
    state = house.store.sources.state("gazette", "feed")
    assert (state.failures, state.stopped) == (1, stopped)


async def test_what_another_machine_says_is_fit_to_be_kept(house: SimpleNamespace) -> None:
    house.connector.script = script(TransientError("500 \x00\ud83d broken"))
    report = await house.pipeline.turn(house.source)
    assert report.failed
    assert "\x00" not in house.store.sources.state("gazette", "feed").last_error


async def test_a_bug_in_a_connector_says_its_kind_and_never_its_words(
    house: SimpleNamespace,
) -> None:
    house.connector.script = script(ValueError("Mr Lowe is named in this"))
    report = await house.pipeline.turn(house.source)
    assert "Lowe" not in report.error
    assert "ValueError" in report.error


@pytest.mark.parametrize(
    "fault",
    [
        EvidenceError("the vault cannot keep it: no space left on device"),
        OperationalError("insert", {}, Exception("database is locked")),
        OSError(28, "no space left on device"),
    ],
    ids=["vault", "database", "disk"],
)
async def test_where_nothing_can_be_kept_the_cursor_stays_and_the_turn_says_so(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise fault

    house.connector.script = script(batch(house.make, "Mr Lowe"))
    with monkeypatch.context() as patched:
        patched.setattr(house.store.sources, "accept", refuse)
        report = await house.pipeline.turn(house.source)
    assert "could not keep" in report.error
    house.connector.script = script(batch(house.make, "Mr Lowe"))
    assert (await house.pipeline.turn(house.source)).fresh == 1
    assert house.connector.asked == [None, None]


async def test_a_database_that_is_away_from_the_start_ends_in_a_report_too(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_named: object) -> None:
        raise OperationalError("select", {}, Exception("no such server"))

    monkeypatch.setattr(house.store.sources, "state", refuse)
    assert "could not keep" in (await house.pipeline.turn(house.source)).error


async def test_a_stream_is_kept_batch_by_batch_and_judged_as_it_comes(
    house: SimpleNamespace,
) -> None:
    stream = FakeStream(
        script(
            batch(house.make, "Mr Lowe abuse", "rain", cursor="a"),
            batch(house.make, "Miss Barr threat", cursor="b", start=5),
            TransientError("hung up"),
        )
    )
    source = Source(house.source.info, "feed", MINUTE, stream)
    reports = []

    async def kept(report: Any) -> None:
        reports.append(report)
        await house.pipeline.judge_waiting()

    last = await house.pipeline.listen(source, kept=kept)
    assert last.failed
    assert [report.fresh for report in reports] == [1, 1, 0]
    assert house.store.sources.state("gazette", "feed").cursor == Cursor("b")
    # What was there before the source was watched is its first look; the rest is news.
    assert told(house) == [("holt", AlertKind.FIRST_LOOK), ("holt", AlertKind.CONCERN)]


async def test_a_stream_that_recovered_says_so_once(house: SimpleNamespace) -> None:
    house.store.sources.fail(
        "gazette", "feed", error="x", at=house.clock.now(), next_due_at=house.clock.now()
    )
    house.store.sources.set_told("gazette", told=True)
    reports = []

    async def kept(report: Any) -> None:
        reports.append(report.recovered is not None)
        house.store.sources.set_told("gazette", told=False)

    stream = FakeStream(script(batch(house.make, "Mr Lowe"), batch(house.make, "Mr Lowe")))
    await house.pipeline.listen(Source(house.source.info, "feed", MINUTE, stream), kept=kept)
    assert reports == [True, False]


# --- a name that is a word ------------------------------------------------------------------------


def in_own_source(house: SimpleNamespace, *words: str) -> None:
    """Let the next turn bring these posts from the own source of a school with a Mr Wood."""
    staff = [{"id": "desmond-lowe", "name": "Desmond Wood", "title": "Mr"}]
    school = {"id": "oakfield", "name": "Oakfield High School", "staff": staff}
    house.pipeline.judge.matcher = Matcher(Roster.from_table({"schools": [school]}))
    info = SourceInfo("gazette", Scope.SCHOOL, None, None)
    house.source = Source(info, "feed", MINUTE, house.connector)
    house.connector.script.append(Batch((), Cursor("first")))
    house.connector.script.append(batch(house.make, *words))


async def test_a_threat_that_calls_somebody_by_a_mere_word_is_told_as_only_possible(
    house: SimpleNamespace,
) -> None:
    in_own_source(house, "tick tock wood, a threat", "tick tock wood", "the wood, a threat")
    await house.pipeline.turn(house.source)
    report = await house.pipeline.turn(house.source)
    assert (report.fetched, report.fresh) == (3, 1)
    assert [grade.severity for grade in await house.pipeline.judge_waiting()] == [
        Severity.THREATENING
    ]
    assert told(house) == [("holt", AlertKind.POSSIBLE)]


async def test_where_the_grader_is_broken_such_a_post_is_kept_and_waits_for_the_digest(
    house: SimpleNamespace,
) -> None:
    in_own_source(house, "tick tock wood, a threat", "the wood, a threat")
    house.grader.broken = True
    await house.pipeline.turn(house.source)
    assert (await house.pipeline.turn(house.source)).fresh == 1
    assert [grade.severity for grade in await house.pipeline.judge_waiting()] == [Severity.UNGRADED]
    assert told(house) == []
    assert len(house.store.reading.digest_lines("holt")) == 1


# --- judgements ---------------------------------------------------------------------------------


async def test_a_first_look_is_one_mail_about_the_source(house: SimpleNamespace) -> None:
    house.connector.script = script(
        batch(house.make, "Mr Lowe abuse", "Miss Barr threat", "Mr Lowe fine", "Miss Barr abuse")
    )
    await house.pipeline.turn(house.source)
    await house.pipeline.judge_waiting()
    assert told(house) == [("holt", AlertKind.FIRST_LOOK)]
    assert len(house.store.reading.digest_lines("holt")) == 1


async def test_an_alert_shows_a_post_once_with_all_its_targets(house: SimpleNamespace) -> None:
    await looked(house, "Mr Lowe and Miss Barr threat")
    assert told(house) == [("holt", AlertKind.CONCERN)]
    assert len(house.store.reading.heard(1, "holt")) == 2


async def test_a_threat_to_the_headteacher_is_told_to_the_second_person_too(
    house: SimpleNamespace,
) -> None:
    await looked(house, "Mrs Holt threat")
    assert sorted(told(house)) == [("holt", AlertKind.CONCERN), ("osei", AlertKind.CONCERN)]


async def test_a_headteacher_finds_no_trace_of_an_allegation_about_them(
    house: SimpleNamespace,
) -> None:
    # The words about Mr Lowe stand in the same post, so they would show him the accusation.
    await looked(house, "Mrs Holt is a nonce and Mr Lowe abuse", "Mr Lowe abuse")
    assert told(house) == [("osei", AlertKind.ALLEGATION), ("holt", AlertKind.CONCERN)]
    await looked(house, "Mrs Holt and Mr Lowe, all quiet")
    assert house.store.reading.digest_lines("holt") == ()
    restricted = [case for case in house.store.reading.cases() if case.restricted]
    assert [len(case.mention_ids) for case in restricted] == [2]


async def test_a_possible_target_beside_a_certain_one_stands_in_the_same_alert(
    house: SimpleNamespace,
) -> None:
    await looked(house, "threat to Mr Lowe? and Miss Barr")
    assert told(house) == [("holt", AlertKind.CONCERN)]


async def test_an_edit_no_graver_waits_for_the_digest_and_a_graver_one_does_not(
    house: SimpleNamespace,
) -> None:
    await looked(house, "Mr Lowe abuse")
    await looked(house, "Mr Lowe abuse, edited")
    assert told(house) == [("holt", AlertKind.CONCERN)]
    assert len(house.store.reading.digest_lines("holt")) == 1
    await looked(house, "Mr Lowe threat")
    assert told(house) == [("holt", AlertKind.CONCERN)] * 2


async def test_what_cannot_be_graded_is_told_as_unsure_abuse(house: SimpleNamespace) -> None:
    (grade,) = await looked(house, "Mr Lowe crash")
    assert grade.severity is Severity.UNGRADED
    assert told(house) == [("holt", AlertKind.CONCERN)]
    assert house.store.reading.counts().ungraded == 1


async def test_a_grader_that_failed_its_test_is_sure_of_nothing(house: SimpleNamespace) -> None:
    house.pipeline.judge.distrust = True
    (grade,) = await looked(house, "Mr Lowe is fine")
    assert grade.unsure
    assert told(house) == [("holt", AlertKind.CONCERN)]


async def test_after_a_crash_between_two_targets_the_rest_is_judged_and_told_once(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = house.store.judging.judge
    calls = []

    def dies_second(judgement: Any, *, at: Any) -> bool:
        calls.append(judgement)
        if len(calls) == 2:
            raise SystemExit
        done: bool = honest(judgement, at=at)
        return done

    with monkeypatch.context() as patched:
        patched.setattr(house.store.judging, "judge", dies_second)
        with pytest.raises(SystemExit):
            await looked(house, "Mr Lowe and Miss Barr threat")
    assert told(house) == []
    assert len(await house.pipeline.judge_waiting()) == 1
    assert told(house) == [("holt", AlertKind.CONCERN)]
    house.make.verified(house.store, house.vault)


async def test_a_post_that_cannot_be_judged_does_not_stop_those_behind_it(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest: Callable[..., bool] = house.store.judging.judge

    def refuses_the_first(judgement: Any, *, at: Any) -> bool:
        if judgement.mention_id == 1:
            raise EvidenceError("it cannot be sealed")
        return honest(judgement, at=at)

    with monkeypatch.context() as patched:
        patched.setattr(house.store.judging, "judge", refuses_the_first)
        assert len(await looked(house, "Mr Lowe threat", "Miss Barr threat")) == 1
    assert len(house.store.judging.waiting()) == 1
    assert len(await house.pipeline.judge_waiting()) == 1


# --- small parts --------------------------------------------------------------------------------


def test_what_no_database_can_hold_is_replaced_and_the_rest_left_alone(make: Make) -> None:
    dirty = make.post("1\x00", "Mr Lowe\x00 \ud83d tab\t 🔪", title="\udc00", raw_body=b"raw")
    found = clean(dirty)
    assert found.text == "Mr Lowe\N{REPLACEMENT CHARACTER} ? tab\t 🔪"
    assert "\x00" not in found.ref.native_id
    found.text.encode()
    found.title.encode()
    assert found.raw == dirty.raw
    assert clean(found) == found


def test_a_native_id_of_any_length_can_be_looked_up_and_stays_the_same(make: Make) -> None:
    long, other = make.post("x" * 9_000), make.post("x" * 9_001)
    assert clean(long).ref == clean(long).ref != clean(other).ref
    assert len(clean(long).ref.native_id) < 100
    assert clean(make.post("short")).ref == make.post("short").ref


def test_a_school_is_the_target_only_where_no_person_is_named(make: Make) -> None:
    post = make.post()
    school = make.mention(post, Target(TargetKind.SCHOOL, "thornleigh"))
    sure = make.mention(post)
    perhaps = make.mention(post, None, Certainty.POSSIBLE)
    assert targets((school, sure)) == (sure,)
    assert targets((school, perhaps)) == (school, perhaps)
    assert targets((school,)) == (school,)


async def test_bytes_that_an_erasure_took_before_the_commit_are_put_again(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = house.store.sources.accept

    def erased_meanwhile(turn: Any, captures: Any) -> Any:
        for capture in captures:
            assert len(capture.blobs) == 2
            assert all(house.vault.erase(digest) for digest in capture.blobs)
        return honest(turn, captures)

    monkeypatch.setattr(house.store.sources, "accept", erased_meanwhile)
    await looked(house, "Mr Lowe was late again")
    assert len(list(house.vault.walk())) == 2, "the original, and the WARC file it stands in"
