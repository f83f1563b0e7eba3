"""Fetches what a page needs, in the browser's stead: the browser itself has no network.

Each request goes through the same guarded client as the sources' do: names are resolved once and
the connection goes to a judged address, after redirects too; no cookies, no log-in, only GET.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from protego import Protego

from monitor.contract import Fetched
from monitor.errors import RefusedError
from monitor.http import HttpLimits, PoliteHttp

MEGABYTE: Final = 1_000_000
ROBOT: Final = "staff-mentions"
_ROBOTS_BYTES: Final = 512_000
_NO_RULES: Final = range(400, 500)
"""RFC 9309, section 2.3.1.3: a server without the file allows everything. 401, 403 and 429 are
other errors here: whoever is shown the door does not look through the window."""
LIMITS: Final = HttpLimits(
    connect_seconds=5.0,
    read_seconds=8.0,
    total_seconds=12.0,
    wire_bytes=4 * MEGABYTE,
    body_bytes=8 * MEGABYTE,
    spacing_seconds=0.0,
)


@dataclass(slots=True)
class Fetching:
    """What one picture may fetch: at most so many requests and bytes, from public addresses.

    `hosts` are those on which the page itself may stand. `private_home` is for tests alone: one
    host that may be private. No config and no option leads to it.
    """

    http: PoliteHttp
    hosts: frozenset[str]
    private_home: str = ""
    most_requests: int = 150
    most_bytes: int = 25 * MEGABYTE
    _rules: dict[str, Protego] = field(default_factory=dict)

    async def page(self, url: str) -> Fetched:
        """The page itself. Every address on the way is asked about: its host, its robots.txt.

        Raises:
            RemoteError: it may not be pictured, or it does not answer.
        """
        return await self._get(url, self._demand_allowed)

    async def part(self, url: str) -> Fetched:
        """A style sheet, a script or what a script asks for; from anywhere public."""
        return await self._get(url)

    async def _get(
        self, url: str, before: Callable[[str], Awaitable[None]] | None = None
    ) -> Fetched:
        if self.most_requests <= 0:
            raise RefusedError("the page asks for too much")
        self.most_requests -= 1
        source = self.http.for_source(
            allow_private=bool(self.private_home), home=self._home(), limits=LIMITS
        )
        fetched = await source.get(url, before=before)
        self.most_bytes -= len(fetched.body)
        if self.most_bytes < 0:
            raise RefusedError("the page asks for too much")
        return fetched

    def _home(self) -> str:
        return f"http://{self.private_home}/" if self.private_home else ""

    async def _demand_allowed(self, url: str) -> None:
        parts = urlsplit(url)
        if (parts.hostname or "") not in self.hosts:
            raise RefusedError("the page stands on a host that the config does not list")
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if origin not in self._rules:
            self._rules[origin] = await self._robots(origin)
        if not self._rules[origin].can_fetch(url, ROBOT):
            raise RefusedError("the site's robots.txt asks programs to stay away from this page")

    async def _robots(self, origin: str) -> Protego:
        try:
            fetched = await self._get(f"{origin}/robots.txt")
        except RefusedError as error:
            if error.status not in _NO_RULES:
                raise
            return Protego.parse("")
        return Protego.parse(fetched.body[:_ROBOTS_BYTES].decode("utf-8", "replace"))
