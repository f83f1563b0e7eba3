"""What the service and the picture program say to each other: one question, one answer.

A message is one line of JSON; behind an answer's line come the bytes of its picture, as many as the
line says. The two run as different accounts, and this is all that passes between them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from monitor.errors import MalformedError

LONGEST_LINE: Final = 64 * 1024
LARGEST_PICTURE: Final = 16_000_000
WIDTH: Final = 1280
TALLEST: Final = 12_000
"""Pixels of a page that are shown; Chromium draws nothing reliably beyond 16,384."""
WHY: Final = "its journal says why: journalctl -u 'staff-mentions-pictures@*'"
_BANNER: Final = 600
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER: Final = 24


@dataclass(frozen=True, slots=True)
class Job:
    """A picture to take: of which address, and on which hosts alone a page may stand.

    An empty `url` asks only whether the program could take one.
    """

    url: str
    hosts: tuple[str, ...] = ()

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """What came of a job. `trouble` is empty where there is a picture.

    `again` says that another try may do better; `browser` names what drew it; `address` is where
    the page stood in the end; `notes` say what is missing on it; `size` counts the bytes of `png`.
    """

    trouble: str = ""
    again: bool = False
    browser: str = ""
    address: str = ""
    taken_at: str = ""
    notes: tuple[str, ...] = ()
    refused: int = 0
    size: int = 0

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def read_job(line: bytes) -> Job:
    """The job in a line.

    Raises:
        MalformedError: there is none.
    """
    given = _object(line)
    hosts = given.get("hosts")
    if not isinstance(given.get("url"), str) or not isinstance(hosts, list):
        raise MalformedError("the question is not one about a picture")
    return Job(given["url"], tuple(str(each) for each in hosts))


def read_picture(line: bytes) -> Picture:
    """The answer in a line; whoever reads it believes none of its claims about the outer world.

    Raises:
        MalformedError: there is none, or it announces more than a picture may be.
    """
    given = _object(line)
    notes, size, refused = given.get("notes"), given.get("size"), given.get("refused")
    if type(size) is not int or type(refused) is not int or not isinstance(notes, list):
        raise MalformedError("the picture program answered without sense")
    if not 0 <= size <= LARGEST_PICTURE:
        raise MalformedError("the picture program announces more than a picture may be")
    words = {name: str(given.get(name, ""))[:4000] for name in _WORDS}
    return Picture(
        **words,
        again=given.get("again") is True,
        notes=tuple(str(each)[:400] for each in notes[:20]),
        refused=refused,
        size=size,
    )


_WORDS: Final = ("trouble", "browser", "address", "taken_at")


def measure(png: bytes) -> tuple[int, int]:
    """Width and height of a picture, in pixels.

    Raises:
        MalformedError: it is no PNG, or larger than we ask for: nobody should unpack that.
    """
    if not png.startswith(_SIGNATURE) or png[12:16] != b"IHDR" or len(png) < _HEADER:
        raise MalformedError("what the picture program sent is no picture")
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    if not 0 < width <= WIDTH or not 0 < height <= TALLEST + _BANNER:
        raise MalformedError(f"the picture is {width} by {height} pixels: more than was asked for")
    return width, height


def _object(line: bytes) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise MalformedError("a line between the two programs cannot be read") from error
    if not isinstance(given, dict):
        raise MalformedError("a line between the two programs cannot be read")
    return given
