"""Asks other people's servers politely, and turns whatever they answer into a value or an error."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import certifi
import httpcore
import httpx

from monitor import __version__
from monitor.clock import Clock
from monitor.contract import Fetched
from monitor.errors import MalformedError, RefusedError, TransientError
from monitor.http.addresses import GuardedBackend, Resolve, resolve
from monitor.http.body import Body
from monitor.http.limits import HttpLimits
from monitor.http.patience import Spacing
from monitor.http.redact import keep_headers, keep_request, redact
from monitor.http.statuses import (
    GONE,
    NOT_MODIFIED,
    PERMANENT_MOVES,
    REDIRECTS,
    check_status,
    plain_reason,
)
from monitor.model import Answer

_CONNECTIONS = httpx.Limits(
    max_connections=100, max_keepalive_connections=20, keepalive_expiry=15.0
)
_FOLLOWS_ANYWHERE = frozenset({"accept", "accept-language", "if-none-match", "if-modified-since"})
"""What a request may still say after a redirect to another origin; keys stay at home."""


class _GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on a pool that connects only through our guard.

    httpx has no public place for a network backend. Its own constructor is not called: were the
    private name ever to change, requests would fail instead of going out unguarded.
    """

    def __init__(self, backend: GuardedBackend, verify: ssl.SSLContext) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=_CONNECTIONS.max_connections,
            max_keepalive_connections=_CONNECTIONS.max_keepalive_connections,
            keepalive_expiry=_CONNECTIONS.keepalive_expiry,
            network_backend=backend,
        )


@dataclass(frozen=True, slots=True)
class _Hop:
    """Where a request is going, what it says, and how it came there."""

    url: httpx.URL
    headers: Mapping[str, str]
    permanent: bool = True
    moved_to: str = ""
    method: str = "GET"
    content: bytes | None = None


class PoliteHttp:
    """The connections of the whole program; each source gets its own view by `for_source`.

    Args:
        clock: gives the time of an answer, and lets the space between two requests pass.
        contact: an address where a server's owner reaches the school, for the User-Agent.
        limits: bounds for every source that asks for no others.
        verify: whom to believe; by default certifi's list and this machine's own.
        resolve: how names become addresses.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        contact: str = "",
        limits: HttpLimits | None = None,
        verify: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        # httpx logs whole addresses at INFO, and some addresses are secrets.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)
        self.clock = clock
        self.limits = limits or HttpLimits()
        self.spacing = Spacing(clock)
        name = f"staff-mentions/{__version__}"
        self._agent = f"{name} (+{contact})" if contact else name
        self._verify = verify
        self._resolve = resolve
        self._clients: dict[bool, httpx.AsyncClient] = {}

    def for_source(
        self, *, allow_private: bool = False, home: str = "", limits: HttpLimits | None = None
    ) -> SourceHttp:
        """The HTTP that one source is lent.

        `allow_private` opens addresses outside the public internet, but only on the host that is
        asked first, never on one that a redirect leads to; with `home`, the source's address, only
        on that host.
        """
        host = httpx.URL(home).host if home else None
        return SourceHttp(self, allow_private, host, limits or self.limits)

    def client(self, *, allow_private: bool) -> httpx.AsyncClient:
        """One pool for guarded requests, one for the others: they never share a connection."""
        if allow_private not in self._clients:
            if self._verify is None:
                self._verify = _default_trust()
            backend = GuardedBackend(allow_private=allow_private, resolve=self._resolve)
            self._clients[allow_private] = httpx.AsyncClient(
                transport=_GuardedTransport(backend, self._verify),
                headers={"User-Agent": self._agent, "Accept-Encoding": "gzip, deflate"},
                # A cookie would tie together what different sources ask.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                trust_env=False,
                follow_redirects=False,
            )
        return self._clients[allow_private]

    async def aclose(self) -> None:
        """Hang up everywhere."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()


