"""Every connector that is installed keeps every promise of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.registry import connector_plugins
from monitor.testing import CONNECTOR_CHECKS, load_recordings
from monitor.testing.checks import Check

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
KINDS = sorted(connector_plugins())


def test_every_installed_connector_loads() -> None:
    assert connector_plugins().faults == ()
    assert "feed" in KINDS


@pytest.mark.parametrize("check", CONNECTOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_connector_keeps_its_promise(kind: str, check: Check) -> None:
    await check(connector_plugins()[kind], load_recordings(FIXTURES / kind))
