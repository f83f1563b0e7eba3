"""Finds the address behind the counting links of search engines, without asking anybody."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?")
_BING = re.compile(r"(?:www\.)?bing\.com")
# Google does not always encode the address inside, so that its own parameters end it.
_GOOGLE_TARGET = re.compile(r"(?:^|&)(?:url|q)=(.*?)(?=&(?:ct|cd|usg|ved|sa|rct|opi)=|$)")
_BING_TARGET = re.compile(r"(?:^|&)url=([^&]*)")


def unwrapped(url: str) -> str:
    """The address that a link of Google's alerts or Bing's news leads to; empty for other links."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host, path = parts.hostname or "", parts.path.lower()
    if _GOOGLE.fullmatch(host) and path == "/url":
        found = _GOOGLE_TARGET.search(parts.query)
    elif _BING.fullmatch(host) and path.endswith("/apiclick.aspx"):
        found = _BING_TARGET.search(parts.query)
    else:
        return ""
    target = found[1] if found else ""
    return target if "://" in target else unquote(target)
