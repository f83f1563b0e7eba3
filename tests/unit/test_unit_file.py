"""The systemd unit: sealed off as promised, and in step with the program that it starts."""

from __future__ import annotations

import configparser
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from monitor import daemon, picturing, vitals
from monitor.config.pictures import PicturesConfig
from monitor.config.sections import DEFAULT_DATA_DIR
from monitor.notify import watchdog_interval
from monitor.pictures import camera
from monitor.pictures.worker import MOST_SECONDS
from tests.programs import needs

UNIT = Path(__file__).parents[2] / "systemd" / "staff-mentions.service"
BELOW_TWO = "--threshold=19"
"""Tenths of a point; systemd passes a unit that is just at its threshold."""


@pytest.fixture(scope="module")
def analyze() -> str:
    return needs("systemd-analyze")


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys keep their capitals
    parser.read(UNIT, encoding="utf-8")
    return parser["Service"]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def _variant(folder: Path, *changes: tuple[str, str]) -> Path:
    """The unit with lines changed; its program is one that exists on this machine."""
    text = UNIT.read_text(encoding="utf-8")
    for old, new in (
        (r"^ExecStart=\S+", "ExecStart=/bin/true"),
        (r"^Documentation=.*\n", ""),
        *changes,
    ):
        text, count = re.subn(old, new, text, flags=re.MULTILINE)
        assert count == 1, old
    path = folder / UNIT.name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_unit_is_exposed_less_than_two_points_out_of_ten(analyze: str) -> None:
    found = _run(analyze, "security", "--offline=true", BELOW_TWO, str(UNIT))
    assert found.returncode == 0, found.stdout
    assert "Overall exposure level" in found.stdout


def test_the_measure_of_exposure_can_fail(analyze: str, tmp_path: Path) -> None:
    opened = _variant(tmp_path, (r"^SystemCallFilter=@system-service$", "SystemCallFilter="))
    found = _run(analyze, "security", "--offline=true", BELOW_TWO, str(opened))
    assert found.returncode != 0


def test_systemd_has_no_complaint_about_the_unit(analyze: str, tmp_path: Path) -> None:
    found = _run(analyze, "verify", "--man=no", str(_variant(tmp_path)))
    assert (found.returncode, found.stderr.strip()) == (0, "")


def test_systemd_would_complain_about_a_misspelt_key(analyze: str, tmp_path: Path) -> None:
    misspelt = _variant(tmp_path, (r"^WatchdogSec=", "WatchdogSecs="))
    assert "WatchdogSecs" in _run(analyze, "verify", "--man=no", str(misspelt)).stderr


def test_the_service_may_drain_before_systemd_loses_patience(
    service: configparser.SectionProxy,
) -> None:
    assert float(service["TimeoutStopSec"]) > daemon.DRAIN_SECONDS + 2


def test_the_watchdog_waits_longer_than_the_service_looks_at_itself(
    service: configparser.SectionProxy,
) -> None:
    seconds = int(service["WatchdogSec"])
    told = watchdog_interval({"WATCHDOG_USEC": str(seconds * 1_000_000)})
    assert told is not None
    # A missed pulse is noticed after three; only then may the watchdog bark.
    assert told * 3 > 3 * vitals.PULSE
    assert told < timedelta(seconds=seconds)


def test_the_only_folder_that_it_may_write_is_the_usual_data_folder(
    service: configparser.SectionProxy,
) -> None:
    assert Path("/var/lib") / service["StateDirectory"] == DEFAULT_DATA_DIR
    assert service["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in service


def test_wrong_config_is_not_tried_again_but_everything_else_is(
    service: configparser.SectionProxy,
) -> None:
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    assert "StartLimitIntervalSec=0" in UNIT.read_text(encoding="utf-8").splitlines()


def test_the_unit_holds_no_password_and_sends_no_telemetry(
    service: configparser.SectionProxy,
) -> None:
    assert service["Environment"] == "ORT_DISABLE_TELEMETRY=1"
    assert "SetCredential" not in service


# --- the units of the pictures ------------------------------------------------------------------

PICTURES = UNIT.with_name("staff-mentions-pictures@.service")


@pytest.fixture(scope="module")
def pictures() -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys keep their capitals
    parser.read(PICTURES, encoding="utf-8")
    return parser["Service"]


def test_the_picture_unit_is_as_closed_as_a_browser_allows(analyze: str) -> None:
    found = _run(analyze, "security", "--offline=true", BELOW_TWO, str(PICTURES))
    assert found.returncode == 0, found.stdout


def test_the_picture_account_sees_neither_config_nor_data_and_shares_no_group(
    pictures: configparser.SectionProxy,
) -> None:
    assert pictures["User"] == pictures["Group"] == "staff-mentions-pictures"
    assert "SupplementaryGroups" not in pictures
    hidden = pictures["InaccessiblePaths"].split()
    assert {"-/etc/staff-mentions", f"-{DEFAULT_DATA_DIR}"} <= set(hidden)
    assert "ReadWritePaths" not in pictures


def test_no_memory_is_written_and_executed_for_neither_chromium_nor_its_driver_compiles(
    pictures: configparser.SectionProxy,
) -> None:
    """The three belong together: with a compiler on, the driver ends at once under the unit."""
    text = PICTURES.read_text(encoding="utf-8").splitlines()
    assert pictures["MemoryDenyWriteExecute"] == "yes"
    assert "Environment=NODE_OPTIONS=--jitless" in text
    assert "--js-flags=--jitless" in camera.ARGUMENTS


def test_chromium_may_make_the_namespaces_of_its_sandbox_and_no_other(
    pictures: configparser.SectionProxy,
) -> None:
    assert set(pictures["RestrictNamespaces"].split()) == {"user", "pid", "net"}
    assert pictures["RestrictAddressFamilies"] == "AF_UNIX AF_INET AF_INET6"
    assert not [each for each in camera.ARGUMENTS if "sandbox" in each]


def test_the_program_gives_up_before_systemd_does_and_systemd_before_the_service(
    pictures: configparser.SectionProxy,
) -> None:
    assert MOST_SECONDS < float(pictures["RuntimeMaxSec"]) < picturing.MOST_SECONDS


def test_only_the_service_may_ask_for_a_picture() -> None:
    socket = UNIT.with_name("staff-mentions-pictures.socket").read_text(encoding="utf-8")
    for line in ("SocketUser=staff-mentions", "SocketMode=0600", "Accept=yes"):
        assert line in socket.splitlines()
    asked = PicturesConfig.model_fields["socket"].default
    assert f"ListenStream={asked}" in socket.splitlines()
