"""What is left out of an export is nowhere in it, whichever field it is, or it says where.

Each secret field of each kind of entry holds a word that stands nowhere else, save where it has to:
the words that matched are words of the text, and all of it is in the bytes that arrived.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.evidence import entries
from monitor.evidence.leaf import Json, read_disclosure
from monitor.export.traces import TracesError
from monitor.model import Author, Flag, Grade, Reason, Scores, Severity
from tests.export.house import School, a_picture, unpacked
from tests.export.test_bundle import disclosed, printed
from tests.export.test_report import everything_in

NEVER = {"files", "manifest_sha256"}
"""What ties the files to the log cannot be left out."""
IN_WORDS = {"about", "flags", "severity", "unsure", "urgency"}
"""Words of our own, which stand in any report; a test below is about them."""
UNMARKED = {"height", "raw_media_type", "raw_offset", "refused", "size", "width"} | {
    "browser",
    "kept_back",
    "left_out",
    "notes",
    "reference",
    "taken_at",
}
"""Numbers, kinds, and what is the same in every entry."""
OCCASION: dict[str, Any] = {"by": "zqgrader", "why": "zqwhy", "recipient": "zqgiven-to"}
SAID = "zqtext of mr zqmatch"


def a_marked_case(school: School) -> None:
    make, now = school.make, school.make.now
    author = Author(
        "@zqhandle", "Zqauthorname Smith", "zqauthorid", "https://zqauthorpage.example/"
    )
    post = make.post(
        "zqnative",
        f"Zqmatch {SAID}",
        url="https://forum.school.example/zqurl",
        title="zqtitle",
        thread="zqthread",
        author=author,
        published_raw="zqasgiven",
        media_urls=("https://zqmedia.example/p.png",),
        raw_body=f"{SAID} zqtitle zqthread @zqhandle /zqurl zqnative zqraw".encode(),
    )
    assert post.answer is not None
    post = replace(post, answer=replace(post.answer, url="https://zqanswer.example/feed"))
    capture = make.capture(post, make.person("zqtarget"), vault=school.vault)
    school.names = {"zqtarget": "Zqnameoftarget Smith", "zqgrader": "Zqnameofgrader Smith"}
    (mention,) = school.store.sources.accept(make.turn(), [capture]).fresh
    grade = Grade(
        Severity.THREATENING,
        flags=frozenset({Flag.ALLEGATION}),
        scores=Scores(0.712345, 0.212345, 0.07531),
        reasons=(Reason(0, 6, "zqreason", 0.5),),
        model="constant",
    )
    judgement = make.judgement(mention, grade=grade, restricted=True)
    school.store.judging.judge(judgement, at=now)
    theirs = replace(grade, by="zqgrader", note="zqgradenote", model="", scores=None)
    school.store.judging.regrade(
        mention, make.judgement(mention, grade=theirs, restricted=True), at=now
    )
    a_picture(school)
    school.store.log.append(everything_told_of(school, now + timedelta(hours=4)))
    school.store.reading.note(school.case, by="zqnoter", text="zqcasenote", at=now)
    school.store.holding.hold(
        reference=school.case, mention=None, by="zqholder", why="zqholdwhy", at=now
    )
    school.sign()


def everything_told_of(school: School, at: Any) -> list[Any]:
    """An entry of each further kind that belongs to a case, as the program writes it."""
    posts = school.chosen()
    (post,), (mention,), case = posts.posts, posts.mentions, school.case
    sent = {
        "person": "zqtold-person",
        "recipient": "zqmail@school.example",
        "message_id": "<zqmessage@school.example>",
        "message_sha256": "5e" * 32,
    }
    found: dict[str, Json] = {
        "said": "zqanswered",
        "served_by": "zqserved",
        "severity": "abusive",
        "flags": ["allegation"],
    }
    alert = 1
    return [
        entries.access(at=at, what=case, mention_entry=None, by="zqviewer", why="zqviewed"),
        entries.alert_acknowledged(at=at, alert=alert, by="zqanswerer", how="reply"),
        entries.case_kept_until(
            at=at, reference=case, until="2030-01-01", by="zqkeeper", why="zqkeepwhy"
        ),
        entries.corrections_exported(
            at=at, mention_entries=[mention], by="zqcorrby", why="zqcorrwhy"
        ),
        entries.delivery_attempted(
            at=at, delivery=77, alert=alert, channel="mail", attempt=1, secret=sent
        ),
        entries.delivery_settled(
            at=at, delivery=77, outcome="taken", attempt=1, said="zqserversaid"
        ),
        entries.looked_again(at=at, post_entry=post, presence="gone", note="zqlooknote"),
        entries.opinion_asked(
            at=at,
            mention_entry=mention,
            grade_entry=3,
            model="m",
            server="zqmodelhost",
            told="zqtold",
        ),
        entries.opinion_given(at=at, mention_entry=mention, asked_entry=3, found=found),
        entries.page_not_pictured(at=at, post_entry=post, attempt=2, given_up=True, why="zqblank"),
        entries.record_released(
            at=at, reference=case, mention_entry=None, by="zqrelby", why="zqrelwhy"
        ),
        entries.record_erased(
            at=at, erased=[mention], basis="person", by="zqeraser", reason="zqerased"
        ),
    ]


def marks(value: Json) -> set[str]:
    """The words in a value by which it is known: marked ones, digests, long numbers."""
    return set(
        re.findall(r"[\w.@-]*zq[\w.@-]*|[0-9a-f]{12,}|(?<!\d)0\.\d{5,}", json.dumps(value).lower())
    )


def everything(files: dict[str, bytes], folder: Path) -> str:
    """All that a reader of an export can get at, names of files included."""
    listed = json.loads(files["data/entries.json"])["entries"]
    opened = []
    for each in (*listed, json.loads(files["proof.json"])["export"]):
        opened.append(base64.b64decode(each["content"]).decode())
        opened += [json.dumps(read_disclosure(encoded)) for encoded in each["disclosures"]]
    plain = [name + " " + body.decode("utf-8", "replace") for name, body in files.items()]
    report = everything_in(files["data/report.pdf"]).decode("latin-1")
    return "\n".join([*plain, *opened, report, printed(files, folder)]).lower()


def heeded(school: School, path: Path, *left_out: str, **occasion: Any) -> dict[str, bytes]:
    """The export without these fields, and without those that it then asks to leave out too."""
    asked = set(left_out)
    for _ in range(5):
        try:
            return unpacked(school.export(path, *sorted(asked), **(OCCASION | occasion)))
        except TracesError as error:
            asked |= {each.add for each in error.traces} - {""}
    raise AssertionError(f"it still names something without {asked}")


@pytest.fixture
def marked(school: School) -> School:
    a_marked_case(school)
    return school


def test_whatever_field_is_left_out_its_words_are_nowhere(marked: School, tmp_path: Path) -> None:
    whole = unpacked(marked.export(tmp_path / "case.zip", **OCCASION))
    fields = disclosed(whole)
    told = everything(whole, tmp_path)
    wrong = {}
    for field in sorted(fields.keys() - NEVER - IN_WORDS - UNMARKED):
        known = {mark for value in fields[field] for mark in marks(value)}
        assert known, field
        assert all(mark in told for mark in known), f"{field}: not shown even in full"
        files = heeded(marked, tmp_path / "case.zip", field)
        assert field not in disclosed(files)
        left = everything(files, tmp_path)
        there = sorted(mark for mark in known if mark in left)
        if there:
            wrong[field] = there
    assert wrong == {}


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("target", "Zqnameoftarget"),
        ("by", "Zqnameofgrader"),
        ("person", "Zqnameofgrader"),
    ],
)
def test_a_person_is_named_neither_by_id_nor_by_name(
    marked: School, tmp_path: Path, field: str, names: str
) -> None:
    """The report says people's names, which stand in no entry."""
    said = everything(unpacked(marked.export(tmp_path / "case.zip", **OCCASION)), tmp_path)
    assert names.lower() in said
    left = everything(heeded(marked, tmp_path / "case.zip", field), tmp_path)
    assert names.lower() not in left


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("severity", ["threatening"]),
        ("flags", ["allegation"]),
    ],
)
def test_a_grade_that_is_left_out_is_not_told_in_other_words(
    marked: School, tmp_path: Path, field: str, words: list[str]
) -> None:
    whole = printed(unpacked(marked.export(tmp_path / "case.zip", restricted=True)), tmp_path)
    files = heeded(marked, tmp_path / "case.zip", field, restricted=True)
    for word in words:
        assert word in whole.lower()
        assert word not in printed(files, tmp_path).lower(), field
        assert word not in json.dumps(disclosed(files)).lower()


