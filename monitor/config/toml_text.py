"""Values as TOML text; nothing that a person typed can end its string early."""

from __future__ import annotations

import json
from collections.abc import Iterable


def quoted(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's, save that TOML refuses a bare DEL as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(quoted(text) for text in texts)}]"
