"""What an installation gets: the wheel holds everything that the program reads while it runs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "connectors", "alerts")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def _names(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_every_file_of_the_packages_travels_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    present = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert _names(wheel) == present


@pytest.mark.parametrize(
    "kind",
    [
        "monitor/cases/templates/*.html",
        "monitor/data/*.toml",
        "monitor/data/english.txt",
        "monitor/data/english.copyright.txt",
        "monitor/grading/model/*.onnx",
        "monitor/storage/migrations/versions/*.py",
    ],
)
def test_what_is_no_code_is_there_too(wheel: zipfile.ZipFile, kind: str) -> None:
    assert [name for name in _names(wheel) if Path(name).match(kind)]


def test_command_and_plugins_are_announced(wheel: zipfile.ZipFile) -> None:
    (name,) = [each for each in wheel.namelist() if each.endswith("entry_points.txt")]
    announced = wheel.read(name).decode()
    for line in ("staff-mentions = monitor.cli:main", "feed = connectors.feed:PLUGIN",
                 "email = alerts.email:PLUGIN"):  # fmt: skip
        assert line in announced
