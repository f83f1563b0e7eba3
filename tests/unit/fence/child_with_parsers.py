"""The fence's process as it is, with the parsers of these tests within reach."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - before anything is imported

from monitor.fence.child import main

main(*sys.argv[1:])
