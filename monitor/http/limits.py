"""How much of another server's time and of our memory one request may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one request; seconds and bytes as the names say.

    `total_seconds` runs from asking to the last byte; a redirect is another request.
    `wire_bytes` counts what came over the network, `body_bytes` what it expanded to.
    `spacing_seconds` is the least time between two requests to one host.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    total_seconds: float = 60.0
    wire_bytes: int = 5_000_000
    body_bytes: int = 5_000_000
    redirects: int = 5
    spacing_seconds: float = 1.0
