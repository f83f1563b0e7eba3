"""Takes secrets out of addresses and headers before anybody keeps them."""

from __future__ import annotations

import re

REDACTED = "<redacted>"

_NAMED = re.compile(
    r"(?i)([?&;](?:[a-z0-9_.\-]{0,40}[_.\-])?"
    r"(?:key|apikey|token|auth|authorization|secret|sig|signature|password|passwd|pwd|jwt"
    r"|credentials?)=)[^&;#\s\"'<>]+"
)
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.\-]{0,20}://)[^/?#\s@\"'<>]{1,400}@")
_DROPPED = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
_SHORTEST_SECRET = 4
"""A shorter text would be found everywhere, and hides nothing."""


_ASKED = frozenset(
    {"accept", "accept-encoding", "accept-language", "host", "if-modified-since", "if-none-match"}
    | {"user-agent"}
)
"""Headers of a request that say how an answer came to be, and never who may ask."""


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without passwords in addresses, without values of keys, without the given secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    return _NAMED.sub(rf"\1{REDACTED}", text)


def keep_headers(
    headers: list[tuple[bytes, bytes]], secrets: tuple[str, ...] = ()
) -> tuple[tuple[str, str], ...]:
    """The headers of an answer as evidence: in order, as spelt, without cookies and secrets."""
    kept = []
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1")
        if name.lower() not in _DROPPED:
            kept.append((name, redact(raw_value.decode("latin-1"), secrets)))
    return tuple(kept)


def keep_request(
    headers: list[tuple[bytes, bytes]], secrets: tuple[str, ...] = ()
) -> tuple[tuple[str, str], ...]:
    """The headers of a request as evidence: only those that can hold no key."""
    return tuple(
        (name, value) for name, value in keep_headers(headers, secrets) if name.lower() in _ASKED
    )
