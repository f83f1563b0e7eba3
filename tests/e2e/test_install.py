"""`make install` into a folder that stands for the machine, twice, and `make uninstall`.

What needs root and a running systemd (the accounts, the owners, starting the units) is left out by
DESTDIR itself. It fetches every library twice, so it runs where nothing may be skipped.
"""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import needs

ROOT = Path(__file__).parents[2]
PREFIX = "/opt/staff-mentions"
UNITS = "etc/systemd/system"
PICTURES = {"staff-mentions-pictures.socket", "staff-mentions-pictures@.service"}
CONFIG = '# Ours.\n[[evidence.pictures.hosts]]\nhost = "forum.school.example"\n'
LONGEST = 900
"""Seconds; the libraries come over the network."""


@dataclass(frozen=True)
class Machine:
    """A folder below which the program is installed as if it were /."""

    root: Path

    def make(self, goal: str) -> str:
        """What `make GOAL` says."""
        environ = {name: value for name, value in os.environ.items() if name != "PREFIX"}
        done = subprocess.run(
            [needs("make"), "--silent", goal, f"DESTDIR={self.root}/"],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
            umask=0o077,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def at(self, place: str) -> Path:
        return self.root / place.lstrip("/")

    def mode(self, place: str) -> int:
        return stat.S_IMODE(self.at(place).lstat().st_mode)

    def units(self) -> set[str]:
        return {each.name for each in self.at(UNITS).iterdir()}

    def environments(self) -> list[Path]:
        return sorted(self.at(PREFIX).glob("venv-*"))

    def complaints(self, *units: str) -> str:
        """What systemd says of the installed units, their programs sought below the folder."""
        folder = self.root / "to-verify"
        folder.mkdir(exist_ok=True)
        for each in units:
            text = self.at(f"{UNITS}/{each}").read_text("utf-8")
            folder.joinpath(each).write_text(text.replace(PREFIX, str(self.at(PREFIX))), "utf-8")
        found = subprocess.run(
            [
                needs("systemd-analyze"),
                "verify",
                "--man=no",
                *(str(folder / each) for each in units),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return found.stderr.strip()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Installed once, on a machine that knew nothing of it."""
    if os.environ.get("STAFF_MENTIONS_REQUIRE_REAL") != "1":
        pytest.skip("fetches every library twice")
    installed = Machine(tmp_path_factory.mktemp("machine"))
    assert "Staged below" in installed.make("install")
    return installed


def test_each_thing_lies_in_its_place_with_its_mode(machine: Machine) -> None:
    assert {
        place: oct(machine.mode(place))
        for place in (
            PREFIX,
            f"{PREFIX}/doc/install.md",
            "usr/local/bin/staff-mentions",
            f"{UNITS}/staff-mentions.service",
            "etc/staff-mentions",
            "etc/staff-mentions/config.example.toml",
            "var/lib/staff-mentions",
        )
    } == {
        PREFIX: "0o755",
        f"{PREFIX}/doc/install.md": "0o644",
        "usr/local/bin/staff-mentions": "0o755",
        f"{UNITS}/staff-mentions.service": "0o644",
        "etc/staff-mentions": "0o770",
        "etc/staff-mentions/config.example.toml": "0o640",
        "var/lib/staff-mentions": "0o700",
    }
    assert machine.units() == {"staff-mentions.service"}, "pictures are off until a config says so"


def test_the_service_may_read_all_of_the_program_and_change_none_of_it(machine: Machine) -> None:
    places = [each for each in machine.at(PREFIX).rglob("*") if not each.is_symlink()]
    assert len(places) > 1_000
    for each in places:
        mode = each.stat().st_mode
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID), each
        assert mode & stat.S_IROTH, each
        assert each.stat().st_uid == os.geteuid(), each
        if each.is_dir():
            assert mode & stat.S_IXOTH, each


def test_the_program_runs_and_names_no_folder_of_the_staging(machine: Machine) -> None:
    (environment,) = machine.environments()
    python = environment / "bin" / "python"
    ran = subprocess.run(
        [str(python), "-I", "-m", "monitor.cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "evidence" in ran.stdout
    script = (environment / "bin" / "staff-mentions").read_text("utf-8")
    assert script.startswith(f"#!{PREFIX}/{environment.name}/bin/python")
    for each in (*environment.joinpath("bin").iterdir(), environment / "pyvenv.cfg"):
        if not each.is_symlink():
            assert str(machine.root).encode() not in each.read_bytes(), each


def test_systemd_has_no_complaint_about_what_was_installed(machine: Machine) -> None:
    assert machine.complaints("staff-mentions.service") == ""


def test_installed_again_with_pictures_and_taken_away(machine: Machine) -> None:
    """In this order, on the same machine: an upgrade, then the end."""
    config = machine.at("etc/staff-mentions/config.toml")
    config.write_text(CONFIG, "utf-8")
    kept = machine.at("var/lib/staff-mentions/mentions.sqlite3")
    kept.write_bytes(b"evidence")
    (first,) = machine.environments()
    machine.make("install")
    assert len(machine.environments()) == 2, "a running service still reads the old one"
    assert machine.at(f"{PREFIX}/venv").readlink().name != first.name
    assert machine.units() == {"staff-mentions.service"} | PICTURES
    assert machine.complaints("staff-mentions.service", *sorted(PICTURES)) == ""
    assert machine.at(f"{PREFIX}/venv/bin/staff-mentions-pictures").exists()
    assert "evidence stay" in machine.make("uninstall")
    assert not machine.at(PREFIX).exists()
    assert not machine.at("usr/local/bin/staff-mentions").exists()
    assert machine.units() == set()
    assert (config.read_text("utf-8"), kept.read_bytes()) == (CONFIG, b"evidence")
