"""A configuration as it may be shown: plain values, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from enum import Enum
from typing import Any

from pydantic import SecretStr

from monitor.config.secrets import REDACTED

_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SECRET_IN_QUERY = re.compile(
    r"(?<=[?&])([^=&#\s]*(?:key|token|secret|pass|sig|auth)[^=&#\s]*)=[^&#\s]*", re.IGNORECASE
)


def redacted(value: Any) -> Any:
    """JSON-able, in the same order, each secret as `<redacted>`.

    Also the user part of a web address and those of its query values that look like a key: both
    have been found in feed addresses that people paste.
    """
    if isinstance(value, Mapping):
        return {str(redacted(key)): redacted(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted((redacted(inner) for inner in value), key=str)
    return _one(value)


def _one(value: object) -> str | float | bool | None:
    if isinstance(value, SecretStr):
        return REDACTED if value.get_secret_value() else None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _without_keys(str(value))


def _without_keys(text: str) -> str:
    if "://" not in text:
        return text
    return _SECRET_IN_QUERY.sub(rf"\1={REDACTED}", _USER_IN_URL.sub(REDACTED, text))
