"""The report: an archival, accessible PDF in which whatever strangers wrote lies still."""

from __future__ import annotations

import re
import subprocess
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.evidence import entries
from monitor.export.visible import visible
from monitor.model import Author, Severity
from tests.export import stranger
from tests.export.house import School, a_picture, unpacked
from tests.export.test_bundle import printed
from tests.programs import needs

HOSTILE = (
    'Mr Lowe #read("/etc/passwd") #import "x" $x^2$ *bold* @ref <label> \\ // gone',
    "= Not a heading\n/ term: x\n+ item\n- item\n#pagebreak()\n`raw`",
    'Mr Lowe <script>alert(1)</script> =HYPERLINK("http://x") {{7*7}} %s \' -- ;',
    "\u202eewoL rM\u202c \u2066x\u2069 \u200b\ufeff\u00ad \x07\x1b[31m \ud7ff \ue000 \U000e0041",
    "Mr Lowe 日本語 سلام नमस्ते \N{HOCHO} \N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} \U0001fae8",
    "Mr Lowe Z" + "\u0300\u0489" * 5_000,
    "Mr Lowe " + "A" * 400_000,
    "Mr Lowe " + "\n" * 50_000 + "end",
)


def test_the_report_claims_and_has_what_pdf_a_3_and_pdf_ua_1_ask_for(
    with_case: School, tmp_path: Path
) -> None:
    """ISO 19005-3, 6.6.4 and 6.7; ISO 14289-1, 5 and 7: what can be seen without a validator."""
    report = unpacked(with_case.export(tmp_path / "case.zip"))["data/report.pdf"]
    said = everything_in(report)
    assert report.startswith(b"%PDF-1.7")
    for needed in (
        b"<pdfaid:part>3</pdfaid:part>",
        b"<pdfaid:conformance>A</pdfaid:conformance>",
        b"<pdfuaid:part>1</pdfuaid:part>",
        b"/MarkInfo",
        b"/StructTreeRoot",
        b"/OutputIntents",
        b"/Lang",
        b"/DisplayDocTitle true",
    ):
        assert needed in said, needed
    for refused in (b"/JavaScript", b"/Launch", b"/OpenAction", b"/Encrypt", b"/URI"):
        assert refused not in said, refused


def everything_in(pdf: bytes) -> bytes:
    """The file with its compressed streams unpacked beside it."""
    found = [pdf]
    for stream in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(stream[1]))
        except zlib.error:
            continue  # not a compressed one
    return b"\n".join(found)


