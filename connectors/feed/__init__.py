"""RSS and Atom: local papers, blogs, forums, alert services, anything with a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.feed.connector import PLUGIN as PLUGIN

__all__ = ["PLUGIN"]


def __getattr__(name: str) -> Any:
    """Load the connector only where it is asked for.

    The fenced process imports `connectors.feed.parsing`, and should not pay for the rest.
    """
    if name == "PLUGIN":
        from connectors.feed.connector import PLUGIN  # noqa: PLC0415 - see above

        return PLUGIN
    raise AttributeError(name)
