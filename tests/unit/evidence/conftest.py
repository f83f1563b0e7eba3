"""One core may be shared by many tests: an example that takes its time is not a failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
