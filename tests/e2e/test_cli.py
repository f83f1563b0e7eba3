"""Every command as a person types it, on an installation that has seen the demonstration."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import main
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from monitor.demo.script import SCRIPT
from monitor.evidence.vault import Vault
from tests.e2e.house import COMMAND, ROOT, House

ROSTER = ROOT / "tests" / "fixtures" / "matching" / "academy" / "roster.toml"
POSTS = ROSTER.with_name("posts.jsonl")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its output as JSON lines."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(row, dict) for row in found)
        return found


def typed(*words: str, given: bytes = b"") -> Ran:
    """Run one command in this process, as `staff-mentions` with these words runs it."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    kept = sys.argv, sys.stdin, os.environ.get("COLUMNS")
    sys.argv, sys.stdin = ["staff-mentions", *words], io.TextIOWrapper(io.BytesIO(given))
    os.environ["COLUMNS"] = "250"
    code: object = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv, sys.stdin = kept[:2]
        os.environ.pop("COLUMNS") if kept[2] is None else os.environ.update(COLUMNS=kept[2])
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
    assert isinstance(code, int)
    return Ran(code, out.read(), err.read())


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailCatcher]:
    with MailCatcher(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, mail: MailCatcher) -> Iterator[House]:
    """An installation that has polled twice: before and after the demonstration's minute."""
    with FeedServer() as feeds:
        names = ("school-news", "town-forum", "parents-blog")
        urls = {name: f"http://127.0.0.1:{feeds.port}/{name}.xml" for name in names}
        house = House(tmp_path_factory.mktemp("seen"), mail.port, urls)
        assert typed("migrate", "--config", str(house.config)).code == 0
        for first in (True, False):
            feeds.publish(*(scene.post for scene in SCRIPT if (scene.after == 0) is first))
            polled = typed("poll", "--config", str(house.config))
            assert polled.code == 0, polled.err
        yield house


@pytest.fixture
def own(seen: House, tmp_path: Path) -> House:
    """A copy of it, to be changed."""
    house = House(tmp_path, seen.smtp, dict(seen.sources))
    shutil.copytree(seen.data_dir, house.data_dir)
    return house


def ask(house: House, *words: str, given: bytes = b"") -> Ran:
    return typed(*words, "--config", str(house.config), given=given)


# --- getting started ----------------------------------------------------------------------------

ANSWERS = """\
Dunnowby High School
Dunnowby High, DHS
Dunnowby
Ruth Adeyemi
head@dunnowby.example
Colin Farrow
chair@dunnowby.example
Petra Lindqvist
it@dunnowby.example

Mrs Ada Marchetti
Mr Tom Vantongeren


127.0.0.1
none
{port}

mentions@dunnowby.example
{place}/kept
"""


def test_what_init_writes_passes_check_but_for_the_law(tmp_path: Path, mail: MailCatcher) -> None:
    config = tmp_path / "config.toml"
    answers = ANSWERS.format(port=mail.port, place=tmp_path).encode()
    made = typed("init", "--config", str(config), given=answers)
    assert made.code == 0, made.out + made.err
    assert config.stat().st_mode & 0o007 == 0, "names of staff are nobody else's"
    assert (tmp_path / "kept" / "signing-key").stat().st_mode & 0o077 == 0
    checked = typed("check", "--config", str(config), "--json")
    found = {row["what"]: row for row in checked.rows}
    assert checked.code == 1, "nobody has approved anything yet"
    assert "Not yet lawful to rely on" in found["lawful"]["found"]
    assert found["channel mail"]["level"] == "ok"
    assert found["grader"]["level"] == "ok"
    trouble = {row["what"] for row in checked.rows if row["level"] == "TROUBLE"}
    assert trouble <= {"lawful", "clock"}, trouble
    assert all(row["to_do"] for row in checked.rows if row["level"] == "TROUBLE")
    again = typed("init", "--config", str(config), given=answers)
    assert again.code == 2
    assert "is there already" in again.err


