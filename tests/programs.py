"""Programs of the system that tests run beside ours."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(program: str) -> str:
    """Where a program of the system is; the test is skipped, or fails, where it is not."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("STAFF_MENTIONS_REQUIRE_REAL") == "1":
            pytest.fail(f"{program} is not here, and nothing may be skipped")
        pytest.skip(f"{program} is not here")
    return found
