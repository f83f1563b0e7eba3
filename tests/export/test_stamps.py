"""Time-stamps of a real authority travel along, and the commands for them work."""

from __future__ import annotations

import re
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.export.commands import Stamp
from tests.export import stranger
from tests.export.browser import Browser
from tests.export.house import School, unpacked
from tests.export.test_alterations import asked
from tests.export.test_bundle import printed
from tests.programs import needs

CONFIG = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[tsa]
extendedKeyUsage = critical, timeStamping
[authority]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """`openssl ts` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "config").write_text(CONFIG.format(folder=folder))
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.run(
            "req",
            "-x509",
            *key,
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "30",
            "-subj",
            "/CN=Invented root",
            "-extensions",
            "ca",
            "-config",
            "config",
        )
        self.run(
            "req",
            *key,
            "-keyout",
            "tsa.key",
            "-out",
            "tsa.csr",
            "-subj",
            "/CN=Invented TSA",
            "-config",
            "config",
        )
        self.run(
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            "tsa.pem",
            "-days",
            "20",
            "-extfile",
            "config",
            "-extensions",
            "tsa",
        )

    def run(self, *words: str) -> None:
        subprocess.run([needs("openssl"), *words], cwd=self.folder, check=True, capture_output=True)

    def stamp(self, size: int, note: str) -> Stamp:
        """A token over a note."""
        (self.folder / "note").write_text(note)
        self.run("ts", "-query", "-data", "note", "-sha256", "-cert", "-out", "query")
        self.run(
            "ts",
            "-reply",
            "-config",
            "config",
            "-section",
            "authority",
            "-queryfile",
            "query",
            "-inkey",
            "tsa.key",
            "-signer",
            "tsa.pem",
            "-out",
            "reply",
        )
        token, chain = ((self.folder / name).read_bytes() for name in ("reply", "tsa.pem"))
        return Stamp(size, token, chain, "Invented TSA", datetime.now(UTC))


@pytest.fixture
def stamped(with_case: School, tmp_path: Path) -> School:
    authority = Authority(tmp_path / "authority")
    with_case.stamps = tuple(
        authority.stamp(size, note) for size, note, _ in with_case.store.log.checkpoints()
    )
    assert with_case.stamps
    return with_case


def verified(folder: Path, root: Path) -> list[str]:
    """What the commands for the time-stamps say."""
    text = (folder / "VERIFY.txt").read_text()
    commands = re.findall(r"^    (openssl ts .*)$", text, re.MULTILINE)
    assert commands
    said = []
    for each in commands:
        environment = {"ROOT": str(root), "PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(
            ["sh", "-c", each], cwd=folder, env=environment, capture_output=True, check=False
        )
        said.append((done.stdout + done.stderr).decode())
    return said


def test_the_commands_verify_the_stamps_at_their_own_time(stamped: School, tmp_path: Path) -> None:
    path = stamped.export(tmp_path / "case.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder, root = tmp_path / stamped.case, tmp_path / "authority" / "ca.pem"
    assert all("Verification: OK" in said for said in verified(folder, root))
    note = next((folder / "data" / "checkpoints").iterdir())
    note.write_bytes(note.read_bytes() + b"\n")
    assert any("FAILED" in said for said in verified(folder, root))


def test_the_report_and_the_page_tell_of_them(
    stamped: School, browser: Browser, tmp_path: Path
) -> None:
    path = stamped.export(tmp_path / "case.zip")
    assert stranger.problems(str(path)) == []
    assert "Invented TSA, of the first" in printed(unpacked(path), tmp_path)
    assert asked(browser, path).whole


def test_a_stamp_of_something_else_is_named(
    stamped: School, browser: Browser, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other").stamp(stamped.stamps[0].size, "something else")
    stamped.stamps = (other,)
    said = asked(browser, stamped.export(tmp_path / "case.zip"))
    assert not said.whole
    assert any("is not about the checkpoint" in each for each in said.problems)
