"""Pictures of pages on their way: asked for over a socket, sealed, exported, redacted."""

from __future__ import annotations

import asyncio
import os
import re
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.pictures import PictureHostConfig, PicturesConfig
from monitor.pictures.job import Picture, read_job
from monitor.picturing import WAITS, Picturing
from monitor.testing import FakeClock
from tests.export.browser import Browser
from tests.export.house import School, a_png, packed, unpacked, with_new_manifests
from tests.export.stranger import problems
from tests.export.test_alterations import asked
from tests.programs import needs

PLACE = "https://forum.school.example/posts/1"


@asynccontextmanager
async def answering(socket: Path, said: bytes) -> AsyncIterator[list[str]]:
    """A picture program that always says the same; gives the addresses it was asked for."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(read_job(await reader.readline()).url)
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, socket)
    async with server:
        yield asked


def taken(png: bytes) -> bytes:
    return Picture(browser="Chromium 156", address=PLACE, size=len(png)).line() + png


def picturing(school: School, socket: Path) -> Picturing:
    host = PictureHostConfig.model_validate(
        {"host": "forum.school.example", "terms_read_on": school.make.now.date()}
    )
    given = PicturesConfig(hosts=(host,), socket=socket)
    return Picturing(school.store, school.vault, FakeClock(school.make.now), given)


@pytest.fixture
def heard(school: School) -> School:
    school.hear(school.make.post(1, "Mr Lowe, somebody will wait for you at the gate."))
    return school


async def test_a_picture_travels_in_the_export_and_a_stranger_checks_it(
    heard: School, tmp_path: Path
) -> None:
    png = a_png()
    async with answering(tmp_path / "s", taken(png)) as asked:
        assert await picturing(heard, tmp_path / "s").round() == 1
    assert asked == [PLACE]
    heard.make.verified(heard.store, heard.vault)
    files = unpacked(heard.export(tmp_path / "case.zip"))
    (name,) = (each for each in files if each.startswith("data/pictures/"))
    assert files[name] == png
    assert b"/Image" in files["data/report.pdf"]
    assert problems(str(tmp_path / "case.zip")) == []
    keep = os.environ.get("STAFF_MENTIONS_KEEP_REPORT")
    if keep:
        Path(keep).write_bytes(files["data/report.pdf"])  # noqa: ASYNC240 - to look at


@pytest.mark.parametrize("field", ["text", "author", "picture_sha256"])
async def test_a_picture_is_left_out_with_any_field_that_it_shows(
    heard: School, tmp_path: Path, field: str
) -> None:
    async with answering(tmp_path / "s", taken(a_png())):
        await picturing(heard, tmp_path / "s").round()
    files = unpacked(heard.export(tmp_path / "case.zip", field))
    assert not [each for each in files if each.startswith("data/pictures/")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "ended without a word"),
        (b"[]\n", "cannot be read"),
        (Picture(size=100).line() + b"\x89PNG", "stopped in the middle"),
        (taken(b"GIF89a" + bytes(100)), "no picture"),
        (taken(a_png()[:16] + struct.pack(">II", 1280, 4_000_000_000) + bytes(9)), "pixels"),
        (Picture(size=10**12).line(), "more than a picture"),
    ],
)
async def test_what_a_picture_program_gone_bad_says_is_kept_as_a_failure_only(
    heard: School, tmp_path: Path, said: bytes, why: str
) -> None:
    at_work = picturing(heard, tmp_path / "s")
    async with answering(tmp_path / "s", said):
        assert await at_work.round() == 0
    entry = heard.store.log.entry(heard.store.log.head()[0] - 1)
    assert entry.kind == "page.not-pictured"
    assert any(each in str(entry.secret["why"]) for each in why.split("|"))
    assert at_work.trouble


async def test_without_the_program_it_is_tried_four_times_and_then_given_up(
    heard: School, tmp_path: Path
) -> None:
    at_work = picturing(heard, tmp_path / "nothing")
    clock = at_work.clock
    assert isinstance(clock, FakeClock)
    for wait in (timedelta(0), *WAITS, timedelta(days=9)):
        clock.advance(wait)
        await at_work.round()
    assert heard.store.pictures.counts() == {"given up": 1}
    tries = [
        index
        for index in range(heard.store.log.head()[0])
        if heard.store.log.entry(index).kind == "page.not-pictured"
    ]
    assert len(tries) == len(WAITS) + 1


@pytest.mark.parametrize(
    ("height", "says"),
    [(500, "All of the picture"), (1_500, "The upper part"), (9_000, "The upper part")],
)
async def test_the_report_shows_the_beginning_of_the_page_where_its_address_stands(
    heard: School, tmp_path: Path, height: int, says: str
) -> None:
    """Looked at as a picture: all of the dark head, over the whole width, and grey below it."""
    async with answering(tmp_path / "s", taken(a_png(1280, height, top=150))):
        await picturing(heard, tmp_path / "s").round()
    files = unpacked(heard.export(tmp_path / "case.zip"))
    rows, words = await asyncio.to_thread(seen, files["data/report.pdf"], tmp_path)
    assert says in words
    # The text is 158 mm wide: 311 dots at 50 an inch.
    shown = rows[rows.index("dark") :]
    head, body = shown.count("dark"), shown.count("grey")
    assert shown[:head] == ["dark"] * head
    assert head == pytest.approx(150 / 1280 * 311, abs=3)
    assert head + body == pytest.approx(min(height / 1280 * 158, 110) / 25.4 * 50, abs=6)


def seen(pdf: bytes, folder: Path) -> tuple[list[str], str]:
    """The page with the picture as rows, each dark, grey or other in its middle; and its words."""
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    words = subprocess.run(
        [needs("pdftotext"), str(path), "-"], capture_output=True, check=True, text=True
    ).stdout
    page = next(
        n
        for n, said in enumerate(words.split("\f"), 1)
        if "part of the picture" in said or "All of the picture" in said
    )
    command = [needs("pdftoppm"), "-r", "50", "-gray", "-f", str(page), "-l", str(page), str(path)]
    grey = subprocess.run(command, capture_output=True, check=True).stdout
    (width, height), pixels = map(int, grey.split(b"\n")[1].split()), grey.split(b"\n", 3)[3]
    middle = [pixels[row * width + width // 3 : row * width + width // 2] for row in range(height)]
    names = ((0, "dark"), (0xB4, "grey"))
    return [
        next((name for tone, name in names if all(abs(p - tone) < 8 for p in row)), "other")
        for row in middle
    ], words


# --- what a stranger sees of it -------------------------------------------------------------------


@pytest.fixture
async def with_picture(heard: School, tmp_path: Path) -> Path:
    """The export of a case with a picture of a page."""
    async with answering(tmp_path / "s", taken(a_png())):
        await picturing(heard, tmp_path / "s").round()
    return heard.export(tmp_path / "case.zip")


def test_the_page_in_a_browser_is_green_and_counts_the_picture(
    with_picture: Path, browser: Browser
) -> None:
    said = asked(browser, with_picture)
    assert (said.whole, said.problems) == (True, [])
    assert "Pictures of pages1" in browser.ask("result.textContent")


def _of_picture(files: dict[str, bytes]) -> str:
    (name,) = (each for each in files if each.startswith("data/pictures/"))
    return name


def a_bit(files: dict[str, bytes]) -> dict[str, bytes]:
    name = _of_picture(files)
    middle = len(files[name]) // 2
    flipped = bytes([files[name][middle] ^ 1])
    return files | {name: files[name][:middle] + flipped + files[name][middle + 1 :]}


def another_picture(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {_of_picture(files): a_png(top=3)}


def taken_out(files: dict[str, bytes]) -> dict[str, bytes]:
    name = _of_picture(files)
    return {each: content for each, content in files.items() if each != name}


def under_another_number(files: dict[str, bytes]) -> dict[str, bytes]:
    return taken_out(files) | {"data/pictures/1.png": files[_of_picture(files)]}


def one_more(files: dict[str, bytes]) -> dict[str, bytes]:
    return files | {"data/pictures/1.png": a_png(top=3)}


@pytest.mark.parametrize("manifests", [False, True], ids=["as they were", "written again"])
@pytest.mark.parametrize(
    ("alter", "names"),
    [
        (a_bit, r"data/pictures/\d+\.png|picture of entry \d+ was altered"),
        (another_picture, r"data/pictures/\d+\.png|picture of entry \d+ was altered"),
        (taken_out, r"picture of entry \d+ is missing"),
        (under_another_number, r"data/pictures/1\.png|picture of entry \d+ is missing"),
        (one_more, r"data/pictures/1\.png"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_an_altered_picture_is_named_by_the_page_and_found_by_a_strangers_program(
    with_picture: Path,
    browser: Browser,
    tmp_path: Path,
    alter: Callable[[dict[str, bytes]], dict[str, bytes]],
    names: str,
    manifests: bool,
) -> None:
    altered = alter(unpacked(with_picture))
    path = packed(with_new_manifests(altered) if manifests else altered, tmp_path / "forged.zip")
    said = asked(browser, path)
    assert not said.whole
    assert any(re.search(names, each) for each in said.problems), said.problems
    assert problems(str(path))
