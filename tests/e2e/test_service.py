"""The service as its user runs it: a real process, real feeds, a real mail server, real signals."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from tests.e2e.house import ROOT, Heart, House, post, ring, status_server, subjects, wait_for

TEN_SECONDS = 10.0


class MailServer(MailCatcher):
    """A mail server that refuses whom it is told to refuse, and hangs where it is told to hang."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.refused: set[str] = set()
        self.begun: list[bytes] = []
        self.hangs = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.begun.append(envelope.original_content)
        if self.hangs:
            await asyncio.sleep(600)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "mail") as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, feeds: FeedServer, mail: MailServer) -> House:
    feeds.publish(post("forum", "f1", "A grey scarf was lost in Aldermoor."))
    house = House(tmp_path, mail.port, {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"})
    house.migrate()
    return house


# --- beginning and end --------------------------------------------------------------------------


def test_it_says_when_it_is_ready_alive_reloading_and_at_its_end(house: House) -> None:
    heart = Heart(watchdog_seconds=0.9)
    try:
        with house.service(environment=heart.environment) as service:
            wait_for("readiness", lambda: heart.hear()["READY=1"])
            wait_for("answers to the watchdog", lambda: heart.hear()["WATCHDOG=1"] >= 3)
            assert house.status()["state"] == "running"
            service.reload()
            wait_for("word of the reload", lambda: heart.hear()["RELOADING=1"])
            wait_for("readiness again", lambda: heart.hear()["READY=1"] == 2)
            reloading = next(said for said in heart.said if said.startswith("RELOADING=1"))
            assert "MONOTONIC_USEC=" in reloading, "Type=notify-reload wants the time"
            assert service.stop() < TEN_SECONDS
        assert heart.hear()["STOPPING=1"] == 1
        assert house.status()["state"] == "stopped"
        house.verify()
    finally:
        heart.close()


def test_a_second_service_on_the_same_data_is_refused_in_a_sentence(house: House) -> None:
    with house.service():
        second = house.command("run")
        said = house.command("status", "--json")
    assert second.returncode == 1
    assert "another staff-mentions is running" in second.stderr
    assert "Traceback" not in second.stderr
    assert '"state": "running"' in said.stdout


@pytest.mark.parametrize("revision", [None, "0000"])
def test_an_old_schema_is_refused_with_the_command_that_mends_it(
    house: House, revision: str | None
) -> None:
    if revision is None:
        house.database.unlink()
    else:
        house.rows("update alembic_version set version_num = ?", revision)
    ran = house.command("run")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    if revision is None:
        assert "staff-mentions migrate" in ran.stderr
    else:
        assert "restore a backup" in ran.stderr, "no migration leads on from a strange schema"


def test_a_config_with_many_mistakes_is_refused_with_all_of_them(house: House) -> None:
    house.config = ROOT / "tests" / "fixtures" / "config" / "many-mistakes.toml"
    ran = house.command("run")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    *problems, last = ran.stderr.strip().splitlines()
    assert len(problems) >= 5
    assert all("many-mistakes.toml" in problem for problem in problems)
    assert last == f"{len(problems)} problems: nothing was started."


def test_a_stop_waits_for_neither_a_hung_mail_server_nor_a_dripping_feed(
    house: House, feeds: FeedServer, mail: MailServer
) -> None:
    mail.hangs = True
    with DrippingServer() as drips:
        house.sources["drips"] = f"http://127.0.0.2:{drips.port}/"
        house.write_config()
        with house.service() as service:
            wait_for("the first look", lambda: house.source("forum").get("polls"))
            feeds.publish(post("forum", "f2"))
            ring(house, service)
            wait_for("a mail that hangs", lambda: mail.begun)
            wait_for("a feed that drips", drips.asked.is_set)
            assert service.stop() < TEN_SECONDS
    assert not mail.caught, "the server never said that it had taken it"
    house.verify()
    mail.hangs = False
    del house.sources["drips"]
    house.write_config()
    with house.service() as service:
        wait_for("the mail", lambda: mail.caught)
        wait_for("its row", lambda: not house.rows("select 1 from delivery where state != 'taken'"))
        service.stop()
    assert mail.begun[0] == mail.begun[1], "sent once more, and the same to the letter"
    assert len({each.message_id for each in mail.caught}) == len(mail.caught)
    assert len(house.rows("select 1 from mention")) == 1
    house.verify()


class DrippingServer:
    """Answers with a byte now and then, and never ends."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.2", 0))
        self.port = int(self._listener.getsockname()[1])
        self.asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(4096)
                self.asked.set()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
                while not self._over.wait(0.1):
                    connection.sendall(b" ")
        except OSError:
            pass  # the client hung up, or the test is over

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.close()
        self._thread.join(5)


# --- a change of config -------------------------------------------------------------------------


def test_a_reload_brings_a_new_source_and_silences_one_that_was_removed(
    house: House, feeds: FeedServer
) -> None:
    feeds.publish(post("news", "n1", "The fair at Larkfield Academy was a success."))
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        house.sources = {"news": f"http://127.0.0.1:{feeds.port}/news.xml"}
        house.write_config()
        ring(house, service)
        wait_for("the new source", lambda: house.source("news").get("polls") == 1)
        ring(house, service)
        wait_for("another turn", lambda: house.source("news").get("polls") == 2)
        assert house.source("forum")["polls"] == 1, "it was due, and nobody asked it"
        listed = wait_for("a status", lambda: house.status().get("sources"))
        assert [each["name"] for each in listed] == ["news"]
        service.stop()
    assert house.logged("config.changed") == 2


def test_an_invalid_config_is_not_put_in_force_and_the_status_says_so(
    house: House, feeds: FeedServer
) -> None:
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        good = house.config.read_text()
        house.config.write_text(good.replace("every_minutes = 1", "every_minutes = 0"))
        ring(house, service)
        wait_for("a refusal", lambda: "config.refused" in service.log())
        trouble = wait_for("the trouble in the status", lambda: house.status()["config_trouble"])
        assert "every_minutes" in trouble[0]
        said = house.command("status")
        assert said.returncode == 2, "the config is wrong, and every command says so first"
        house.config.write_text(good)
        service.reload()
        wait_for("a turn under the old config", lambda: house.source("forum")["polls"] == 2)
        wait_for("no trouble any more", lambda: not house.status()["config_trouble"])
        service.stop()


def test_a_changed_staff_list_is_read_again_and_the_change_is_in_the_log(
    tmp_path: Path, mail: MailServer, feeds: FeedServer
) -> None:
    staff = tmp_path / "staff.csv"
    staff.write_text("Staff Code,Title,Forename,Surname\nPEL,Mr,Desmond,Pell\n")
    house = House(tmp_path, mail.port, {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"})
    headed = 'headteacher = "imogen-tallis"\n'
    house.changes = {headed: f'{headed}staff_file = "staff.csv"\n'}
    house.changes['[[schools.staff]]\nid = "desmond-pell"'] = (
        '[[schools.staff]]\nid = "someone-else"'
    )
    house.changes['name = "Desmond Pell"'] = 'name = "Quentin Farrow"'
    house.write_config()
    house.migrate()
    feeds.publish(post("forum", "f1", "A grey scarf was lost in Aldermoor."))
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        before = house.logged("roster.changed")
        staff.write_text(
            "Staff Code,Title,Forename,Surname\nPEL,Mr,Desmond,Pell\nVAN,Mx,Robin,Vantongeren\n"
        )
        feeds.publish(post("forum", "f2", "Mx Vantongeren at Larkfield Academy ran a lovely quiz."))
        ring(house, service)
        wait_for("the new colleague", lambda: house.rows("select 1 from mention"))
        assert house.logged("roster.changed") == before + 1
        (who,) = house.rows(
            "select encoded from disclosure where name = 'by' and entry_index ="
            " (select max(\"index\") from entry where kind = 'roster.changed')"
        )
        assert json.loads(urlsafe_b64decode(who["encoded"] + "=="))[2] == "staff.csv"
        staff.write_text("Staff Code,Title,Forename,Surname\nPEL,Mr,,\n")
        service.reload()
        wait_for("a refusal of the bad list", lambda: house.status()["config_trouble"])
        service.stop()
    house.verify()


# --- mail ---------------------------------------------------------------------------------------


def test_a_mail_server_that_comes_late_still_gets_the_mail(
    tmp_path: Path, feeds: FeedServer
) -> None:
    mail = MailServer(tmp_path / "mail")
    feeds.publish(post("forum", "f1", "A grey scarf was lost in Aldermoor."))
    house = House(tmp_path, mail.port, {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"})
    house.migrate()
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        feeds.publish(post("forum", "f2"))
        ring(house, service)
        wait_for("a try", lambda: house.rows("select 1 from delivery where state = 'later'"))
        with mail:
            house.rows("update delivery set due_at = '2001-01-01 00:00:00.000000'")
            wait_for("the mail", lambda: mail.caught)
            untaken = "select 1 from delivery where state != 'taken'"
            wait_for("its row", lambda: not house.rows(untaken))
            service.stop()
    assert len(subjects(mail, "head@")) == 1
    assert len({each.message_id for each in mail.caught}) == len(mail.caught)
    assert house.logged("delivery.failed") >= 1
    house.verify()


def test_who_cannot_be_reached_is_followed_by_the_next_and_the_administrator_hears(
    house: House, feeds: FeedServer, mail: MailServer
) -> None:
    mail.refused = {"head@larkfield.example"}
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        feeds.publish(post("forum", "f2"))
        ring(house, service)
        wait_for("the deputy's mail", lambda: subjects(mail, "deputy@"))
        told = wait_for("word to the administrator", lambda: subjects(mail, "it@"))
        service.stop()
    assert "could not be delivered" in told[0]
    assert not subjects(mail, "head@")
    states = {row["role"]: row["state"] for row in house.rows("select role, state from delivery")}
    assert states["headteacher"] == "bounced"
    house.verify()


def test_a_service_that_was_killed_says_so_once_when_it_is_back_and_a_stopped_one_does_not(
    house: House, mail: MailServer
) -> None:
    for _ in range(2):
        with house.service() as service:
            assert not mail.caught
            service.stop()
    for killed in range(3):
        with house.service() as service:
            if killed:
                wait_for("word of it", lambda: subjects(mail, "it@"))
                assert "service.came_back" in service.log()
            wait_for("the status file", lambda: house.status().get("state") == "running")
            service.process.kill()
            service.process.wait(10)
    (told,) = mail.caught
    assert "ended by itself" in told.subject
    house.verify()


# --- sources ------------------------------------------------------------------------------------


def test_a_source_that_fails_is_told_once_and_once_more_when_it_is_back(
    house: House, feeds: FeedServer, mail: MailServer
) -> None:
    house.changes = {"[alerts]\n": "[alerts]\nsource_failures_before_telling = 2\n"}
    house.sources["late"] = f"http://127.0.0.1:{feeds.port}/late.xml"
    house.write_config()
    with house.service() as service:
        wait_for("a failure", lambda: house.source("late").get("failures") == 1)
        assert not mail.caught
        ring(house, service)
        wait_for("the second failure", lambda: house.source("late")["failures"] == 2)
        wait_for("word of it", lambda: subjects(mail))
        ring(house, service)
        wait_for("the third failure", lambda: house.source("late")["failures"] == 3)
        feeds.publish(post("late", "l1", "Nothing at all."))
        ring(house, service)
        wait_for("the second mail", lambda: len(mail.caught) == 2)
        service.stop()
    assert subjects(mail, "it@") == subjects(mail)
    assert "cannot be read" in subjects(mail)[0]
    assert "can be read again" in subjects(mail)[1]


def test_a_source_that_refuses_our_key_is_stopped_and_told_at_once(
    house: House, mail: MailServer
) -> None:
    with status_server(401) as port:
        house.sources["closed"] = f"http://127.0.0.1:{port}/"
        house.write_config()
        with house.service() as service:
            wait_for("word of it", lambda: subjects(mail, "it@"))
            wait_for("its row", lambda: house.source("closed").get("told"))
            service.stop()
    assert house.source("closed")["stopped"]
    assert len(mail.caught) == 1
    assert "was stopped" in subjects(mail)[0]
