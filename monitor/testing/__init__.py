"""Fakes that keep the contract's promises, and the checks that every connector inherits.

They are part of the product: whoever writes a plugin tests it with what the core tests itself.
"""

from monitor.testing.checks import CONNECTOR_CHECKS
from monitor.testing.fakes import (
    A_MORNING,
    FakeClock,
    FakeConnector,
    FakeStream,
    RecordingAlerter,
    script,
)
from monitor.testing.replay import (
    OpenFence,
    Recordings,
    ReplayHttp,
    Reply,
    load_recordings,
    replay_tools,
)

__all__ = [
    "A_MORNING",
    "CONNECTOR_CHECKS",
    "FakeClock",
    "FakeConnector",
    "FakeStream",
    "OpenFence",
    "RecordingAlerter",
    "Recordings",
    "ReplayHttp",
    "Reply",
    "load_recordings",
    "replay_tools",
    "script",
]
