"""What goes wrong on a server: a disk that is full, a database that is held, a clock set back."""

from __future__ import annotations

import signal
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from tests.e2e.house import House, post, ring, subjects, wait_for

CLOCK_SET = (sys.executable, "-m", "tests.e2e.clock_set")
NO_ROOM = 4096
"""Bytes: less than the smallest write of the database brings its journal to."""


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailCatcher]:
    with MailCatcher(tmp_path / "mail") as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, feeds: FeedServer, mail: MailCatcher) -> House:
    feeds.publish(post("forum", "f1", "A grey scarf was lost in Aldermoor."))
    house = House(tmp_path, mail.port, {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"})
    house.migrate()
    return house


def everything_once(house: House, mail: MailCatcher, mentions: int = 1) -> None:
    """One mention, judged once, told once to each who should hear; and all of it verifies."""
    assert len(house.rows("select 1 from mention")) == mentions
    assert len(house.rows("select 1 from grade")) == mentions
    assert not house.rows("select 1 from delivery where state != 'taken'")
    assert len({each.message_id for each in mail.caught}) == len(mail.caught)
    assert house.logged("post.captured") == mentions
    vault = house.data_dir / "vault"
    assert not [path for path in vault.rglob("*") if path.is_file() and path.name.startswith(".")]
    house.verify()


def test_a_full_disk_half_keeps_nothing_and_the_work_goes_on_when_there_is_room(
    house: House, feeds: FeedServer, mail: MailCatcher
) -> None:
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        before = house.source("forum")["cursor"]
        feeds.publish(post("forum", "f2"))
        house.due_now()
        service.limit_files(NO_ROOM)
        service.reload()
        wait_for("word that nothing could be kept", lambda: "could_not_keep" in service.log())
        assert service.process.poll() is None
        assert house.source("forum")["cursor"] == before, "what was not kept is asked for again"
        assert not house.rows("select 1 from mention")
        assert not house.rows("select 1 from post")
        house.verify()
        service.limit_files(-1)
        ring(house, service)
        wait_for("the threat", lambda: subjects(mail, "head@"))
        wait_for("its row", lambda: not house.rows("select 1 from delivery where state != 'taken'"))
        service.stop()
    everything_once(house, mail)


def test_a_full_disk_at_the_start_is_said_in_a_sentence(house: House) -> None:
    with house.service(ready=False) as service:
        service.limit_files(NO_ROOM)
        assert service.process.wait(60) == 1
    assert "Traceback" not in service.log()
    assert "the database cannot be used" in service.log()


def test_a_database_that_another_program_holds_is_waited_for(
    house: House, feeds: FeedServer, mail: MailCatcher
) -> None:
    with house.service() as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        feeds.publish(post("forum", "f2"))
        house.due_now()
        other = sqlite3.connect(house.database, timeout=30, isolation_level=None)
        other.execute("begin immediate")
        asked = feeds.requests
        service.reload()
        wait_for("another request", lambda: feeds.requests > asked)
        with pytest.raises(TimeoutError):
            wait_for("something kept", lambda: house.rows("select 1 from post"), seconds=3)
        other.execute("rollback")
        other.close()
        wait_for("the threat", lambda: subjects(mail, "head@"))
        wait_for("its row", lambda: not house.rows("select 1 from delivery where state != 'taken'"))
        service.stop()
        assert "could_not_keep" not in service.log(), "seconds are waited for, not given up"
    everything_once(house, mail)


def test_turns_and_mails_go_on_when_the_clock_is_set_back(
    house: House, feeds: FeedServer, tmp_path: Path
) -> None:
    late = MailCatcher(tmp_path / "late-mail")
    house.smtp = late.port
    house.write_config()
    with house.service(*CLOCK_SET) as service:
        wait_for("the first look", lambda: house.source("forum").get("polls") == 1)
        feeds.publish(post("forum", "f2"))
        ring(house, service)
        wait_for("a try", lambda: house.rows("select 1 from delivery where state = 'later'"))
        with late:
            service.process.send_signal(signal.SIGUSR1)
            wait_for("word of the clock", lambda: "clock.stepped" in service.log())
            wait_for(
                "the mail, before the hour is over again",
                lambda: subjects(late, "head@"),
                seconds=20,
            )
            wait_for(
                "a turn, before the hour is over again", lambda: house.source("forum")["polls"] == 3
            )
            wait_for("word to the administrator", lambda: subjects(late, "it@"))
            service.stop()
    assert house.logged("clock.stepped") == 1
    assert any("clock went backwards" in each for each in subjects(late, "it@"))
    assert (
        house.source("forum")["last_attempt_at"]
        < house.rows("select at from entry where kind = 'log.opened'")[0]["at"]
    ), "it was asked at a time that the old clock calls the past"
    house.verify()
