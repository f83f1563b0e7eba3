"""Retention over two years, by the commands that its user types and by the service at night.

Every command is a process of its own on a real database file, with the wall clock moved by months
(`moved_clock`); feeds and mail go over loopback. Who is named in which post stands in `POSTS`.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.backup import archive
from monitor.demo import feeds as demo_feeds
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedPost, FeedServer
from tests.e2e.house import PATIENCE, ROOT, House, wait_for

MOVED = (sys.executable, "-m", "tests.e2e.moved_clock")
MONDAY = datetime(2027, 1, 11, 6, 50, tzinfo=UTC)
"""In term, before the time of the digest; London keeps UTC in winter."""
DIGEST = MONDAY.replace(hour=8)
DAY = timedelta(days=1)
EARLY = MONDAY + 89 * DAY
OVER = MONDAY + 92 * DAY
"""When all that is neutral is older than ninety days."""
YEAR_OVER = MONDAY + 12 * 31 * DAY + DAY
"""When twelve months have gone by since the abuse and the threat."""
SECRET = "kittiwake"
"""Stands in every post that retention should let go, and nowhere else."""

POSTS = {
    "free": f"Mrs Okonjo at Larkfield Academy showed year 7 a {SECRET}.",
    "also-free": f"Ms Wrona at Larkfield Academy saw no {SECRET}.",
    "flagged": "Grey scarf lost outside Larkfield Academy.",
    "after-abuse": "Miss Adeyemi at Larkfield Academy ran the under 13s on Saturday.",
    "after-threat": "Mr Pell from Larkfield Academy planted daffodils by the gate.",
    "abuse": "Miss Adeyemi at Larkfield Academy is a disgusting fat cow and thick as mince,"
    " everyone make sure she knows it",
    "threat": "Mr Pell from Larkfield Academy, we know which car is yours and where you park it."
    " Be a shame if your brakes failed on the way home. We'll be waiting at the gates.",
}
LATE = f"Dr Siddiqui at Larkfield Academy drew a {SECRET}."
"""Comes when Monday's digest has gone; Tuesday's meets a mail server that is down."""
REASON = "neutral, older than 90 days, listed in a message that was taken"
ENTRIES = 12
"""Of three mentions: post, mention and grade of each, and the three tries to send two digests."""
MORE = '[backup]\nrecipients = ["{}"]\nfolder = "{}"\nkeep_days = 35\n\n'


@dataclass(frozen=True, slots=True)
class School:
    """An installation, and what is outside of it."""

    house: House
    mail: MailCatcher
    feeds: FeedServer
    key: Path

    def at(self, moment: datetime, *words: str, code: int = 0) -> str:
        """What one command prints that is typed at that moment."""
        ran = subprocess.run(
            [*MOVED, moment.isoformat(), *words, "--config", str(self.house.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            cwd=ROOT,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout if code == 0 else ran.stderr

    def listed(self, moment: datetime) -> list[dict[str, Any]]:
        """The dry run, a line for each that would go."""
        return [json.loads(line) for line in self.at(moment, "retention", "--json").splitlines()]

    def going(self, moment: datetime) -> set[str]:
        """The posts whose mentions would go by themselves, by their names here."""
        rows = [row for row in self.listed(moment) if not row["case"]]
        assert all(row["needs"] == "" and "90 days" in row["why"] for row in rows)
        return {self.name_of(int(row["mentions"])) for row in rows}

    def name_of(self, mention: int) -> str:
        query = "select p.native_id from mention m join post p on p.id = m.post_id where m.id = ?"
        return str(self.house.rows(query, mention)[0]["native_id"]).rpartition("/")[2]

    def mention(self, name: str) -> str:
        """The number of the mention in a post, as a command takes it."""
        query = "select m.id from mention m join post p on p.id = m.post_id where p.url like ?"
        return str(self.house.rows(query, f"%/{name}")[0]["id"])

    def case(self, name: str) -> str:
        """The case of the mention in a post."""
        query = "select case_id from mention where id = ?"
        number = int(self.house.rows(query, self.mention(name))[0]["case_id"])
        for line in self.at(OVER, "case", "list", "--json").splitlines():
            row = json.loads(line)
            if int(row["number"].rpartition("-")[2]) == number:
                return str(row["number"])
        raise AssertionError(f"no case of {name}")

    def serve_until_told(self, moment: datetime) -> None:
        """Run the service from that moment until it has tried to send the day's digest."""
        tried = "select 1 from delivery where alert_id = ? and attempts > 0"
        with self.house.service(*MOVED, moment.isoformat(), "run", "--config") as service:
            newest = "select max(id) as id from alert where kind = 'digest' and raised_at >= ?"
            since = moment.strftime("%Y-%m-%d %H:%M:%S")
            alert = wait_for("a digest", lambda: self.house.rows(newest, since)[0]["id"])
            wait_for("its delivery", lambda: self.house.rows(tried, alert))
            wait_for(
                "an outcome",
                lambda: not self.house.rows("select 1 from delivery where state = 'sending'"),
            )
            service.stop()

    def verify(self, moment: datetime) -> dict[str, Any]:
        """What `evidence verify` says, which finds nothing wrong."""
        found: dict[str, Any] = json.loads(self.at(moment, "evidence", "verify", "--json"))
        return found

    def found(self, moment: datetime, word: str) -> int:
        """How many mentions a search finds."""
        return len(self.at(moment, "evidence", "search", word, "--json").splitlines())

    def holds_secret(self) -> bool:
        """Whether the words of what may go stand in any file of the installation."""
        files = [path for path in self.house.data_dir.rglob("*") if path.is_file()]
        return any(SECRET.encode() in path.read_bytes() for path in files)

    def erasures(self) -> list[tuple[str, str, str, int]]:
        """Of each erasure in the log: basis, person, reason, and how many entries went."""
        query = "select \"index\" as place from entry where kind = 'record.erased' order by 1"
        with self.house.store() as store:
            opened = [store.log.entry(row["place"]) for row in self.house.rows(query)]
        found = []
        for one in opened:
            gone = one.public["entries"]
            assert isinstance(gone, list | tuple)
            by, reason = str(one.secret["by"]), str(one.secret["reason"])
            found.append((str(one.public["basis"]), by, reason, len(gone)))
        return found