def test_check_says_what_is_wrong_where_and_what_to_do(own: House) -> None:
    own.sources["gone"] = "http://127.0.0.1:1/feed.xml"
    own.smtp = 1
    own.write_config()
    checked = ask(own, "check")
    assert checked.code == 1
    lines = checked.out.splitlines()
    assert all(len(line) <= 100 or " " not in line[9:] for line in lines), "a path is not broken"
    for what in ("source gone", "channel mail"):
        first = next(n for n, line in enumerate(lines) if line.startswith(f"TROUBLE  {what}: "))
        to_do = next(line for line in lines[first:] if "\u2192" in line)
        assert "config" in to_do, "it says where to mend it"
    levels = [line.split()[0] for line in lines if line[:1].strip()]
    assert levels.index("TROUBLE") > levels.index("ok"), "what must be mended stands last"
    assert lines[-1].endswith("to mend")


def test_migrate_says_when_there_is_nothing_to_do(own: House) -> None:
    assert "already" in ask(own, "migrate").out
    assert ask(own, "migrate", "--json").rows[0]["after"]


def test_no_config_at_all_names_the_places_and_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = typed("status")
    assert ran.code == 2
    assert "staff-mentions init" in ran.err


# --- turns --------------------------------------------------------------------------------------


def test_poll_says_what_it_read_and_what_it_could_not(own: House, mail: MailCatcher) -> None:
    own.sources["gone"] = "http://127.0.0.1:1/feed.xml"
    own.write_config()
    said = ask(own, "poll", "town-forum", "gone")
    assert said.code == 1, "it could not look everywhere"
    assert "town-forum: 0 posts read" in said.out or "town-forum: 5 posts read" in said.out
    assert "gone: could not look" in said.out
    assert "parents-blog" not in said.out
    rows = ask(own, "poll", "--json", "parents-blog").rows
    assert rows[0]["source"] == "parents-blog"
    assert rows[0]["fresh"] == 0
    unknown = ask(own, "poll", "nowhere")
    assert unknown.code == 2
    assert "there are: school-news, town-forum" in unknown.err
    assert mail.caught


def test_status_where_no_service_ran_says_so(own: House) -> None:
    ran = ask(own, "status")
    assert ran.code == 1
    assert "the service has not run there" in ran.err


# --- records ------------------------------------------------------------------------------------


def numbered(house: House, grade: str) -> int:
    rows = ask(house, "mention", "list", "--json", "--grade", grade).rows
    return int(rows[0]["id"])


def test_mentions_are_listed_shown_and_graded_anew_and_each_look_is_kept(own: House) -> None:
    threat = numbered(own, "threatening")
    listed = ask(own, "mention", "list", "--person", "desmond-pell")
    assert "threatening" in listed.out
    assert "tolu-adeyemi" not in listed.out
    looks = own.logged("evidence.viewed")
    shown = ask(own, "mention", "show", str(threat), "--why", "to see", "--json").rows[0]
    assert "brakes" in shown["text"]
    assert shown["raw_sha256"]
    assert own.logged("evidence.viewed") == looks + 1
    unreasoned = ask(own, "mention", "regrade", str(threat), "neutral", "--why", " ")
    assert unreasoned.code == 2
    regraded = ask(
        own, "mention", "regrade", str(threat), "neutral", "--why", "a joke", "--by", "A"
    )
    assert regraded.code == 0, regraded.err
    grades = ask(own, "mention", "show", str(threat), "--json").rows[0]["grades"]
    assert [each["grade"] for each in grades] == ["threatening", "neutral"]
    assert grades[1]["by"] == "A"
    assert ask(own, "mention", "show", "9999").code == 1
    assert ask(own, "evidence", "verify").code == 0


