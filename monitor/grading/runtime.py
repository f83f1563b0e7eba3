"""Names what ran the model, so that a replay elsewhere can say what is different."""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

# Instructions that decide how 8-bit sums are computed.
_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


@cache
def runtime() -> dict[str, str]:
    """Return the versions of the libraries and the processor's telling features.

    Only Linux says which instructions there are (`/proc/cpuinfo`); elsewhere they are left empty.
    """
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", told, re.MULTILINE)
    flags = found.group(1).split() if found else []
    return {
        "onnxruntime": version("onnxruntime"),
        "tokenizers": version("tokenizers"),
        "numpy": version("numpy"),
        "machine": platform.machine(),
        "processor": " ".join(name for name in _TELLING if name in flags),
    }