class SourceHttp:
    """What one source may do on the network: the `Http` of the contract."""

    def __init__(
        self, polite: PoliteHttp, allow_private: bool, home: str | None, limits: HttpLimits
    ) -> None:
        self._polite = polite
        self._allow_private = allow_private
        self._home = home
        self._limits = limits

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "*/*",
        secrets: tuple[str, ...] = (),
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> Fetched:
        """As the contract says; `before` is told each address, redirects too, and may refuse."""
        said = {"Accept": accept, **(headers or {})}
        async with self._answered(url, said, before) as (response, hop):
            conditional = any(name.lower().startswith("if-") for name in said)
            check_status(response, now=self._polite.clock.now(), conditional=conditional)
            unchanged = response.status_code == NOT_MODIFIED
            body = b"" if unchanged else await self._body(response)
            return Fetched(
                answer=self._answer(response, body, secrets),
                body=body,
                not_modified=unchanged,
                url=str(response.request.url),
                moved_to=redact(hop.moved_to, secrets),
            )

    async def post(self, url: str, content: bytes, *, headers: Mapping[str, str]) -> bytes:
        """Send `content` and read the answer; a redirect is refused rather than followed.

        `headers` say what is sent and what is accepted. Raises as `Http.get` of the contract does.
        """
        hop = _Hop(url=_parsed(url), headers=headers, method="POST", content=content)
        async with self._asked(hop, hop.url.host) as response:
            if response.status_code in REDIRECTS:
                raise RefusedError(
                    f"{hop.url.host} has moved: put its new address into the config",
                    status=response.status_code,
                )
            check_status(response, now=self._polite.clock.now(), conditional=False)
            return await self._body(response)

    async def peek(self, url: str, *, secrets: tuple[str, ...] = ()) -> Answer:
        async with self._answered(url, {"Accept": "*/*"}) as (response, _):
            if response.status_code not in GONE:
                check_status(response, now=self._polite.clock.now(), conditional=False)
            return self._answer(response, b"", secrets)

    def _answer(self, response: httpx.Response, body: bytes, secrets: tuple[str, ...]) -> Answer:
        return Answer(
            url=redact(str(response.request.url), secrets),
            status=response.status_code,
            headers=keep_headers(response.headers.raw, secrets),
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            received_at=self._polite.clock.now(),
            request=keep_request(response.request.headers.raw, secrets),
        )

    @asynccontextmanager
    async def _answered(
        self,
        url: str,
        headers: Mapping[str, str],
        before: Callable[[str], Awaitable[None]] | None = None,
    ) -> AsyncIterator[tuple[httpx.Response, _Hop]]:
        """The final answer to `url`, redirects followed, its body not yet read."""
        hop = _Hop(url=_parsed(url), headers=headers)
        first = hop.url.host
        for _ in range(self._limits.redirects + 1):
            if before is not None:
                await before(str(hop.url))
            async with self._asked(hop, first) as response:
                if response.status_code not in REDIRECTS:
                    yield response, hop
                    return
                hop = _next_hop(hop, response)
        raise RefusedError(f"{first} redirects more than {self._limits.redirects} times")

    @asynccontextmanager
    async def _asked(self, hop: _Hop, first: str) -> AsyncIterator[httpx.Response]:
        """One request, in its host's turn and within its time; every failure gets a reason."""
        host = hop.url.host
        private = self._allow_private and host == first and self._home in {None, host}
        client = self._polite.client(allow_private=private)
        limits = self._limits
        request = client.build_request(
            hop.method,
            hop.url,
            headers=dict(hop.headers),
            content=hop.content,
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
        )
        async with self._polite.spacing.turn(host, seconds=limits.spacing_seconds):
            try:
                async with asyncio.timeout(limits.total_seconds):
                    response = await client.send(request, stream=True)
                    try:
                        yield response
                    finally:
                        await response.aclose()
            except TimeoutError as error:
                message = f"{host} took longer than {limits.total_seconds:g} seconds"
                raise TransientError(message) from error
            except httpx.InvalidURL as error:  # httpx reads Location even if it does not follow
                message = f"{host} redirects to an address without sense"
                raise MalformedError(message) from error
            except httpx.HTTPError as error:
                raise plain_reason(error, host) from error

    async def _body(self, response: httpx.Response) -> bytes:
        body = Body(
            response.headers.get("content-encoding", ""),
            wire_bytes=self._limits.wire_bytes,
            body_bytes=self._limits.body_bytes,
        )
        async for chunk in response.aiter_raw():
            body.feed(chunk)
        return body.end()


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RefusedError("an address cannot be read") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise RefusedError("only http and https addresses are followed")
    return parsed


def _next_hop(hop: _Hop, response: httpx.Response) -> _Hop:
    """Where a redirect leads, if it may be followed.

    Raises:
        MalformedError: it leads nowhere.
        RefusedError: it leads to another scheme, or from https to http.
    """
    location = response.headers.get("location", "").strip()
    if not location:
        raise MalformedError(f"{hop.url.host} redirects without saying where")
    try:
        target = _parsed(urljoin(str(hop.url), location))
    except ValueError as error:
        raise MalformedError(f"{hop.url.host} redirects to an address without sense") from error
    if hop.url.scheme == "https" and target.scheme == "http":
        raise RefusedError(f"{hop.url.host} redirects from https to http")
    headers = hop.headers
    if _origin(target) != _origin(hop.url):
        # Neither a key in a header nor a password in the address goes to somebody else.
        target = target.copy_with(userinfo=b"")
        headers = {
            name: value for name, value in headers.items() if name.lower() in _FOLLOWS_ANYWHERE
        }
    permanent = hop.permanent and response.status_code in PERMANENT_MOVES
    moved_to = str(target) if permanent else hop.moved_to
    return _Hop(url=target, headers=headers, permanent=permanent, moved_to=moved_to)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _default_trust() -> ssl.SSLContext:
    """The list of certifi and this machine's own, as school proxies need."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