class _Monday(datetime):
    """The feeds' own clock: they were written on Monday."""

    @classmethod
    def now(cls, tz: object = None) -> Any:  # noqa: ARG003 - as `datetime` has it
        return MONDAY


@pytest.fixture(scope="module")
def feeds() -> Iterator[FeedServer]:
    with pytest.MonkeyPatch.context() as patch, FeedServer() as server:
        patch.setattr(demo_feeds, "datetime", _Monday)
        server.publish(FeedPost("forum", "nothing", "someone", "", "We saw a heron."))
        yield server


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailCatcher]:
    with MailCatcher(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Who may open a backup, and the file with which they do."""
    recipient, written = archive.new_identity("")
    path = tmp_path_factory.mktemp("key") / "backup-key.txt"
    path.write_bytes(written)
    return recipient, path


def school(
    place: Path, feeds: FeedServer, mail: MailCatcher, key: tuple[str, Path], smtp: int
) -> School:
    urls = {"forum": f"http://127.0.0.1:{feeds.port}/forum.xml"}
    (place / "backups").mkdir()
    house = House(place, smtp, urls, more=MORE.format(key[0], place / "backups"))
    return School(house, mail, feeds, key[1])


@pytest.fixture(scope="module")
def january(
    tmp_path_factory: pytest.TempPathFactory,
    feeds: FeedServer,
    mail: MailCatcher,
    key: tuple[str, Path],
) -> School:
    """A school on Tuesday: Monday's digest was taken, Tuesday's was not."""
    place = tmp_path_factory.mktemp("january")
    seen = school(place, feeds, mail, key, mail.port)
    seen.at(MONDAY - DAY, "migrate")
    seen.at(MONDAY - DAY, "poll")
    feeds.publish(*(FeedPost("forum", name, "someone", "", text) for name, text in POSTS.items()))
    seen.at(MONDAY, "poll")
    seen.serve_until_told(DIGEST)
    answer_alerts(seen, DIGEST)
    feeds.publish(FeedPost("forum", "late", "someone", "", LATE))
    seen.at(DIGEST + timedelta(hours=1), "poll")
    seen.house.smtp = nobody_listens()
    seen.house.write_config()
    seen.serve_until_told(DIGEST + DAY)
    return seen


@pytest.fixture
def own(
    january: School, tmp_path: Path, feeds: FeedServer, mail: MailCatcher, key: tuple[str, Path]
) -> School:
    """A copy of it, to be changed; the mail server is still down."""
    copy = school(tmp_path, feeds, mail, key, january.house.smtp)
    shutil.copytree(january.house.data_dir, copy.house.data_dir)
    return copy


def nobody_listens() -> int:
    """A port on which no mail server is."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def mend_mail(of: School) -> None:
    of.house.smtp = of.mail.port
    of.house.write_config()


def answer_alerts(of: School, moment: datetime) -> None:
    """Say of every alert that it was seen, as people do on the day."""
    for line in of.at(moment, "alert", "list", "--json").splitlines():
        row = json.loads(line)
        if row["kind"] != "digest":
            of.at(moment, "alert", "ack", str(row["id"]), "--by", "head")


# --- what goes, and when --------------------------------------------------------------------------


def test_neutral_goes_after_ninety_days_and_a_digest_that_was_taken(own: School) -> None:
    house = own.house
    assert own.going(EARLY) == set()
    assert own.at(EARLY, "retention", "--apply") == "0 mention(s) erased\n"
    size = own.verify(OVER)["entries"]
    assert own.going(OVER) == {"free", "also-free"}, "of Tuesday's digest nobody has heard"
    assert own.verify(OVER)["entries"] == size + 1, "the entry that somebody looked"
    assert house.logged("record.erased") == 0

    mend_mail(own)
    caught = len(own.mail.caught)
    own.at(OVER, "poll")

    told = [each for each in own.mail.caught[caught:] if "Siddiqui" in each.text]
    assert [each.recipient for each in told] == ["head@larkfield.example"]
    assert own.going(OVER) == {"free", "also-free", "late"}


def test_what_goes_is_gone_logged_and_not_captured_again(own: School) -> None:
    mend_mail(own)
    own.at(OVER, "poll")
    assert own.found(OVER, SECRET) == 3
    assert own.holds_secret()
    size = own.verify(OVER)["entries"]

    assert own.at(OVER, "retention", "--apply", "--by", "pryce") == "3 mention(s) erased\n"

    assert own.erasures() == [("retention", "pryce", REASON, ENTRIES)]
    verified = own.verify(OVER)
    assert (verified["entries"], verified["erased"]) == (size + 1, ENTRIES)
    assert own.found(OVER, SECRET) == 0
    assert not own.holds_secret()
    assert own.going(OVER) == set()
    assert "1 mentions, 0 of them new" not in own.at(OVER, "poll")
    assert not own.house.rows("select 1 from mention where state = 'accepted'")
    assert own.found(OVER, SECRET) == 0, "the feed still shows them"


def test_the_night_erases_by_itself_and_says_so(own: School) -> None:
    mend_mail(own)
    before_night = OVER.replace(hour=1, minute=39, second=56)  # summer time: 02:39:56 in London
    with own.house.service(*MOVED, before_night.isoformat(), "run", "--config") as service:
        wait_for("the erasure", lambda: own.house.logged("record.erased"))
        service.stop()
    assert {(basis, by) for basis, by, _why, _count in own.erasures()} == {("retention", "program")}
    assert own.going(OVER) == set()
    assert not own.holds_secret()
    own.verify(OVER)


def test_abuse_and_a_threat_keep_for_a_year_and_a_flag_for_ever(own: School) -> None:
    assert own.going(YEAR_OVER - 2 * DAY) == {"free", "also-free"}
    assert own.going(YEAR_OVER) == {"free", "also-free", "after-abuse", "after-threat"}
    assert not own.going(YEAR_OVER.replace(year=2037)) & {"flagged", "abuse", "threat"}


def test_a_hold_keeps_what_it_covers_and_the_message_that_told_of_it(own: School) -> None:
    """Monday's digest told of both: its text would go with the first of them."""
    held = "--mention", own.mention("free")
    beside = "--mention", own.mention("also-free")
    own.at(EARLY, "evidence", "hold", *held, "--why", "a claim")
    assert own.going(OVER) == set()
    for each in (held, beside):
        refused = own.at(OVER, "evidence", "erase", *each, "--reason", "tidying", code=1)
        assert "legal hold" in refused
    assert own.at(OVER, "retention", "--apply") == "0 mention(s) erased\n"
    digest = own.house.rows("select min(id) as id from alert where kind = 'digest'")[0]["id"]
    assert "Okonjo" in own.at(OVER, "alert", "show", str(digest), "--json")
    own.at(OVER, "evidence", "release", *held, "--why", "the claim was settled")
    assert own.going(OVER) == {"free", "also-free"}


# --- cases ----------------------------------------------------------------------------------------


def test_a_case_of_abuse_goes_after_its_school_year_and_one_more_when_a_person_says_so(
    own: School,
) -> None:
    case, other = own.case("abuse"), own.case("threat")
    closed = MONDAY + 30 * DAY
    for each in (case, other):
        own.at(closed, "case", "close", each, "--why", "dealt with")
    last, after = (datetime(2028, month, 1, 12, tzinfo=UTC) for month in (8, 9))
    assert not [row for row in own.listed(last) if row["case"]]
    (row,) = [row for row in own.listed(after) if row["case"]]
    assert (row["case"], row["needs"]) == (case, "a person's approval")
    own.at(after, "retention", "--apply")
    approve = "retention", "--approve"
    assert own.at(after, *approve, case, code=2)
    assert "not among the cases" in own.at(after, *approve, other, "--why", "agreed", code=1)
    own.at(after, "evidence", "hold", "--case", case, "--why", "a claim")
    assert "not among the cases" in own.at(after, *approve, case, "--why", "agreed", code=1)
    own.at(after, "evidence", "release", "--case", case, "--why", "settled")
    assert own.found(after, "mince") == 1

    done = own.at(after, *approve, case, "--why", "the governors agreed", "--by", "chair")

    assert done == f"{case}: 1 mention(s) erased\n"
    basis, by, why, _count = own.erasures()[-1]
    assert (basis, by) == ("retention", "chair")
    assert why.endswith("approved: the governors agreed")
    assert own.found(after, "mince") == 0
    own.verify(after)


def test_a_threat_is_kept_until_the_day_that_a_person_sets(own: School) -> None:
    case = own.case("threat")
    own.at(MONDAY + 30 * DAY, "case", "close", case, "--why", "the police have it")
    far = datetime(2040, 1, 10, 12, tzinfo=UTC)
    assert not [row for row in own.listed(far) if row["case"]]
    own.at(far, "case", "keep", case, "--until", "2040-01-10", "--why", "as the LADO asked")
    assert not [row for row in own.listed(far) if row["case"]]
    assert [row["case"] for row in own.listed(far + DAY) if row["case"]] == [case]
    own.at(far + DAY, "retention", "--approve", case, "--why", "agreed")
    assert own.found(far + DAY, "brakes") == 0
    own.verify(far + DAY)


# --- backups --------------------------------------------------------------------------------------


def test_an_older_backup_brings_nothing_back_and_goes_when_its_time_is_over(own: School) -> None:
    (line,) = own.at(OVER - DAY, "backup", "--json").splitlines()
    made = Path(json.loads(line)["file"])
    assert own.at(OVER, "retention", "--apply", "--by", "pryce") == "2 mention(s) erased\n"
    words = "--key", str(own.key), "--why", "the disk broke", "--by", "quill", "--yes"

    own.at(OVER + DAY, "restore", str(made), *words)

    assert [(basis, by) for basis, by, _why, _count in own.erasures()] == [("restore", "quill")]
    assert own.found(OVER + DAY, SECRET) == 1, "only of what was not erased"
    own.verify(OVER + DAY)
    assert own.going(OVER + DAY) == set()
    kept = json.loads(own.at(OVER + 33 * DAY, "backup", "--json"))
    assert kept["removed"] == []
    removed = json.loads(own.at(OVER + 35 * DAY, "backup", "--json"))
    assert removed["removed"] == [made.name]
    assert not made.exists()