def test_every_font_is_embedded_and_the_structure_is_tagged(
    with_case: School, tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(unpacked(with_case.export(tmp_path / "case.zip"))["data/report.pdf"])
    fonts = subprocess.run(
        [needs("pdffonts"), str(path)], capture_output=True, check=True, text=True
    )
    rows = [re.search(r"(yes|no) +(yes|no) +(yes|no)", each) for each in fonts.stdout.split("\n")]
    embedded = [row[1] for row in rows if row]
    assert embedded
    assert set(embedded) == {"yes"}
    tags = subprocess.run(
        [needs("pdfinfo"), "-struct-text", str(path)], capture_output=True, check=True, text=True
    )
    for tag in ("H1", "H2", "Table", "TH", "TD", "TOC", "L", "Lbl", "LBody"):
        assert re.search(rf"^ *{tag}\b", tags.stdout, re.MULTILINE), tag
    # A table that says nowhere what its columns are is none to somebody who hears it read
    # (ISO 14289-1, 7.5).
    tables = re.split(r"^ *Table\b", tags.stdout, flags=re.MULTILINE)[1:]
    assert all(re.search(r"^ *TH\b", table, re.MULTILINE) for table in tables)


def test_the_report_reads_as_a_case(with_case: School, tmp_path: Path) -> None:
    sent = {"person": "holt", "recipient": "head@school.example", "message_id": "<1@x.example>"}
    leaf = entries.delivery_attempted(
        at=with_case.make.now, delivery=1, alert=1, channel="mail", attempt=1, secret=sent
    )
    with_case.store.log.append([leaf])
    words = printed(unpacked(with_case.export(tmp_path / "case.zip")), tmp_path)
    for needed in (
        "Contents",
        "Chronology",
        "Exhibit SM-2026-0001/01",
        "break his legs",
        "https://forum.school.example/posts/1",
        "20 November 2026, 09:00:00 GMT",
        "threatening, by the program (constant)",
        "Desmond Lowe",
        "Custody log",
        "Marian Holt",
        "to decide what to do",
        "Rang the chair.",
        "Capture statement",
        "I produce 3 posts as exhibits SM-2026-0001/01 to SM-2026-0001/03",
        "UTC, clock synchronised with network time, error at most 4 ms",
        "as application/rss+xml",
        "the program A message about alert 1 to Marian Holt by mail, attempt 1",
        str(with_case.key.verifier)[:40],
    ):
        assert needed in words, needed


def test_no_page_holds_a_heading_alone_where_a_picture_follows(
    with_case: School, tmp_path: Path
) -> None:
    a_picture(with_case)
    printed(unpacked(with_case.export(tmp_path / "case.zip")), tmp_path)
    done = subprocess.run(
        [needs("pdftotext"), str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True
    )
    pages = done.stdout.decode().split("\f")
    (first,) = [each for each in pages if "\nExhibits\n" in each and "Contents" not in each]
    assert "break his legs" in first


def test_what_the_program_does_is_nobodys_doing_whatever_is_left_out(
    with_case: School, tmp_path: Path
) -> None:
    a_picture(with_case)
    words = printed(unpacked(with_case.export(tmp_path / "case.zip", "by", "url")), tmp_path)
    assert "The page was pictured SM-2026-0001/01" in words
    assert "Note on case SM-2026-0001, by withheld: Rang the chair." in words
    assert "by Marian" not in words


def test_one_post_is_spoken_of_as_one(school: School, tmp_path: Path) -> None:
    school.hear(school.make.post(1, "Mr Lowe"))
    words = printed(unpacked(school.export(tmp_path / "case.zip")), tmp_path)
    assert "I produce one post as exhibit SM-2026-0001/01. It was captured by the program" in words


def test_markup_overrides_and_floods_lie_still(school: School, tmp_path: Path) -> None:
    make = school.make
    school.hear(*(make.post(n, words) for n, words in enumerate(HOSTILE, start=1)))
    path = school.export(tmp_path / "case.zip")
    words = printed(unpacked(path), tmp_path)
    for still in (
        '#read("/etc/passwd")',
        "= Not a heading",
        "#pagebreak()",
        "<script>alert(1)</script>",
        "⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩ewoL rM",
        "⟨U+0007⟩",
        "⟨U+E000⟩",
        "more marks⟩",
        "the whole has 400,008 characters",
    ):
        assert still in words, still
    assert "root:" not in words
    assert not set(words) & set("\u202e\u2066\u2069\x07\x1b")
    assert len(unpacked(path)["data/report.pdf"]) < 3_000_000
    assert stranger.problems(str(path)) == []


def test_endless_names_stay_in_their_place(school: School, tmp_path: Path) -> None:
    make = school.make
    long = "N" * 1_000_000
    post = make.post(1, "Mr Lowe", author=Author(long, long, long, long), title=long, thread=long)
    school.hear(post, severity=Severity.ABUSIVE)
    path = school.export(tmp_path / "case.zip")
    assert "the whole has 1,000,000 characters" in printed(unpacked(path), tmp_path)
    assert stranger.problems(str(path)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("tab\tand\u00a0blank", "tab and blank"),
        ("a\u202eb", "a⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩b"),
        ("line\r\nend\u2028too", "line\nend\ntoo"),
        ("\N{THUMBS UP SIGN}\ufe0f", "\N{THUMBS UP SIGN}"),
        ("e\u0301\u0301\u0301\u0301\u0301\u0301!", "e\u0301\u0301\u0301\u0301⟨2 more marks⟩!"),
        ("\x00", "⟨U+0000⟩"),
        ("12345", "123 [cut here; the whole has 5 characters and is sealed in the log]"),
        ("xy" * 32, "\u200b".join(["xy" * 8] * 4)),
        ("5f" * 32, "5f" * 32),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    limit = 3 if text == "12345" else 100
    assert visible(text, limit=limit) == shown


def test_a_letter_that_no_font_has_is_written_out() -> None:
    lack = frozenset({"\N{HOCHO}"})
    assert visible("a \N{HOCHO}", limit=10, lack=lack) == "a ⟨U+1F52A HOCHO⟩"


def test_an_allegation_is_marked_on_the_first_page(with_case: School, tmp_path: Path) -> None:
    files = unpacked(with_case.export(tmp_path / "case.zip", restricted=True))
    assert "This export concerns an allegation" in printed(files, tmp_path)


def test_the_school_reads_its_own_time(with_case: School, tmp_path: Path) -> None:
    summer = datetime(2027, 7, 1, 11, 0, tzinfo=UTC)
    files = unpacked(with_case.export(tmp_path / "case.zip", at=summer))
    assert "1 July 2027, 12:00:00 BST" in printed(files, tmp_path)
