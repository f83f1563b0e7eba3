"""A model on a real loopback server is asked about what the grader doubts, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from loguru import logger

from monitor.config.second_opinion import SecondOpinionConfig
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from monitor.evidence.vault import Vault
from monitor.grading.grader import Grader
from monitor.grading.question import Question
from monitor.grading.reading import Reading
from monitor.http import PoliteHttp
from monitor.judge import Judge
from monitor.matching.masking import Masker
from monitor.matching.roster import Person, Roster, School
from monitor.model import AlertKind, Flag, Grade, Severity, Urgency
from monitor.opinion import LATEST, SecondReader, limits
from monitor.people.audience import Audience
from monitor.storage.records import StoredOpinion
from monitor.storage.store import Store
from monitor.testing import FakeClock
from tests.e2e.house import House, post, wait_for
from tests.e2e.servers import (
    Asked,
    BadServer,
    Behaviour,
    bad_server,
    endless,
    in_turn,
    redirect,
    reply,
    silent,
)
from tests.e2e.test_cli import typed

Make = Any
WORDS = "Mr Lowe wants to watch his back, Chloe Barr says so, ask @gate_mum"
ROSTER = Roster(
    (
        School(
            "t",
            "Thornleigh Academy",
            staff=(Person("d", "Desmond Lowe"), Person("c", "Chloe Barr")),
        ),
    )
)


@cache
def shipped() -> Grader:
    return Grader.load()


DOUBT = Grade(Severity.ABUSIVE, unsure=True, model="plain")


@dataclass
class Doubter:
    """Finds everything what it is told to; reads as the shipped model does."""

    grade_given: Grade = DOUBT
    name: str = "plain"
    card: dict[str, object] = field(default_factory=dict)

    def grade(self, _: Question, *, reasons: bool = True) -> Grade:  # noqa: ARG002
        return self.grade_given

    def reading(self, question: Question) -> Reading:
        return shipped().reading(question)


def says(content: object, status: int = 200) -> Behaviour:
    body = {"model": "small-model", "choices": [{"message": {"content": content}}]}
    return reply(json.dumps(body).encode(), status, type_="application/json")


def finds(grade: str, *flags: str) -> Behaviour:
    return says(json.dumps({"grade": grade, "flags": flags}))


MODELS = reply(b'{"data": []}', type_="application/json")


@dataclass
class Room:
    """One store with a doubting grader, and a server that may be asked."""

    store: Store
    vault: Vault
    make: Make
    clock: FakeClock
    doubter: Doubter
    judge: Judge
    http: PoliteHttp

    def accept(self, number: int = 1, words: str = WORDS, *targets: str) -> int:
        """Keep and judge one post as the pipeline does; the id of its (first) mention."""
        people = [self.make.person(each) for each in targets]
        capture = self.make.capture(self.make.post(number, words), *people, vault=self.vault)
        ids = self.store.sources.accept(self.make.turn(), [capture]).fresh
        for stored in self.store.judging.waiting():
            grade, card = self.judge.grade(stored)
            judgement = self.judge.judgement(stored, grade, card, (), (), at=self.clock.now())
            self.store.judging.judge(judgement, at=self.clock.now())
        return int(ids[0])

    def reader(self, server: BadServer | str, **given: Any) -> SecondReader:
        url = server if isinstance(server, str) else f"{server.url}/v1"
        config = SecondOpinionConfig(url=url, model="small", **given)
        return SecondReader(
            store=self.store,
            judge=lambda: self.judge,
            clock=self.clock,
            http=self.http.for_source(allow_private=True, home=url, limits=limits(config)),
            given=config,
            mask=lambda text: Masker(ROSTER).mask(text).text,
        )

    def grades(self, mention: int) -> list[tuple[Severity, bool, str]]:
        return [
            (g.grade.severity, g.grade.unsure, g.grade.by)
            for g in self.store.reading.grades(mention)
        ]

    def alerts(self) -> list[tuple[AlertKind, str, Urgency]]:
        return [
            (alert.kind, delivery.person, delivery.urgency)
            for alert in reversed(self.store.outbox.alerts())
            for delivery in self.store.outbox.deliveries(alert.id)
        ]


@pytest.fixture
async def room(store: Store, vault: Vault, make: Make) -> AsyncIterator[Room]:
    clock = FakeClock(make.now)
    doubter = Doubter()
    judge = Judge(None, lambda: doubter, Audience(make.config()))  # type: ignore[arg-type, return-value]
    http = PoliteHttp(clock=clock)
    yield Room(store, vault, make, clock, doubter, judge, http)
    await http.aclose()


@asynccontextmanager
async def serving(*answers: Behaviour, models: Behaviour = MODELS) -> AsyncIterator[BadServer]:
    async with bad_server() as server:
        server.paths["/v1/models"] = models
        server.paths["/v1/chat/completions"] = in_turn(*answers)
        yield server


def asked_of(server: BadServer) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in server.asked if each.path.endswith("/completions")]


ABUSIVE = (Severity.ABUSIVE, True, "model")


async def test_a_graver_opinion_is_a_new_grade_and_whoever_must_hear_sooner_hears(
    room: Room,
) -> None:
    mention = room.accept()
    told_before = room.alerts()
    async with serving(finds("threatening")) as server:
        (grade,) = await room.reader(server).round()
    assert grade.severity is Severity.THREATENING
    assert room.grades(mention) == [ABUSIVE, (Severity.THREATENING, True, "second-opinion")]
    assert told_before == [(AlertKind.CONCERN, "holt", Urgency.DAYTIME)]
    assert room.alerts() == [*told_before, (AlertKind.CONCERN, "holt", Urgency.NOW)]
    room.make.verified(room.store, room.vault)


async def test_the_same_opinion_lifts_the_doubt_and_disturbs_nobody_again(room: Room) -> None:
    mention = room.accept()
    before = room.alerts()
    async with serving(finds("abusive")) as server:
        await room.reader(server).round()
    assert room.grades(mention) == [ABUSIVE, (Severity.ABUSIVE, False, "second-opinion")]
    assert room.alerts() == before


async def test_a_milder_opinion_changes_nothing_and_is_kept(room: Room) -> None:
    mention = room.accept()
    async with serving(finds("neutral", "mild", "allegation")) as server:
        assert await room.reader(server).round() == ()
    assert room.grades(mention) == [ABUSIVE]
    (opinion,) = room.store.opinions.of(mention)
    assert opinion.found is not None
    assert opinion.found["severity"] == "neutral"
    assert opinion.found["served_by"] == "small-model"
    room.make.verified(room.store, room.vault)


async def test_what_is_told_names_nobody_and_is_sealed_word_for_word(room: Room) -> None:
    mention = room.accept()
    async with serving(finds("neutral")) as server:
        await room.reader(server).round()
        (question,) = asked_of(server)
    (opinion,) = room.store.opinions.of(mention)
    assert question["messages"][1]["content"] == opinion.told
    assert "[PERSON] wants to watch his back" in opinion.told
    whole = b"".join(each.body for each in server.asked).decode()
    for name in ("Lowe", "Chloe", "Barr", "gate_mum", "parent"):
        assert name not in whole
    assert (opinion.model, opinion.server) == ("small", f"{server.url}/v1")


async def test_what_is_told_is_in_the_log_before_it_is_told(room: Room) -> None:
    mention = room.accept()
    seen: list[StoredOpinion] = []

    async def look(asked: Asked, writer: asyncio.StreamWriter) -> None:
        seen.extend(room.store.opinions.of(mention))
        await finds("abusive")(asked, writer)

    async with serving(look) as server:
        await room.reader(server).round()
    assert [(each.given_entry, bool(each.told)) for each in seen] == [(None, True)]


@pytest.mark.parametrize(
    "answer",
    [
        says("threatening, I should say"),
        says('{"grade": "threatening", "flags": [], "note": "hi"}'),
        says(None),
        says("x" * 5_000),
        reply(b"<html>", type_="text/html"),
        reply(b"", 500),
        reply(b"", 401),
        redirect("http://127.0.0.1:1/v1/chat/completions", 307),
        endless(),
    ],
    ids=["prose", "more", "nothing", "long", "html", "500", "401", "redirect", "endless"],
)
async def test_anything_but_a_grade_is_no_opinion_and_is_kept_as_that(
    room: Room, answer: Behaviour
) -> None:
    mention = room.accept()
    async with serving(answer) as server:
        reader = room.reader(server)
        assert await reader.round() == ()
        assert await reader.round() == ()  # it is asked once
        assert len(asked_of(server)) == 1
    assert room.grades(mention) == [ABUSIVE]
    (opinion,) = room.store.opinions.of(mention)
    assert opinion.found is not None
    assert str(opinion.found["why"]).startswith("no opinion: ")
    room.make.verified(room.store, room.vault)


async def test_a_model_that_thinks_too_long_has_no_opinion(room: Room) -> None:
    mention = room.accept()
    async with serving(silent) as server:
        assert await room.reader(server, timeout_seconds=1).round() == ()
    (opinion,) = room.store.opinions.of(mention)
    assert opinion.found is not None
    assert "longer" in str(opinion.found["why"]) or "talking" in str(opinion.found["why"])


async def test_a_server_that_is_down_is_told_nothing_and_asked_again_later(room: Room) -> None:
    mention = room.accept()
    reader = room.reader("http://127.0.0.1:9/v1")
    size = room.store.log.head()
    assert await reader.round() == ()
    assert "refuses connections" in reader.trouble
    assert room.store.log.head() == size
    async with serving(finds("abusive")) as server:
        reader.http, reader.given = room.reader(server).http, room.reader(server).given
        assert await reader.round() == ()  # not before its time
        room.clock.advance(timedelta(hours=1))
        assert len(await reader.round()) == 1
    assert reader.trouble == ""
    assert reader.answered_at == room.clock.now()
    assert len(room.grades(mention)) == 2


async def test_a_server_without_a_list_of_models_is_there_all_the_same(room: Room) -> None:
    room.accept()
    async with serving(finds("threatening"), models=reply(b"", 404)) as server:
        assert len(await room.reader(server).round()) == 1


async def test_a_server_that_knows_no_form_of_answers_is_asked_without_one(room: Room) -> None:
    room.accept()
    async with serving(reply(b"", 400), finds("threatening")) as server:
        assert len(await room.reader(server).round()) == 1
        assert ["response_format" in each for each in asked_of(server)] == [True, False]


@pytest.mark.parametrize(
    "grade",
    [
        Grade(Severity.ABUSIVE, model="plain"),
        Grade(Severity.NEUTRAL, model="plain"),
        Grade(Severity.UNGRADED, unsure=True),
        Grade(Severity.ABUSIVE, unsure=True, flags=frozenset({Flag.ALLEGATION})),
    ],
    ids=["sure", "neutral", "ungraded", "allegation"],
)
async def test_only_what_the_grader_doubts_is_told_and_never_an_allegation(
    room: Room, grade: Grade
) -> None:
    room.doubter.grade_given = grade
    room.accept()
    async with serving(finds("threatening")) as server:
        assert await room.reader(server).round() == ()
        assert server.asked == []


async def test_sure_grades_are_read_past_once_and_what_comes_after_is_asked(room: Room) -> None:
    room.doubter.grade_given = Grade(Severity.NEUTRAL, model="plain")
    room.accept(1)
    async with serving(finds("threatening")) as server:
        reader = room.reader(server)
        assert await reader.round() == ()
        assert room.store.remembered("opinions.reached") == "1"
        room.doubter.grade_given = DOUBT
        room.accept(2)
        assert len(await reader.round()) == 1
        # The grade of the mention, and the one that the opinion led to.
        assert room.store.remembered("opinions.reached") == "3"


async def test_a_persons_word_stands(room: Room) -> None:
    mention = room.accept()

    async def meanwhile(asked: Asked, writer: asyncio.StreamWriter) -> None:
        own = Grade(Severity.NEUTRAL, by="holt", note="a joke of mine")
        room.store.judging.regrade(
            mention, room.make.judgement(mention, grade=own), at=room.make.now
        )
        await finds("threatening")(asked, writer)

    async with serving(meanwhile) as server:
        assert await room.reader(server).round() == ()
    assert room.grades(mention)[-1] == (Severity.NEUTRAL, False, "holt")
    assert room.store.opinions.of(mention)[0].given_entry is not None


async def test_so_many_are_asked_in_an_hour_and_the_rest_wait(room: Room) -> None:
    for number in range(3):
        room.accept(number)
    async with serving(finds("threatening")) as server:
        reader = room.reader(server, most_per_hour=2)
        assert len(await reader.round()) == 2
        assert len(await reader.round()) == 0
        room.clock.advance(timedelta(hours=1))
        assert len(await reader.round()) == 1


async def test_what_is_a_day_old_is_no_longer_asked_about(room: Room) -> None:
    room.accept()
    room.clock.advance(LATEST + timedelta(seconds=1))
    async with serving(finds("threatening")) as server:
        assert await room.reader(server).round() == ()


async def test_what_was_told_and_answered_is_erased_with_its_mention(room: Room) -> None:
    mention = room.accept()
    async with serving(finds("neutral")) as server:
        await room.reader(server).round()
    (before,) = room.store.opinions.of(mention)
    chosen = room.store.dossiers.of_mentions([mention], "x")
    assert chosen is not None
    assert {before.asked_entry, before.given_entry} <= set(chosen.entries)
    stored = room.store.reading.mention(mention)
    assert stored is not None
    assert room.store.repeat_erasures([stored.entry_index], by="holt", at=room.make.now) == 1
    assert room.store.opinions.of(mention) == ()
    for index in (before.asked_entry, before.given_entry):
        assert index is not None
        assert room.store.log.entry(index).secret == {}
    room.make.verified(room.store, room.vault)


async def test_no_word_of_a_post_is_logged(room: Room) -> None:
    room.accept()
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message) + str(message.record)), level=0)
    try:
        async with serving(says("nonsense about a back"), finds("threatening")) as server:
            await room.reader(server).round()
    finally:
        logger.remove(sink)
    assert lines
    assert not any("back" in line or "Lowe" in line for line in lines)


async def test_trying_it_out_tells_of_nobody_and_keeps_nothing(room: Room) -> None:
    size = room.store.log.head()
    async with serving(finds("neutral")) as server:
        said = await room.reader(server).try_out()
    assert said.startswith("small finds an invented sentence neutral in ")
    assert room.store.log.head() == size


# --- the whole service --------------------------------------------------------------------------

ABUSE = "Mr Pell from Larkfield Academy is a horrible man and an idiot"


class ModelServer(BaseHTTPRequestHandler):
    """Finds everything threatening."""

    def do_GET(self) -> None:
        self._say({"data": []})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = '{"grade": "threatening", "flags": []}'
        self._say({"model": "small", "choices": [{"message": {"content": content}}]})

    def _say(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def model_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ModelServer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_the_service_asks_tells_and_shows_and_check_and_status_speak_of_it(
    tmp_path: Path, model_url: str
) -> None:
    with FeedServer() as feeds, MailCatcher(tmp_path / "mail") as mail:
        feeds.publish(post("forum", "a1", ABUSE))
        # Under this threshold the grader is sure of nothing.
        asked = f'[grading.second_opinion]\nurl = "{model_url}"\nmodel = "small"\n'
        url = f"http://127.0.0.1:{feeds.port}/forum.xml"
        house = House(tmp_path, mail.port, {"forum": url}, more=f"[grading]\nsure = 0.99\n{asked}")
        house.migrate()
        with house.service() as service:
            kinds = "select kind from entry where kind like 'opinion.%' order by \"index\""
            wait_for("an opinion", lambda: len(house.rows(kinds)) == 2)
            by = "select by, severity from grade order by id"
            wait_for("two grades", lambda: len(house.rows(by)) == 2)
            wait_for("a signed threat", lambda: house.rows("select 1 from checkpoint"))
            service.stop()
        assert [tuple(row.values()) for row in house.rows(by)] == [
            ("model", "abusive"),
            ("second-opinion", "threatening"),
        ]
        asked_for = ("--config", str(house.config))
        (shown,) = typed("mention", "show", "1", "--json", *asked_for).rows
        (opinion,) = shown["second_opinions"]
        assert "horrible man" in opinion["told"]
        assert "Pell" not in opinion["told"]
        assert opinion["answer"]["severity"] == "threatening"
        graded = house.rows("select entry_index from grade order by id")
        replayed = typed("grade", "--replay", str(graded[0]["entry_index"]), *asked_for)
        assert replayed.code == 0, replayed.err
        assert replayed.rows[0]["second_opinions"] == shown["second_opinions"]
        refused = typed("grade", "--replay", str(graded[1]["entry_index"]), *asked_for)
        assert "is a second opinion" in refused.err
        assert "second opinion: small, answered last 20" in typed("status", *asked_for).out
        lines = typed("check", "--json", *asked_for).rows
        (line,) = (each for each in lines if each["what"] == "second opinion")
        assert line["found"].startswith("small finds an invented sentence threatening")
        assert typed("evidence", "verify", *asked_for).code == 0


def test_check_says_that_it_is_off(tmp_path: Path) -> None:
    house = House(tmp_path, 9)
    house.migrate()
    lines = typed("check", "--json", "--config", str(house.config)).rows
    (line,) = (each for each in lines if each["what"] == "second opinion")
    assert (line["level"], line["found"]) == ("ok", "off")
