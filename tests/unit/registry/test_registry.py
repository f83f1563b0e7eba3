"""Plugins: ours are found like anybody's, and a broken one harms nobody else."""

from __future__ import annotations

from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest

from monitor.contract import AlerterPlugin, ConnectorPlugin
from monitor.registry import CONNECTORS, alerter_plugins, connector_plugins, read_plugins

GOOD = """
from monitor.contract import ConnectorPlugin, Settings

class Config(Settings):
    url: str

def build(config, tools):
    return None

PLUGIN = ConnectorPlugin(kind="{kind}", config=Config, build=build)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def _install(site: Path, distribution: str, module: str, source: str, *entries: str) -> None:
    """Put a package into a folder as pip would: a module, and metadata with entry points."""
    (site / f"{module}.py").write_text(source)
    metadata = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    )
    lines = "\n".join(f"{entry} = {module}:PLUGIN" for entry in entries)
    (metadata / "entry_points.txt").write_text(f"[{CONNECTORS}]\n{lines}\n")


def _found(site: Path) -> list[EntryPoint]:
    return [entry for one in distributions(path=[str(site)]) for entry in one.entry_points]


def test_our_own_plugins_are_found_by_entry_point() -> None:
    assert connector_plugins()["feed"].kind == "feed"
    assert alerter_plugins()["email"].kind == "email"
    assert connector_plugins().faults == ()


def test_another_package_brings_a_connector(site: Path) -> None:
    _install(site, "village-pump", "pump_good", GOOD.format(kind="pump"), "pump")
    plugins = read_plugins(_found(site), ConnectorPlugin)
    assert list(plugins) == ["pump"]
    assert plugins.fault("pump") is None


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("missing", "import no_such_module_anywhere", "ModuleNotFoundError"),
        ("syntax", "def (", "SyntaxError"),
        ("empty", "", "AttributeError"),
        ("raising", "1 / 0", "ZeroDivisionError"),
        ("configured", "raise RuntimeError('no licence')", "no licence"),
        ("odd", "PLUGIN = 7", "is no ConnectorPlugin"),
        ("lying", GOOD.format(kind="other"), "calls itself 'other'"),
    ],
)
def test_a_broken_plugin_is_named_with_its_package_and_the_others_work(
    name: str, source: str, reason: str, site: Path
) -> None:
    _install(site, "broken-pump", f"pump_{name}", source, "pump")
    _install(site, "village-well", f"well_{name}", GOOD.format(kind="well"), "well")
    plugins = read_plugins(_found(site), ConnectorPlugin)
    assert list(plugins) == ["well"]
    fault = plugins.fault("pump")
    assert fault is not None
    assert "'broken-pump'" in str(fault)
    assert reason in str(fault)


def test_of_two_that_claim_a_kind_one_is_a_fault(site: Path) -> None:
    _install(site, "aaa-pump", "pump_first", GOOD.format(kind="pump"), "pump")
    _install(site, "bbb-pump", "pump_second", GOOD.format(kind="pump"), "pump")
    plugins = read_plugins(_found(site), ConnectorPlugin)
    assert plugins["pump"].config.__module__ == "pump_first"
    assert [fault.distribution for fault in plugins.faults] == ["bbb-pump"]


def test_nobody_replaces_what_is_ours(site: Path) -> None:
    _install(site, "aaa-impostor", "pump_impostor", GOOD.format(kind="pump"), "pump")
    _install(site, "staff-mentions", "pump_ours", GOOD.format(kind="pump"), "pump")
    plugins = read_plugins(_found(site), ConnectorPlugin)
    assert plugins["pump"].config.__module__ == "pump_ours"
    assert [fault.distribution for fault in plugins.faults] == ["aaa-impostor"]


def test_a_plugin_of_the_wrong_form_is_a_fault(site: Path) -> None:
    _install(site, "village-pump", "pump_form", GOOD.format(kind="pump"), "pump")
    plugins = read_plugins(_found(site), AlerterPlugin)
    assert not plugins
    assert "is no AlerterPlugin" in str(plugins.fault("pump"))
