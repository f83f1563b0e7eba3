"""Pictures of pages on their way: asked for over a socket, sealed, exported, redacted."""

from __future__ import annotations

import asyncio
import os
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.pictures import PictureHostConfig, PicturesConfig
from monitor.pictures.job import Picture, read_job
from monitor.picturing import WAITS, Picturing
from monitor.testing import FakeClock
from tests.export.house import School, packed, unpacked, with_new_manifests
from tests.export.stranger import problems

PLACE = "https://forum.school.example/posts/1"


def a_png(width: int = 640, height: int = 900) -> bytes:
    """A grey picture, by the rules of PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xb4" * width) * height)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


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
        (b"", "without sense|cannot be read"),
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


async def test_an_altered_picture_in_an_export_is_found(heard: School, tmp_path: Path) -> None:
    async with answering(tmp_path / "s", taken(a_png())):
        await picturing(heard, tmp_path / "s").round()
    files = unpacked(heard.export(tmp_path / "case.zip"))
    (name,) = (each for each in files if each.startswith("data/pictures/"))
    forged = with_new_manifests(files | {name: files[name] + b"altered"})
    found = problems(str(packed(forged, tmp_path / "forged.zip")))
    assert any("picture of entry" in each for each in found)