# --- what the export says of itself ---------------------------------------------------------------


def told_of(school: School, path: Path, *left_out: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """Where something can still be read, by value and place."""
    before = school.store.log.head()
    with pytest.raises(TracesError) as refused:
        school.export(path, *left_out)
    assert school.store.log.head() == before, "nothing left, so nothing is told"
    assert path.read_bytes() == b""
    return {(each.value, each.place): each.entries for each in refused.value.traces}


def test_a_person_whom_the_text_names_is_told_before_anything_leaves(
    with_case: School, tmp_path: Path
) -> None:
    a_picture(with_case)
    told = told_of(with_case, tmp_path / "case.zip", "target")
    assert told["desmond lowe", "text"] == (4,)
    assert told["mr lowe", "text"] == told["mr lowe", "the original bytes"] == (1, 7)
    assert told["", "the picture"] == (19,), "no program reads it"
    with_case.export(tmp_path / "case.zip", "target", "text")


@pytest.mark.parametrize(
    "written",
    [
        "MR\u00a0LOWE,",
        "&#77;r Lowe",
        "<b>Mr&nbsp;Lowe</b>",
        r"\u004dr Lowe",
        "?q=Mr%20Lowe",
        "Mr\r\nLowe",
    ],
)
def test_a_value_is_found_however_it_is_written(
    school: School, tmp_path: Path, written: str
) -> None:
    school.hear(school.make.post(1, "Mr Lowe", raw_body=f"<p>{written}</p>".encode()))
    assert told_of(school, tmp_path / "case.zip", "target")["mr lowe", "the original bytes"] == (1,)


def test_a_part_of_a_longer_word_is_not_taken_for_the_value(school: School, tmp_path: Path) -> None:
    author = Author("lee", "", "", "")
    school.hear(school.make.post(1, "Mr Lowe rolled up a sleeve", author=author))
    school.export(tmp_path / "case.zip", "author")
    school.hear(school.make.post(2, "Mr Lowe told lee: no", author=author))
    assert told_of(school, tmp_path / "case.zip", "author").keys() == {("lee", "text")}


def test_what_no_field_leaves_out_is_said_too(school: School, tmp_path: Path) -> None:
    school.hear(school.make.post(1, "Mr Lowe", author=Author("gazette", "", "", "")))
    with pytest.raises(TracesError, match="stand in what every export shows") as refused:
        school.export(tmp_path / "case.zip", "author")
    assert "“gazette” stands in the sealed bytes of entry 1" in str(refused.value)
