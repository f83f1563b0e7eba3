"""Staff lists are read as the systems export them, or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.roster_csv import parse_staff, read_staff

STAFF = Path(__file__).parents[2] / "fixtures" / "config" / "staff"


def test_an_export_of_sims_is_read_with_its_title_lines_and_two_posts_for_one_person() -> None:
    staff = read_staff(STAFF / "sims.csv")

    assert staff.problems == ()
    assert [(row.line, row.table["id"], row.table["name"]) for row in staff.rows] == [
        (4, "MHO", "Marian Holt"),
        (5, "DLO", "Desmond Lowe"),
        (7, "SOB", "Siobhán O'Brien"),
    ]
    assert staff.rows[1].table["roles"] == ("Deputy Head", "Head of Geography")
    assert (staff.rows[2].table["from"], staff.rows[2].table["until"]) == (
        "2021-01-04",
        "2026-08-31",
    )
    assert [(note.line, note.message) for note in staff.notes] == [
        (3, "columns not used: Legal Surname, NI Number")
    ]


def test_an_export_of_arbor_is_read_with_names_in_one_column() -> None:
    staff = read_staff(STAFF / "arbor.csv")

    assert staff.problems == ()
    assert [(row.table["name"], row.table.get("title")) for row in staff.rows] == [
        ("Marian Holt", "Mrs"),
        ("Desmond Lowe", None),
        ("Łukasz Wren", None),
    ]
    assert "email" not in staff.rows[2].table


def test_an_export_of_bromcom_is_read_from_excels_encoding_with_semicolons() -> None:
    staff = read_staff(STAFF / "bromcom.csv")

    assert staff.problems == ()
    assert [(row.table["id"], row.table["name"]) for row in staff.rows] == [
        ("marian-holt", "Marian Holt"),
        ("zoe-garcia-lund", "Zoë García-Lund"),
        ("siobhan-obrien", "Siobhán O\u2019Brien"),
    ]
    assert [row.table.get("role") for row in staff.rows] == ["employee", "supply", None]
    assert "Windows-1252" in staff.notes[0].message


def test_unicode_text_of_excel_is_read_with_tabs() -> None:
    staff = read_staff(STAFF / "excel-unicode.txt")

    assert staff.problems == ()
    assert [row.table["name"] for row in staff.rows] == ["Marian Holt", "Pelé"]


@pytest.mark.parametrize(
    ("capacity", "role"),
    [
        ("Supply Teacher", "supply"),
        ("governor", "governor"),
        ("Student teacher", None),
        ("Teaching", None),
    ],
)
def test_a_capacity_is_taken_where_it_is_one_of_ours(capacity: str, role: str | None) -> None:
    staff = parse_staff(f"Name,Staff Type\nMarian Holt,{capacity}\n".encode(), file="x")

    assert [row.table.get("role") for row in staff.rows] == [role]


@pytest.mark.parametrize("heading", ["SURNAME", "surname", " Surname ", "Last_Name", "family-name"])
def test_a_heading_is_known_in_any_case_and_punctuation(heading: str) -> None:
    content = f"X,{heading},Forename\n1,Holt,Marian\n".encode()

    assert parse_staff(content, file="x").rows[0].table["name"] == "Marian Holt"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("formula", "3: Surname: holds a formula"),
        ("nul", "3: holds a NUL byte"),
        ("oversized-cell", "3: Surname: has 400 characters, at most 300 fit"),
        ("no-name-column", "has no column that gives a name"),
        ("nobody", "lists nobody"),
        ("empty", "has no column that gives a name"),
        ("no-surname", "3: name: is missing"),
        ("pupils", "3: role: this program watches over a school's staff and over nobody else"),
        ("list-of-pupils", '1: has a column "UPN": this is a list of pupils or applicants'),
        ("left-before-coming", "2: until: lies before `from` (2014-09-01)"),
        ("bad-e-mail", "2: email: is not an e-mail address"),
        ("one-code-for-two", '3: id: line 2 has somebody else with the id "MHO"'),
        ("broken-quotes", "3: is not CSV from here on"),
        ("not-text", "is neither UTF-8 nor Windows-1252"),
    ],
)
def test_a_bad_list_is_refused_with_its_line(name: str, said: str) -> None:
    path = STAFF / "bad" / f"{name}.csv"

    problems = [
        str(problem).removeprefix(f"{path}:").strip() for problem in read_staff(path).problems
    ]

    assert len(problems) == 1
    assert problems[0].startswith(said)


def test_every_bad_row_of_a_list_is_told_at_once() -> None:
    problems = read_staff(STAFF / "bad" / "no-such-day.csv").problems

    assert [(problem.line, problem.path) for problem in problems] == [
        (3, "from"),
        (4, "Start Date"),
    ]


def test_a_list_of_nothing_but_mistakes_stops_telling_them_some_time() -> None:
    content = "Forename,Surname\n" + "=1,Holt\n" * 10_000

    assert len(parse_staff(content.encode(), file="x").problems) == 51


def test_a_list_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "staff.csv"
    with path.open("wb") as file:
        file.truncate(1024**3)

    assert "is larger than 16 MB" in str(read_staff(path).problems[0])


def test_the_line_of_a_row_after_a_cell_of_two_lines_is_right() -> None:
    content = b'Name,Notes\nMarian Holt,"two\nlines"\nDesmond Lowe,\n'

    assert [row.line for row in parse_staff(content, file="x").rows] == [2, 4]


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
@settings(max_examples=200, deadline=None)
def test_no_bytes_whatever_bring_an_error_instead_of_a_problem(content: bytes) -> None:
    for prefix in (b"", b"Code;Name;Start Date\n", b"\xff\xfe"):
        staff = parse_staff(prefix + content, file="x")
        assert staff.rows or staff.problems
