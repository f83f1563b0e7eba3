"""The report before an independent validator of PDF/A and PDF/UA: every rule that it knows holds.

`page-validation` shares no code with Typst, which sets the report.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import page
import pytest

from monitor.model import Author, Post
from tests.export.house import School, a_case, a_picture, unpacked
from tests.export.test_access import draft, release_posts, sealed
from tests.export.test_report import HOSTILE

PDF_A, PDF_UA = page.ValidationProfile.PDF_A_3A, page.ValidationProfile.PDF_UA_1
EITHER = pytest.mark.parametrize("profile", [PDF_A, PDF_UA], ids=lambda each: each.name)


def broken(report: bytes, profile: page.ValidationProfile) -> list[str]:
    """What the validator finds, each with the rule that it breaks."""
    found = page.validate_pdf_bytes(report, profile=profile)
    assert found.rules.total > 100, "it looked at far less than the standard asks"
    assert found.is_compliant is not bool(found.failures)
    return [
        f"{each.rule_id}: {each.message}"
        for each in found.failures
        if each.rule_id not in _LENGTH or not lengths_hold(report)
    ]


_LENGTH = {"PDFA3A-STREAM-LENGTH-001", "PDFUA1-STREAM-LENGTH-001"}
"""Packed bytes may end with a carriage return, which the validator counts to the line's end."""


def lengths_hold(report: bytes) -> bool:
    """Whether every stream ends where its /Length says, by nothing but counting."""
    found = list(re.finditer(rb"/Length (\d+)(?:(?!endobj).)*?>>\nstream\n", report, re.DOTALL))
    assert len(found) == report.count(b"\nendstream")
    return all(report.startswith(b"\nendstream", each.end() + int(each[1])) for each in found)


def report_of(school: School, folder: Path, *left_out: str) -> bytes:
    return unpacked(school.export(folder / "case.zip", *left_out))["data/report.pdf"]


@EITHER
@pytest.mark.parametrize("left_out", [(), ("author", "url"), ("target", "text", "why", "by")])
def test_a_case_with_a_picture_conforms_whatever_is_left_out(
    with_case: School, tmp_path: Path, left_out: tuple[str, ...], profile: page.ValidationProfile
) -> None:
    a_picture(with_case)
    assert broken(report_of(with_case, tmp_path, *left_out), profile) == []


@EITHER
def test_what_strangers_wrote_breaks_no_rule(
    school: School, make: SimpleNamespace, tmp_path: Path, profile: page.ValidationProfile
) -> None:
    long = Author("N" * 100_000, HOSTILE[4], "", HOSTILE[0])
    school.hear(*(make.post(n, words, author=long) for n, words in enumerate(HOSTILE, start=1)))
    assert broken(report_of(school, tmp_path), profile) == []


@EITHER
def test_a_long_case_conforms(
    school: School, make: SimpleNamespace, tmp_path: Path, profile: page.ValidationProfile
) -> None:
    """Tables and lists that run over several pages."""
    a_case(school)
    more: list[Post] = [make.post(n, f"Mr Lowe, the {n}th time\n" * 30) for n in range(10, 40)]
    school.hear(*more)
    for number in range(80):
        at = make.now + timedelta(days=1, minutes=number)
        school.store.reading.note(school.case, by="holt", text=f"Rang {number}.", at=at)
    assert broken(report_of(school, tmp_path), profile) == []


@EITHER
def test_the_answer_to_an_access_request_conforms(
    with_case: School, tmp_path: Path, profile: page.ValidationProfile
) -> None:
    file = draft(with_case, tmp_path / "d.toml", release_posts)
    files = sealed(with_case, tmp_path / "request.zip", file)
    assert broken(files["data/report.pdf"], profile) == []


def test_the_validator_would_say_so(with_case: School, tmp_path: Path) -> None:
    report = report_of(with_case, tmp_path)
    for whole, altered, profile in (
        (b"<pdfaid:part>3<", b"<pdfaid:part>1<", PDF_A),
        (b"/Type/Metadata", b"/Type/Metadatz", PDF_A),
        (b"<pdfuaid:part>1<", b"<pdfuaid:part>9<", PDF_UA),
        (b"/Marked true", b"/Marked null", PDF_UA),
    ):
        assert whole in report
        assert broken(report.replace(whole, altered), profile), altered