def test_regrades_leave_as_texts_that_name_nobody(own: House, tmp_path: Path) -> None:
    threat, out = str(numbered(own, "threatening")), tmp_path / "corrections.jsonl"
    write = ("mention", "corrections", "--out", str(out), "--why", "asked for")
    assert ask(own, *write).code == 1  # nobody has graded anything yet
    assert ask(own, "mention", "regrade", threat, "neutral", "--why", "a joke").code == 0
    looks = own.logged("evidence.viewed")
    ran = ask(own, *write, "--looked-at", threat, "--mask", "Grimbleton")
    assert ran.code == 0, ran.err
    (row,) = (json.loads(line) for line in out.read_text().splitlines())
    assert (row["label"], row["was"]) == ("neutral", "threatening")
    assert row["mention"] in row["text"]
    assert "Pell" not in out.read_text()
    assert own.logged("evidence.viewed") == looks + 1
    assert own.logged("corrections.exported") == 1
    assert ask(own, *write[:-1], " ").code == 2
    assert ask(own, *write, "--looked-at", threat).code == 1  # never over another file
    assert own.logged("corrections.exported") == 1
    assert ask(own, "evidence", "verify").code == 0


def test_looking_again_says_whether_a_post_still_stands(own: House) -> None:
    ran = ask(own, "mention", "look-again", str(numbered(own, "threatening")), "--json")
    assert ran.code == 0, ran.err
    assert ran.rows[0]["presence"] in {"present", "gone", "could-not-look"}
    assert ask(own, "evidence", "verify").code == 0


def test_cases_are_listed_noted_opened_and_closed(own: House) -> None:
    listed = ask(own, "case", "list", "--json").rows
    number = next(row["number"] for row in listed if row["state"] == "proposed")
    assert ask(own, "case", "note", number, "She was told by me.", "--by", "H").code == 0
    assert ask(own, "case", "open", number, "--why", "a threat").code == 0
    assert ask(own, "case", "close", number, "--why", "police informed").code == 0
    assert ask(own, "case", "open", number, "--why", "another post").code == 0
    shown = ask(own, "case", "show", number, "--json").rows[0]
    assert shown["state"] == "reopened"
    assert any("She was told by me." in note for note in shown["notes"])
    absent = ask(own, "case", "show", "SM-1999-0001")
    assert absent.code == 1
    assert "numbers are like" in absent.err
    assert ask(own, "evidence", "verify").code == 0


def test_a_move_that_is_not_allowed_is_refused_in_a_sentence(own: House) -> None:
    number = ask(own, "case", "list", "--json").rows[0]["number"]
    ask(own, "case", "open", number, "--why", "a threat")
    ran = ask(own, "case", "open", number, "--why", "again")
    assert ran.code == 1
    assert "open" in ran.err
    assert "Traceback" not in ran.err


def test_alerts_are_listed_shown_and_answered(own: House) -> None:
    listed = ask(own, "alert", "list", "--json").rows
    threat = next(row for row in listed if row["kind"] == "concern")
    shown = ask(own, "alert", "show", str(threat["id"]))
    assert "head@larkfield.example" in shown.out
    assert ask(own, "alert", "ack", str(threat["id"]), "--by", "head").code == 0
    states = {row["id"]: row["state"] for row in ask(own, "alert", "list", "--json").rows}
    assert states[threat["id"]] == "acknowledged"
    assert ask(own, "alert", "ack", "9999").code == 1
    again = ask(own, "alert", "ack", str(threat["id"]), "--by", "deputy")
    assert again.code == 0
    assert "was answered already, by head" in again.out
    assert ask(own, "evidence", "verify").code == 0


def test_a_test_alert_arrives_marked_as_one(own: House, mail: MailCatcher) -> None:
    before = len(mail.caught)
    ran = ask(own, "alert", "test", "administrator")
    assert ran.code == 0, ran.err
    assert "taken" in ran.out
    assert len(mail.caught) == before + 1
    assert mail.caught[-1].recipient == "it@larkfield.example"
    assert "test" in mail.caught[-1].subject.lower()


SHOWS: tuple[tuple[str, ...], ...] = (
    ("mention", "list"),
    ("mention", "show", "1"),
    ("mention", "look-again", "1"),
    ("case", "list"),
    ("case", "show", "{case}"),
    ("alert", "list"),
    ("alert", "show", "1"),
    ("retention",),
)


