"""Finds plugins by entry point, ours and other people's alike.

A plugin that cannot be loaded is a fault with a name; the others work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from monitor.contract import AlerterPlugin, ConnectorPlugin

CONNECTORS = "monitor.connectors"
ALERTERS = "monitor.alerters"
_OURS = "staff-mentions"

# What importing somebody else's module can raise on an ordinary bad day.
_IMPORT_FAULTS = (
    ImportError,
    SyntaxError,
    AttributeError,
    NameError,
    TypeError,
    ValueError,
    LookupError,
    OSError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
)

P = TypeVar("P", bound=ConnectorPlugin | AlerterPlugin)


@dataclass(frozen=True, slots=True)
class PluginFault:
    """A plugin that is installed and does not work: its kind, its distribution, and why."""

    kind: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        return f"the plugin {self.kind!r} of the package {self.distribution!r} {self.reason}"


class Plugins(Mapping[str, P]):
    """The working plugins by kind, and beside them the `faults` of those that do not work."""

    def __init__(self, working: Mapping[str, P], faults: tuple[PluginFault, ...]) -> None:
        self._working = dict(working)
        self.faults = faults

    def __getitem__(self, kind: str) -> P:
        return self._working[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._working)

    def __len__(self) -> int:
        return len(self._working)

    def fault(self, kind: str) -> PluginFault | None:
        """Why an installed kind is missing, if it is."""
        return next((fault for fault in self.faults if fault.kind == kind), None)


def connector_plugins() -> Plugins[ConnectorPlugin]:
    """Every installed connector, by kind."""
    return read_plugins(entry_points(group=CONNECTORS), ConnectorPlugin)


def alerter_plugins() -> Plugins[AlerterPlugin]:
    """Every installed alerter, by kind."""
    return read_plugins(entry_points(group=ALERTERS), AlerterPlugin)


def read_plugins(found: Iterable[EntryPoint], form: type[P]) -> Plugins[P]:
    """Load entry points into plugins of one form; two that claim one kind, ours wins."""
    working: dict[str, P] = {}
    faults: list[PluginFault] = []
    for entry in sorted(found, key=_ours_first):
        try:
            plugin = entry.load()
        except _IMPORT_FAULTS as error:
            faults.append(_fault(entry, f"cannot be loaded: {type(error).__name__}: {error}"))
            continue
        if not isinstance(plugin, form):
            faults.append(_fault(entry, f"is no {form.__name__}"))
        elif plugin.kind != entry.name:
            faults.append(_fault(entry, f"calls itself {plugin.kind!r}"))
        elif entry.name in working:
            faults.append(_fault(entry, "is there already, from another package"))
        else:
            working[entry.name] = plugin
    return Plugins(working, tuple(faults))


def _ours_first(entry: EntryPoint) -> tuple[bool, str, str]:
    distribution = _distribution(entry)
    return distribution != _OURS, distribution, entry.name


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown"


def _fault(entry: EntryPoint, reason: str) -> PluginFault:
    return PluginFault(kind=entry.name, distribution=_distribution(entry), reason=reason)
