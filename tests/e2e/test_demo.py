"""`make demo`, as a newcomer runs it: everything that should be seen is seen."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.house import COMMAND, ROOT


def test_the_demonstration_shows_its_mails_and_its_evidence_verifies(tmp_path: Path) -> None:
    command = [*COMMAND, "demo", "--directory", str(tmp_path / "demo")]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=240, cwd=ROOT
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    said = " ".join(ran.stdout.split())
    mails = [part.split("  ")[0] for part in said.split("MAIL to ")[1:]]
    assert len(mails) == 3, mails
    assert all(mail.startswith("head@larkfield.example") for mail in mails)
    for word in ("Threatening post", "Abusive post", "First look", "as it was sent"):
        assert word in said
    assert "Traceback" not in ran.stdout + ran.stderr