@pytest.mark.parametrize("words", SHOWS, ids=" ".join)
def test_whoever_is_shown_something_is_in_the_log_first(own: House, words: tuple[str, ...]) -> None:
    case = ask(own, "case", "list", "--json").rows[0]["number"]
    looks = own.logged("evidence.viewed")
    ran = ask(own, *(word.format(case=case) for word in words), "--by", "head", "--why", "to see")
    assert ran.code == 0, ran.err
    assert own.logged("evidence.viewed") == looks + 1
    own.rows(
        "create trigger no_looks before insert on entry when new.kind = 'evidence.viewed'"
        " begin insert into nowhere values (1); end"
    )
    unkept = ask(own, *(word.format(case=case) for word in words))
    assert unkept.code == 1
    assert not unkept.out, "nothing is shown where the look cannot be kept"


def test_an_allegation_its_case_and_its_alerts_are_shown_to_the_cleared_only(own: House) -> None:
    number = str(numbered(own, "threatening"))
    before = {row["id"] for row in ask(own, "alert", "list", "--json").rows}
    flag = ("--flag", "allegation", "--why", "it says that a child was hurt")
    assert ask(own, "mention", "regrade", number, "abusive", *flag).code == 0
    listed = ask(own, "alert", "list", "--restricted", "--why", "audit", "--json").rows
    alerts = [str(row["id"]) for row in listed]
    case = ask(own, "case", "list", "--restricted", "--why", "audit", "--json").rows[0]["number"]
    told = [
        str(row["alert_id"])
        for row in own.rows(f"select alert_id from hearing where mention_id = {number}")
    ]
    assert set(alerts) - {str(each) for each in before}
    shown = [("mention", number), ("case", case), *(("alert", each) for each in {*alerts, *told})]
    looks = own.logged("evidence.viewed")
    for room, which in shown:
        for words in ((), ("--why", "audit"), ("--restricted",)):
            refused = ask(own, room, "show", which, *words)
            assert refused.code == 2, (room, which, words)
            assert not refused.out
    assert own.logged("evidence.viewed") == looks
    for room, which in shown:
        assert ask(own, room, "show", which, "--restricted", "--why", "audit").code == 0
    assert own.logged("evidence.viewed") == looks + len(shown)
    assert number not in [str(row["id"]) for row in ask(own, "mention", "list", "--json").rows]


def test_allegations_are_opened_only_with_a_reason(own: House) -> None:
    for room in ("mention", "case", "alert"):
        assert ask(own, room, "list", "--restricted").code == 2
        assert ask(own, room, "list", "--restricted", "--why", "audit").code == 0
    assert own.logged("evidence.viewed") >= 3


LISTS = (
    ("mention", "list"),
    ("mention", "show", "1"),
    ("case", "list"),
    ("alert", "list"),
    ("alert", "show", "1"),
    ("evidence", "verify"),
    ("migrate",),
    ("check",),
    ("poll", "school-news"),
)


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_json_is_one_object_a_line_and_nothing_else(own: House, words: tuple[str, ...]) -> None:
    ran = ask(own, *words, "--json")
    assert ran.rows
    assert ran.code == 0 or words == ("check",)


