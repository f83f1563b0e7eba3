"""Which addresses may be spoken to, decided at the moment of connecting.

A name is resolved once, every address is judged, and the connection goes to a judged address. So a
name server that answers differently a moment later (DNS rebinding) changes nothing, and redirects
are covered because each hop connects through the same door.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

import httpcore

from monitor.errors import RefusedError, TransientError

_PROTOCOL_ASSIGNMENTS = ipaddress.IPv4Network("192.0.0.0/24")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_UNICAST = (
    ipaddress.IPv6Network("2002::/16"),  # 6to4: any IPv4 address in disguise
    ipaddress.IPv6Network("3fff::/20"),  # for documentation, younger than Python 3.11
)
_ADDRESSES_TRIED = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Turns a host name and a port into addresses, the best first."""


def is_public(address: str) -> bool:
    """Whether an address literal belongs to the public internet.

    Stricter than `ipaddress.is_global`, which lets multicast and several ways of wrapping a private
    IPv4 address in IPv6 pass (NAT64, 6to4, IPv4-compatible, site-local).
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _public_v4(parsed) if isinstance(parsed, IPv4Address) else _public_v6(parsed)


def _public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _PROTOCOL_ASSIGNMENTS


def _public_v6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return _public_v4(address.ipv4_mapped)
    special = any(address in network for network in _NOT_UNICAST)
    return address.is_global and address in _GLOBAL_UNICAST and not special


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver, in a thread; it also reads decimal and hexadecimal literals."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise TransientError(f"the name {host} could not be found") from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses that it has judged; `allow_private` switches the judge off."""

    def __init__(
        self,
        *,
        allow_private: bool,
        inner: httpcore.AsyncNetworkBackend | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._allow_private = allow_private
        self._inner = inner or httpcore.AnyIOBackend()
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first judged address that answers.

        Raises:
            RefusedError: the name leads to no public address, and this source may use no other.
            TransientError: the name does not resolve.
            httpcore.ConnectError: no address answered.
        """
        addresses = await self._allowed(host, port)
        share = None if timeout is None else max(timeout / len(addresses), 1.0)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address,
                    port,
                    timeout=share,
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def _allowed(self, host: str, port: int) -> list[str]:
        found = await self._resolve(host, port)
        allowed = [each for each in found if self._allow_private or is_public(each)]
        if found and not allowed:
            raise RefusedError(f"{host} is not on the public internet; this source may not ask it")
        if not allowed:
            raise TransientError(f"the name {host} has no address")
        return allowed[:_ADDRESSES_TRIED]

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        """Never: no source lives there."""
        raise RefusedError("a socket of this machine is not a source")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
