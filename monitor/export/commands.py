"""VERIFY.txt: the exact commands with which a stranger checks an export by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

from monitor.export.contents import Occasion

_NO_STAMP: Final = """\
TIME-STAMPS

There are none in this export. The times in it rest on the school's clock, and on the witnesses of
the log, to whom checkpoints were sent.
"""

_STAMPED: Final = """\
TIME-STAMPS

An authority outside the school has signed that these checkpoints existed at the time it names.
Each command must end with "Verification: OK". ROOT is a file with the authority's own root
certificate, which you take from the authority: one that came with an export proves nothing by
itself.

    ROOT=/path/to/the/root.pem
"""

_STAMP: Final = """
The first {size} entries, {at}, {authority}:

    openssl ts -verify -data data/checkpoints/{size}.txt -in data/timestamps/{size}-{number}.tsr \
-CAfile "$ROOT"{chain} -attime {epoch}
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp (RFC 3161) on the checkpoint of `size` entries.

    `token` is the answer of the authority as it arrived (DER), `chain` its certificates (PEM, may
    be empty), `authority` its name, `at` the time that it says, aware.
    """

    size: int
    token: bytes
    chain: bytes
    authority: str
    at: datetime


def commands(occasion: Occasion, stamps: Sequence[Stamp]) -> str:
    """The text of VERIFY.txt."""
    text = files("monitor.export").joinpath("assets", "VERIFY.txt").read_text(encoding="utf-8")
    facts = {
        "reference": occasion.reference,
        "at": f"{occasion.at:%Y-%m-%d %H:%M:%S} UTC",
        "school": occasion.school,
        "key": occasion.key,
    }
    for name, value in facts.items():
        text = text.replace(f"@{name}@", _line(value))
    return text.replace("@stamps@", _stamps(stamps))


def _stamps(stamps: Sequence[Stamp]) -> str:
    if not stamps:
        return _NO_STAMP
    return _STAMPED + "".join(
        _STAMP.format(
            size=each.size,
            at=f"{each.at:%Y-%m-%d %H:%M:%S} UTC",
            authority=_line(each.authority),
            number=number,
            chain=f" -untrusted data/timestamps/{each.size}-{number}.pem" if each.chain else "",
            epoch=int(each.at.timestamp()),
        )
        for number, each in enumerate(stamps, start=1)
    )


def _line(text: str) -> str:
    """A name without line ends or control characters, which could pass for a command."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