def test_a_reader_that_goes_away_is_no_drama(seen: House) -> None:
    process = subprocess.Popen(
        [*COMMAND, "mention", "list", "--json", "--config", str(seen.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    process.wait(30)


# --- finding, holding, forgetting ---------------------------------------------------------------


def test_what_was_found_can_be_held_and_then_erased_and_leaves_the_search(own: House) -> None:
    looked = ("evidence", "search", "pathetic worm", "--why", "to find it", "--by", "head")
    (found,) = ask(own, *looked, "--json").rows
    assert found["target"] == "desmond-pell"
    number = str(found["id"])
    why = ("--mention", number, "--why", "the union asked", "--by", "head")
    assert ask(own, "evidence", "hold", *why).code == 0
    gone = ("evidence", "erase", "--mention", number, "--reason", "asked to", "--by", "head")
    refused = ask(own, *gone)
    assert refused.code == 1
    assert "hold" in refused.err
    assert ask(own, "evidence", "release", *why).code == 0
    early = ask(own, *gone)
    assert early.code == 1
    assert "answer the alert first" in early.err
    for alert in ask(own, "alert", "list", "--json").rows:
        ask(own, "alert", "ack", str(alert["id"]), "--by", "head")
    assert ask(own, *gone).code == 0
    assert ask(own, *looked, "--json").rows == []
    assert ask(own, *looked).out.strip() == "nothing to list"
    assert ask(own, *gone).code == 0, "erasing again is no fault"
    assert ask(own, "evidence", "verify").code == 0
    shown = ask(own, "mention", "show", number, "--why", "to see", "--json").rows[0]
    assert "worm" not in json.dumps(shown)
    assert shown["target"] == "erased"


def test_nothing_is_old_enough_to_go_and_nothing_went(own: House) -> None:
    before = own.rows("select count(*) as n from mention")
    listed = ask(own, "retention")
    assert listed.code == 0
    assert listed.out.strip() == "nothing to list"
    assert ask(own, "retention", "--restricted").code == 2, "without a reason"
    assert ask(own, "retention", "--restricted", "--why", "audit").code == 0
    assert ask(own, "retention", "--apply", "--by", "head").code == 0
    assert own.rows("select count(*) as n from mention") == before
    assert ask(own, "evidence", "verify").code == 0


# --- grading again ------------------------------------------------------------------------------


def graded(house: House, number: int = -1) -> int:
    """The log index of a grade that the model gave."""
    rows = house.rows("select entry_index from grade where \"by\" = 'model' order by id")
    return int(rows[number]["entry_index"])


def test_a_sealed_grade_is_given_again_from_the_log_alone(own: House) -> None:
    before = own.rows("select count(*) as n from grade")
    own.rows("update post set text = 'a lovely day'")  # the rows are not what is graded
    for row in own.rows("select entry_index from grade where \"by\" = 'model'"):
        ran = ask(own, "grade", "--replay", str(row["entry_index"]))
        assert ran.code == 0, ran.out + ran.err
        assert ran.rows[0]["same"] is True
        assert ran.rows[0]["drift"] <= 0.02
        assert ran.rows[0]["differences"] == []
    assert own.rows("select count(*) as n from grade") == before


def test_a_replay_under_changed_thresholds_uses_those_of_that_day(own: House) -> None:
    own.more = "[grading]\nthreatening = 0.6\nabusive = 0.8\n"
    own.write_config()
    for row in own.rows("select entry_index from grade where \"by\" = 'model'"):
        assert ask(own, "grade", "--replay", str(row["entry_index"])).code == 0


@pytest.mark.parametrize(
    ("index", "says"),
    [("0", "is log.opened, not mention.graded"), ("99999", "the log has no entry 99999")],
)
def test_what_is_no_grade_is_not_replayed(own: House, index: str, says: str) -> None:
    ran = ask(own, "grade", "--replay", index)
    assert ran.code == 1
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_a_grade_that_was_changed_or_is_a_persons_is_not_replayed(own: House) -> None:
    index = graded(own)
    own.rows("update entry set content = cast(content || x'20' as blob) where \"index\" = ?", index)
    assert "not as it was sealed" in ask(own, "grade", "--replay", str(index)).err
    asked_for = ("mention", "regrade", "1", "abusive", "--why", "I read it")
    assert ask(own, *asked_for, "--by", "A").code == 0
    (mine,) = own.rows("select entry_index from grade where \"by\" = 'A'")
    ran = ask(own, "grade", "--replay", str(mine["entry_index"]))
    assert "is not a grade that the model gave" in ran.err


def test_a_schools_own_thresholds_decide_and_are_sealed(seen: House, tmp_path: Path) -> None:
    with FeedServer() as feeds:
        urls = {"town-forum": f"http://127.0.0.1:{feeds.port}/town-forum.xml"}
        more = "[grading]\nthreatening = 0.02\nabusive = 0.05\n"
        house = House(tmp_path, seen.smtp, urls, more=more)
        assert typed("migrate", "--config", str(house.config)).code == 0
        feeds.publish(*(scene.post for scene in SCRIPT))
        assert typed("poll", "--config", str(house.config)).code == 0
    (row,) = house.rows(
        "select content from entry where kind = 'mention.graded' order by \"index\" limit 1"
    )
    card = json.loads(row["content"][1:])["card"]
    assert json.loads(card["thresholds"])["threatening"] == 0.02
    (said,) = [row for row in ask(house, "check", "--json").rows if row["what"] == "grader"]
    assert "threatening from 0.02, as you set it" in said["found"]


# --- evidence -----------------------------------------------------------------------------------


def sql(house: House, *statements: str) -> None:
    database = sqlite3.connect(house.database)
    with database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0, statement
    database.close()


def flip_a_blob(house: House) -> None:
    blob = max(path for path in (house.data_dir / "vault").rglob("*") if path.is_file())
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(content)


def flip_a_picture(house: House) -> None:
    """Keep the picture of a page, see that it verifies, then flip one bit of it."""
    now = datetime.now(UTC)
    with house.store() as store:
        assert store.pictures.enqueue(frozenset({"127.0.0.1"}), since=now - timedelta(days=9)) > 0
        wanted = store.pictures.next(now=now)
        assert wanted is not None
        digest = Vault(house.data_dir / "vault").put(b"\x89PNG of the page")
        assert store.pictures.keep(wanted, digest, {"url": wanted.url}, at=now)
    whole = ask(house, "evidence", "verify")
    assert "1 pictures of pages" in whole.out, whole.err
    (path,) = (house.data_dir / "vault").rglob(digest)
    path.chmod(0o600)
    path.write_bytes(b"\x89PNG of the pagd")


def lose_a_blob(house: House) -> None:
    max(path for path in (house.data_dir / "vault").rglob("*") if path.is_file()).unlink()


def lose_the_key(house: House) -> None:
    (house.data_dir / "signing-key").unlink()


TAMPERED: dict[str, tuple[Callable[[House], None], str]] = {
    "the words of a post": (
        lambda house: sql(house, "update post set text = 'Nothing was said.' where id = 1"),
        "post",
    ),
    "a grade": (
        lambda house: sql(house, "update grade set severity='neutral' where severity!='neutral'"),
        "grade",
    ),
    "a mention that is gone": (
        lambda house: sql(
            house,
            "delete from grade where mention_id = (select max(id) from mention)",
            "delete from mention where id = (select max(id) from mention)",
        ),
        "mention",
    ),
    "an entry that is gone": (
        lambda house: sql(house, 'delete from entry where "index" = 5'),
        "entry 5",
    ),
    "an entry that was changed": (
        lambda house: sql(house, "update entry set content = x'00' where \"index\" = 5"),
        "entry 5",
    ),
    "the last entries, cut off": (
        lambda house: sql(
            house, 'delete from entry where "index" > (select max("index") from entry) - 3'
        ),
        "",
    ),
    "a disclosure": (
        lambda house: sql(
            house,
            "update disclosure set encoded = 'WyJhIiwgImIiLCAiYyJd' where rowid ="
            " (select max(rowid) from disclosure)",
        ),
        "entry",
    ),
    "a byte of an original": (flip_a_blob, "vault"),
    "a bit of a picture": (flip_a_picture, "(page.pictured): the picture of the page"),
    "an original that is gone": (lose_a_blob, "vault"),
    "the signing key": (lose_the_key, "signing-key"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_verify_misses_what_was_changed_and_names_it(own: House, what: str) -> None:
    change, named = TAMPERED[what]
    assert ask(own, "evidence", "verify").code == 0
    change(own)
    ran = ask(own, "evidence", "verify")
    assert ran.code == 1, ran.out
    assert "Traceback" not in ran.err
    assert "VERIFIED" not in ran.out
    assert named in ran.err, ran.err
    assert ask(own, "evidence", "verify", "--json").rows[0]["verified"] is False


def test_a_checkpoint_is_printed_with_the_key_that_checks_it(own: House) -> None:
    ran = ask(own, "evidence", "checkpoint")
    assert ran.code == 0
    assert "\N{EM DASH} " in ran.out, "a signed note has its signature lines"
    assert "verifier key" in ran.err


# --- the two judgements -------------------------------------------------------------------------


def test_match_needs_a_roster_and_nothing_more_and_a_bad_line_stops_no_other() -> None:
    good = POSTS.read_bytes().splitlines()[:3]
    bad = [b"{", b"[]", b'{"id": "x"}', b"\xff\xfe", b'{"id": "s", "text": "\\ud800 lone"}']
    lines = b"\n".join([good[0], *bad, *good[1:]]) + b"\n"
    ran = typed("match", "--config", str(ROSTER), given=lines)
    assert ran.code == 1
    assert [("error" in row) for row in ran.rows] == [False] + [True] * 4 + [False] * 3
    assert [row.get("line") for row in ran.rows[1:3]] == [2, 3]
    assert ran.rows[5]["id"] == "s"
    whole = typed("match", "--config", str(ROSTER), given=b"\n".join(good) + b"\n")
    assert whole.code == 0
    assert [row["id"] for row in whole.rows] == [json.loads(line)["id"] for line in good]


def test_match_explains_why_not() -> None:
    given = b"\n".join(POSTS.read_bytes().splitlines()[:40]) + b"\n"
    rows = typed("match", "--config", str(ROSTER), "--explain", given=given).rows
    plain = typed("match", "--config", str(ROSTER), given=given).rows
    assert [row["staff"] for row in rows] == [row["staff"] for row in plain]
    reasons = [each["why"] for row in rows for each in row["refused"]]
    assert reasons
    assert all(reasons)


def test_match_keeps_a_word_in_a_threat_as_possible_only_where_it_is_asked_to() -> None:
    words = ("tick tock marsh im coming for u", "the marsh is deep")
    given = "\n".join(
        json.dumps({"id": str(n), "text": text, "scope": "school", "source_school": "brackenfold"})
        for n, text in enumerate(words)
    ).encode()
    plain = typed("match", "--config", str(ROSTER), given=given).rows
    asked = typed("match", "--config", str(ROSTER), "--threats", "--explain", given=given).rows
    assert [row["possible"] for row in plain] == [[], []]
    assert [len(row["possible"]) for row in asked] == [1, 0]
    assert [match["rule"] for match in asked[0]["matches"]] == ["word-in-threat"]
    assert [each["unless_threat"] for each in asked[1]["refused"]] == [False]


def test_grade_needs_no_config_and_answers_in_order() -> None:
    rows = [
        {"id": "a", "text": "Thank you Mr Pell for a lovely trip.", "mention": "Mr Pell"},
        {"id": "b", "text": 5, "mention": "Mr Pell"},
        {
            "id": "c",
            "text": "Mr Pell I will find you and break your legs tonight",
            "mention": "Mr Pell",
        },
        {"id": "d", "text": "Mr Pell \ud800 is kind", "mention": "Mr Pell"},
    ]
    given = "\n".join(json.dumps(row) for row in rows).encode() + b"\nnot json\n"
    ran = typed("grade", "--no-reasons", given=given)
    assert ran.code == 1
    assert [row.get("id") for row in ran.rows] == ["a", "b", "c", "d", None]
    assert ran.rows[0]["grade"] == "neutral"
    assert "error" in ran.rows[1]
    assert ran.rows[2]["grade"] == "threatening"
    assert "grade" in ran.rows[3]
    assert ran.rows[4] == {"line": 5, "error": "not JSON"}


def test_a_huge_line_is_an_error_or_an_answer_and_the_next_line_is_read() -> None:
    huge = json.dumps({"id": "huge", "text": "Mr Pell is kind. " * 1_000_000, "mention": "Mr Pell"})
    small = json.dumps({"id": "small", "text": "Thank you Mr Pell.", "mention": "Mr Pell"})
    ran = typed("grade", "--no-reasons", given=f"{huge}\n{small}\n".encode())
    assert len(ran.rows) == 2, "one answer a line, however long"
    assert ran.rows[0]["error"]
    assert ran.rows[1]["id"] == "small"
    assert "grade" in ran.rows[1]
    assert ran.code == 1
