"""A BagIt bag (RFC 8493) in a ZIP: payload, manifests and tag files, with names that harm nothing.

Files are read one at a time while the ZIP is written, so a case of any size needs little memory.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO, Final

from monitor.errors import EvidenceError

DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST: Final = "manifest-sha256.txt"
TAG_MANIFEST: Final = "tagmanifest-sha256.txt"
BAG_INFO: Final = "bag-info.txt"

_NAME: Final = re.compile(r"(?:[a-z0-9]+/)*[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_FOLDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_REGULAR_FILE: Final = 0o100600 << 16
_LINE: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the bag: its path in it, SHA-256 in hex, size in bytes, and how to read it."""

    path: str
    digest: str
    size: int
    read: Callable[[], bytes]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.path):
            raise EvidenceError(f"{self.path!r} is no name for a file in an export")


def member(path: str, content: bytes) -> Member:
    """A file whose bytes are at hand."""
    return Member(path, sha256(content).hexdigest(), len(content), lambda: content)


def manifest(members: Iterable[Member]) -> bytes:
    """One line a file, as `sha256sum --check` reads it, in the order of the names."""
    lines = [f"{each.digest}  {each.path}\n" for each in sorted(members, key=lambda m: m.path)]
    return "".join(lines).encode()


def bag_info(facts: Mapping[str, str], payload: Sequence[Member], at: datetime) -> bytes:
    """`bag-info.txt` (RFC 8493, 2.2.2): facts about the bag, its date, the size of its payload."""
    octets = sum(each.size for each in payload)
    rows = {
        **facts,
        "Bagging-Date": at.date().isoformat(),
        "Payload-Oxum": f"{octets}.{len(payload)}",
    }
    return "".join(f"{name}: {_LINE.sub(' ', value)}\n" for name, value in rows.items()).encode()


def write_zip(target: IO[bytes], folder: str, members: Sequence[Member], at: datetime) -> None:
    """Write the bag as one folder in a ZIP; times are `at`, rights 0600, nothing else of ours.

    Raises:
        EvidenceError: a file is no longer what it was when its digest was taken.
    """
    if not _FOLDER.fullmatch(folder):
        raise EvidenceError(f"{folder!r} is no name for the folder of an export")
    moment = at.timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for each in members:
            content = each.read()
            if sha256(content).hexdigest() != each.digest:
                raise EvidenceError(f"{each.path} changed while the export was being written")
            place = zipfile.ZipInfo(f"{folder}/{each.path}", moment)
            place.external_attr = _REGULAR_FILE
            place.create_system = 3  # Unix, whose rights these are
            archive.writestr(place, content, zipfile.ZIP_DEFLATED)
