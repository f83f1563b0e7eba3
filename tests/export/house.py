"""A school with a case, an exporter, and the hands of somebody who alters what was exported."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from monitor.evidence import entries
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.export.bundle import Exporter
from monitor.export.commands import Stamp
from monitor.export.contents import Occasion
from monitor.export.request import Request
from monitor.export.wording import Speech
from monitor.model import Grade, Post, Severity
from monitor.storage.dossier import Chosen
from monitor.storage.store import Store

NAMES = {"holt": "Marian Holt", "desmond-lowe": "Desmond Lowe", "osei": "Abena Osei"}
WORDS = (
    "Mr Lowe was late again. Somebody should wait for him at the gate and break his legs.",
    "Desmond Lowe is a waste of space.\n\nMy daughter comes home in tears.",
    "good on Mr Lowe for the concert last night \N{CLAPPING HANDS SIGN}",
)


@dataclass
class School:
    """An installation without a service: store, vault, key."""

    store: Store
    vault: Vault
    key: SigningKey
    make: SimpleNamespace
    stamps: tuple[Stamp, ...] = ()
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)

    @property
    def exporter(self) -> Exporter:
        speech = Speech(self.names, ZoneInfo("Europe/London"))
        return Exporter(self.store, self.vault, self.key, speech, lambda: self.stamps)

    def hear(self, *posts: Post, severity: Severity = Severity.THREATENING) -> None:
        """Capture posts about Mr Lowe and judge them, half an hour apart."""
        for number, post in enumerate(posts):
            at = self.make.now + timedelta(minutes=30 * number)
            capture = self.make.capture(post, vault=self.vault)
            self.store.sources.accept(self.make.turn(at=at), [capture])
        for waiting in self.store.judging.waiting():
            grade = Grade(severity, model="constant", note="")
            judgement = self.make.judgement(waiting.id, grade=grade)
            self.store.judging.judge(judgement, at=waiting.kept.captured_at)

    def sign(self, key: SigningKey | None = None) -> None:
        """Sign the log as it stands."""
        own = key or self.key
        self.store.log.checkpoint(
            lambda size, root: sign(Checkpoint(own.name, size, root), own), at=self.make.now
        )

    @property
    def case(self) -> str:
        return self.store.reading.cases()[-1].reference

    def chosen(self) -> Chosen:
        found = self.store.dossiers.of_case(self.case)
        assert found is not None
        return found

    def occasion(self, **changes: Any) -> Occasion:
        usual = Occasion(
            reference=self.case,
            at=self.make.now + timedelta(days=3),
            by="holt",
            why="the police asked for it",
            school="Thornleigh Academy",
            origin=self.key.name,
            key=str(self.key.verifier),
            recipient="PC Adeyemi",
        )
        return replace(usual, **changes)

    def export(
        self, path: Path, *left_out: str, despite_traces: bool = False, **changes: Any
    ) -> Path:
        """Export the case; `left_out` are fields to redact."""
        occasion = self.occasion(left_out=left_out, **changes)
        fields = frozenset(left_out)
        request = Request(self.chosen(), occasion, fields, despite_traces=despite_traces)
        with path.open("wb") as file:
            self.exporter.write(request, file)
        return path


def a_case(school: School) -> None:
    """Three posts, a look, a note, and a checkpoint in between."""
    make = school.make
    school.hear(*(make.post(n, words) for n, words in enumerate(WORDS, start=1)))
    school.sign()
    look = entries.access(
        at=make.now + timedelta(hours=2),
        what=school.case,
        mention_entry=None,
        by="holt",
        why="to decide what to do",
    )
    school.store.log.append([look])
    school.store.reading.note(
        school.case, by="holt", text="Rang the chair.", at=make.now + timedelta(hours=3)
    )


def a_png(width: int = 640, height: int = 900, *, top: int = 0) -> bytes:
    """A grey picture, by the rules of PNG; its uppermost `top` rows are black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    dark, grey = b"\0" + b"\0" * width, b"\0" + b"\xb4" * width
    rows = zlib.compress(dark * top + grey * (height - top))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def a_picture(school: School) -> None:
    """The page of the first post is pictured."""
    make, png = school.make, a_png()
    at = make.now + timedelta(hours=1)
    place = "forum.school.example"
    school.store.pictures.enqueue(frozenset({place}), since=make.now - timedelta(days=1))
    wanted = school.store.pictures.next(now=at)
    assert wanted is not None
    facts: dict[str, Any] = {
        "url": wanted.url,
        "asked_for": wanted.url,
        "taken_at": "2026-11-20T10:00:00.000000Z",
        "browser": "Chromium 156",
        "notes": [],
        "refused": 0,
        "width": 640,
        "height": 900,
        "size": len(png),
    }
    school.store.pictures.keep(wanted, school.vault.put(png), facts, at=at)


# --- what came out of it --------------------------------------------------------------------------


def unpacked(path: Path) -> dict[str, bytes]:
    """The files of an export by their names in its folder."""
    with zipfile.ZipFile(path) as archive:
        return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes], path: Path, *more: tuple[str, bytes]) -> Path:
    """A ZIP of these files; `more` may name a file a second time."""
    body = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")
        for name, content in (*files.items(), *more):
            archive.writestr(f"case/{name}", content)
    path.write_bytes(body.getvalue())
    return path


def with_new_manifests(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a careful forger does: every manifest written again."""
    found = dict(files)
    payload = sorted(name for name in found if name.startswith("data/"))
    octets = sum(len(found[name]) for name in payload)
    info = found["bag-info.txt"].decode().splitlines()
    kept = [line for line in info if not line.startswith("Payload-Oxum")]
    found["bag-info.txt"] = "\n".join(
        [*kept, f"Payload-Oxum: {octets}.{len(payload)}", ""]
    ).encode()
    found["manifest-sha256.txt"] = _manifest(found, payload)
    tags = sorted(found.keys() - set(payload) - {"tagmanifest-sha256.txt"})
    found["tagmanifest-sha256.txt"] = _manifest(found, tags)
    return found


def _manifest(files: Mapping[str, bytes], names: list[str]) -> bytes:
    digest = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    return "".join(f"{digest[name]}  {name}\n" for name in names).encode()
