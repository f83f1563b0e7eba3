"""Which addresses are public, and what the guard does with a name that leads elsewhere."""

from __future__ import annotations

import socket

import httpcore
import pytest

from monitor.errors import RefusedError, TransientError
from monitor.http import addresses
from monitor.http.addresses import GuardedBackend, is_public


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a00:1450:4009:81f::200e", "::ffff:8.8.8.8"],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1"),
        *("239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"),
        *("fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2002:7f00:1::"),
        *("64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1", "2001::1", "100::1", "3fff::1"),
        *("", "nonsense", "8.8.8.8.8", "0x7f.1"),
    ],
)
def test_everything_else_is_not(address: str) -> None:
    assert not is_public(address)


class _Inner(httpcore.AsyncMockBackend):
    """Notes where it was sent, and refuses some addresses."""

    def __init__(self, *dead: str) -> None:
        super().__init__([])
        self.tried: list[str] = []
        self._dead = dead

    async def connect_tcp(  # type: ignore[override]
        self, host: str, port: int, **_: object
    ) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        if host in self._dead:
            raise httpcore.ConnectError(f"{host}:{port}")
        return httpcore.AsyncMockStream([])


def _guard(*found: str, dead: tuple[str, ...] = (), private: bool = False) -> GuardedBackend:
    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("paper.example", 443)
        return list(found)

    return GuardedBackend(allow_private=private, inner=_Inner(*dead), resolve=resolve)


async def _tried(guard: GuardedBackend) -> list[str]:
    await guard.connect_tcp("paper.example", 443, timeout=5)
    assert isinstance(guard._inner, _Inner)
    return guard._inner.tried


async def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    assert await _tried(_guard("10.0.0.1", "8.8.8.8")) == ["8.8.8.8"]


async def test_a_name_that_leads_into_the_house_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"paper\.example is not on the public internet"):
        await _tried(_guard("10.0.0.1", "::1"))


async def test_a_source_that_may_asks_inside() -> None:
    assert await _tried(_guard("10.0.0.1", private=True)) == ["10.0.0.1"]


async def test_the_next_address_is_tried_when_one_is_dead() -> None:
    guard = _guard("8.8.8.8", "8.8.4.4", dead=("8.8.8.8",))
    assert await _tried(guard) == ["8.8.8.8", "8.8.4.4"]


async def test_no_more_than_four_addresses_are_tried() -> None:
    many = tuple(f"8.8.8.{number}" for number in range(9))
    guard = _guard(*many, dead=many)
    with pytest.raises(httpcore.ConnectError):
        await guard.connect_tcp("paper.example", 443, timeout=5)
    assert isinstance(guard._inner, _Inner)
    assert len(guard._inner.tried) == 4


async def test_a_name_without_an_address_may_have_one_later() -> None:
    with pytest.raises(TransientError):
        await _tried(_guard())


async def test_no_socket_of_this_machine_is_a_source() -> None:
    with pytest.raises(RefusedError):
        await _guard().connect_unix_socket("/run/docker.sock")


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]"[1:-1]])
async def test_disguised_literals_are_resolved_before_they_are_judged(host: str) -> None:
    """Literals need no network; the resolver reads every spelling that a browser reads."""
    found = await addresses.resolve(host, 80)
    assert found
    assert not any(map(is_public, found))


async def test_a_name_that_cannot_be_a_name_is_not_found() -> None:
    with pytest.raises(TransientError, match="could not be found"):
        await addresses.resolve("a" * 300, 80)
    assert socket.gaierror is not None
