"""A parser's own process: it may hang, swell or die, and the service goes on."""

from monitor.fence.process import ProcessFence

__all__ = ["ProcessFence"]
