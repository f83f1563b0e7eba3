"""A feed from real servers on loopback that misbehave in every way we know.

Each fault becomes the error that says what to do next, in bounded time and memory, and the next
turn of a source that has recovered is as good as ever.

Longer than other files, so that whoever asks "and what if the server …" finds the answer in one.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import psutil
import pytest
import trustme

from connectors.feed.connector import FeedConfig, FeedConnector
from monitor.clock import SystemClock
from monitor.contract import SourceInfo, Tools
from monitor.errors import (
    AuthError,
    MalformedError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    TransientError,
)
from monitor.fence import ProcessFence
from monitor.http import HttpLimits, PoliteHttp
from monitor.model import Batch, Presence, Scope
from tests.e2e import servers
from tests.e2e.servers import BadServer, Behaviour, bad_server, reply

LIMITS = HttpLimits(
    connect_seconds=1,
    read_seconds=0.5,
    total_seconds=1.5,
    wire_bytes=2_000_000,
    body_bytes=3_000_000,
    spacing_seconds=0,
)
NO_ONE = "203.0.113.1"
"""An address of TEST-NET-3: nobody lives there (RFC 5737)."""


def _feed(*titles: str) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://a.example/{title}</link></item>"
        for title in titles
    )
    return f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()


GOOD = _feed("One", "Two")


@dataclass(slots=True)
class World:
    """One client and one fence, as the service has them."""

    http: PoliteHttp
    fence: ProcessFence

    def connector(self, url: str, *, allow_private: bool = True) -> FeedConnector:
        tools = Tools(
            http=self.http.for_source(allow_private=allow_private, home=url),
            fence=self.fence,
            clock=SystemClock(),
            source=SourceInfo("a-source", Scope.OPEN, None, None),
        )
        return FeedConnector(FeedConfig(url=url), tools)

    async def poll(self, url: str, *, allow_private: bool = True) -> Batch:
        return await self.connector(url, allow_private=allow_private).poll(None)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(
        PoliteHttp(clock=SystemClock(), limits=LIMITS), ProcessFence(seconds=2, memory_mb=300)
    )
    yield world
    await world.fence.aclose()
    await world.http.aclose()


@pytest.fixture
async def bad() -> AsyncIterator[BadServer]:
    async with bad_server() as server:
        yield server


async def test_an_honest_feed_is_read(world: World, bad: BadServer) -> None:
    bad.paths["/feed"] = reply(GOOD)
    batch = await world.poll(f"{bad.url}/feed")
    assert [post.title for post in batch.posts] == ["One", "Two"]
    assert batch.answers[0].size == len(GOOD)


async def test_an_etag_saves_the_second_answer(world: World, bad: BadServer) -> None:
    bad.paths["/feed"] = servers.with_etag(GOOD, '"one"')
    connector = world.connector(f"{bad.url}/feed")
    first = await connector.poll(None)
    second = await connector.poll(first.cursor)
    assert second.not_modified
    assert second.answers[0].status == 304
    assert second.cursor == first.cursor


async def test_a_compressed_feed_is_read(world: World, bad: BadServer) -> None:
    bad.paths["/feed"] = servers.gzipped(GOOD)
    batch = await world.poll(f"{bad.url}/feed")
    assert len(batch.posts) == 2
    assert batch.answers[0].size == len(GOOD)


FAULTS: dict[str, tuple[Behaviour, type[RemoteError], str]] = {
    "a bomb": (servers.bomb(200_000_000), MalformedError, "expands to more"),
    "endless": (servers.endless(), MalformedError, "longer than"),
    "endless headers": (servers.endless_headers, MalformedError, "speak HTTP"),
    "a slow drip": (servers.drip(GOOD, 0.1), TransientError, "longer than 1.5 seconds"),
    "silence": (servers.silent, TransientError, "stopped talking"),
    "shorter than it says": (servers.wrong_length(GOOD, 9_999), MalformedError, "shorter"),
    "longer than it says": (servers.wrong_length(GOOD, 30), MalformedError, "source broken"),
    "cut in its chunks": (servers.cut_chunks(GOOD), MalformedError, "shorter"),
    "an answer of nothing": (reply(b""), MalformedError, "is empty"),
    "a web page": (
        reply(b"<!doctype html><html><title>Sign in</title></html>", type_="text/html"),
        MalformedError,
        "web page",
    ),
    "a picture": (reply(b"\x89PNG\r\n\x1a\n" + bytes(500)), MalformedError, "not a feed"),
    "a lie about gzip": (
        reply(GOOD, headers={"Content-Encoding": "gzip"}),
        MalformedError,
        "compression",
    ),
    "an unknown encoding": (
        reply(GOOD, headers={"Content-Encoding": "br"}),
        MalformedError,
        "not asked for",
    ),
    "a hang-up": (servers.hang_up, TransientError, "without an answer"),
    "a reset": (servers.reset, TransientError, "hung up"),
    "not HTTP": (servers.gibberish, MalformedError, "speak HTTP"),
    "a server error": (reply(b"", 500), TransientError, "500"),
    "not found": (reply(b"", 404), TransientError, "404"),
    "gone": (reply(b"", 410), RefusedError, "410"),
    "forbidden": (reply(b"", 403), AuthError, "403"),
    "a redirect loop": (servers.redirect("/feed"), RefusedError, "more than 5 times"),
    "a redirect to nowhere": (servers.redirect("http://[/"), MalformedError, "sense"),
    "a redirect to a file": (servers.redirect("file:///etc/passwd"), RefusedError, "http"),
    "a redirect into the house": (
        servers.redirect("http://localhost:1/"),
        RefusedError,
        "localhost is not on the public internet",
    ),
    "a redirect to the metadata of a cloud": (
        servers.redirect("http://169.254.169.254/latest/"),
        RefusedError,
        "not on the public internet",
    ),
    "a redirect to a number": (
        servers.redirect("http://2130706433/"),
        RefusedError,
        "not on the public internet",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_has_a_name_and_the_next_turn_is_good(
    name: str, world: World, bad: BadServer
) -> None:
    behaviour, error, words = FAULTS[name]
    bad.paths["/feed"] = behaviour
    before = psutil.Process().memory_info().rss
    async with asyncio.timeout(10):
        with pytest.raises(RemoteError, match=words) as caught:
            await world.poll(f"{bad.url}/feed")
    assert type(caught.value) is error
    assert psutil.Process().memory_info().rss - before < 60_000_000
    bad.paths["/feed"] = reply(GOOD)
    assert len((await world.poll(f"{bad.url}/feed")).posts) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_time_is_given_it(
    status: int, world: World, bad: BadServer
) -> None:
    bad.paths["/feed"] = reply(b"", status, {"Retry-After": "120"})
    with pytest.raises(RateLimitedError) as caught:
        await world.poll(f"{bad.url}/feed")
    assert caught.value.retry_after == timedelta(seconds=120)


async def test_a_redirect_is_followed_and_a_move_is_told(world: World, bad: BadServer) -> None:
    bad.paths["/feed"] = servers.redirect("/new", 301)
    bad.paths["/new"] = reply(GOOD)
    batch = await world.poll(f"{bad.url}/feed")
    assert len(batch.posts) == 2
    assert f"moved for good to {bad.url}/new" in batch.note


async def test_a_source_that_may_not_ask_inside_does_not(world: World, bad: BadServer) -> None:
    bad.paths["/feed"] = reply(GOOD)
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        with pytest.raises(RefusedError, match="not on the public internet"):
            await world.poll(f"http://{host}:{bad.port}/feed", allow_private=False)
    assert bad.asked == []


async def test_permission_to_ask_inside_ends_at_the_source_itself(
    world: World, bad: BadServer
) -> None:
    """A post's link may lead anywhere; a second look must not become a look into the house."""
    connector = world.connector("https://paper.dunnowby.example/feed")
    ref = (await world.poll(await _good(bad))).posts[0].ref
    asked = len(bad.asked)
    with pytest.raises(RefusedError):
        await connector.look_again(ref, f"{bad.url}/router-admin")
    assert len(bad.asked) == asked


async def _good(bad: BadServer) -> str:
    bad.paths["/feed"] = reply(GOOD)
    return f"{bad.url}/feed"


async def test_a_name_that_turns_inward_between_two_looks_is_caught(bad: BadServer) -> None:
    """DNS rebinding: the address that was judged is the address that is asked."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    async def resolve(_: str, __: int) -> list[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    http = PoliteHttp(clock=SystemClock(), limits=LIMITS, resolve=resolve)
    source = http.for_source()
    url = f"http://rebound.example:{bad.port}/feed"
    with pytest.raises(TransientError):
        await source.get(url)  # went to the first address, where this test has no server
    with pytest.raises(RefusedError):
        await source.get(url)
    assert bad.asked == []
    await http.aclose()


async def test_a_name_that_does_not_exist_is_said_so(world: World) -> None:
    async def resolve(host: str, _: int) -> list[str]:
        raise TransientError(f"the name {host} could not be found") from socket.gaierror()

    http = PoliteHttp(clock=SystemClock(), limits=LIMITS, resolve=resolve)
    with pytest.raises(TransientError, match=r"the name no-such\.example could not be found"):
        await http.for_source().get("http://no-such.example/feed")
    await http.aclose()


async def test_the_systems_own_resolver_is_asked_by_default(world: World) -> None:
    with pytest.raises(TransientError, match=r"the name .*\.invalid could not be found"):
        await world.poll("http://no-such-name.invalid/feed", allow_private=False)


async def test_a_server_that_is_not_there_is_said_so(world: World, bad: BadServer) -> None:
    async with bad_server() as gone:
        url = gone.url
    with pytest.raises(TransientError, match="refuses connections"):
        await world.poll(f"{url}/feed")


def _tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.mark.parametrize(
    ("names", "trusted", "words"),
    [
        (("127.0.0.1",), True, ""),
        (("127.0.0.1",), False, "certificate of 127.0.0.1 is not good"),
        (("other.example",), True, "certificate of 127.0.0.1 is not good"),
    ],
    ids=["good", "unknown authority", "another name"],
)
async def test_only_a_good_certificate_is_believed(
    names: tuple[str, ...], trusted: bool, words: str, world: World
) -> None:
    authority = trustme.CA()
    verify = ssl.create_default_context()
    if trusted:
        authority.configure_trust(verify)
    http = PoliteHttp(clock=SystemClock(), limits=LIMITS, verify=verify)
    async with bad_server(tls=_tls(authority, *names), feed=reply(GOOD)) as server:
        source = http.for_source(allow_private=True)
        if words:
            with pytest.raises(TransientError, match=words):
                await source.get(f"{server.url}/feed")
        else:
            assert (await source.get(f"{server.url}/feed")).body == GOOD
        await http.aclose()


async def test_a_server_without_tls_is_no_tls_server(world: World) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Plain HTTP here\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransientError, match="TLS"):
            await world.poll(f"https://127.0.0.1:{port}/feed")


async def test_https_does_not_lead_to_http(world: World, bad: BadServer) -> None:
    authority = trustme.CA()
    verify = ssl.create_default_context()
    authority.configure_trust(verify)
    http = PoliteHttp(clock=SystemClock(), limits=LIMITS, verify=verify)
    down = servers.redirect(f"{bad.url}/feed")
    async with bad_server(tls=_tls(authority, "127.0.0.1"), feed=down) as server:
        with pytest.raises(RefusedError, match="from https to http"):
            await http.for_source(allow_private=True).get(f"{server.url}/feed")
        await http.aclose()
    assert bad.asked == []


def _nested(size: int) -> bytes:
    """Nested tags: no pre-check counts them, and the parser needs seconds."""
    return b"<rss version='2.0'><channel><item>" + b"<x>" * (size // 3)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a megabyte of attributes": lambda: (
        b"<rss><channel><item " + b" ".join(b"a%d=''" % n for n in range(90_000)) + b"/></channel>"
    ),
    "attributes with brackets": lambda: (
        b"<rss><channel><item " + b" ".join(b"a%d='>'" % n for n in range(90_000)) + b"/></channel>"
    ),
    "a billion laughs": lambda: (
        b'<!DOCTYPE r [<!ENTITY a "ha">'
        + b"".join(
            b'<!ENTITY a%d "%s">' % (n, (b"&a%d;" % (n - 1) if n else b"&a;") * 10)
            for n in range(9)
        )
        + b']><rss version="2.0"><channel><item><title>&a8;</title></item></channel></rss>'
    ),
    "deep nesting": lambda: _nested(1_900_000),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_feed_costs_the_fence_its_limit_and_the_service_nothing(
    name: str, world: World, bad: BadServer
) -> None:
    bad.paths["/feed"] = reply(HOSTILE[name]())
    loop = asyncio.get_running_loop()
    longest = 0.0
    started = last = loop.time()
    turn = asyncio.create_task(world.poll(f"{bad.url}/feed"))
    while not turn.done():
        await asyncio.sleep(0.02)
        longest, last = max(longest, loop.time() - last), loop.time()
    assert isinstance(turn.exception(), MalformedError)
    assert loop.time() - started < 5
    assert longest < 0.5, "the service stood still"
    assert len((await world.poll(await _good(bad))).posts) == 2


async def test_a_feed_that_no_check_sees_through_is_given_up_in_time(
    world: World, bad: BadServer
) -> None:
    """Two megabytes of bare ampersands are nothing to count, and seconds of work."""
    impatient = World(world.http, ProcessFence(seconds=0.5))
    bad.paths["/feed"] = reply(_feed("& " * 450_000))
    with pytest.raises(MalformedError, match=r"longer than 0\.5 seconds"):
        await impatient.poll(f"{bad.url}/feed")
    assert len((await world.poll(await _good(bad))).posts) == 2
    await impatient.fence.aclose()


async def test_a_feed_that_eats_the_parsers_memory_kills_only_the_parser(
    world: World, bad: BadServer
) -> None:
    small = ProcessFence(seconds=20, memory_mb=40)
    world.fence, fence = small, world.fence
    bad.paths["/feed"] = reply(_feed(*("x" * 50 for _ in range(11_000))))
    with pytest.raises(MalformedError, match=r"memory|killed|died"):
        await world.poll(f"{bad.url}/feed")
    assert len((await world.poll(await _good(bad))).posts) == 2
    await small.aclose()
    world.fence = fence


async def test_a_second_look_reads_nothing_of_the_page(world: World, bad: BadServer) -> None:
    bad.paths["/endless"] = servers.endless()
    bad.paths["/gone"] = reply(b"", 410)
    bad.paths["/broken"] = reply(b"", 502)
    connector = world.connector(f"{bad.url}/feed")
    ref = (await world.poll(await _good(bad))).posts[0].ref
    here = await connector.look_again(ref, f"{bad.url}/endless")
    assert here.presence is Presence.PRESENT
    assert here.answer is not None
    assert here.answer.size == 0
    for path in ("gone", "missing"):
        seen = await connector.look_again(ref, f"{bad.url}/{path}")
        assert seen.presence is Presence.GONE
    with pytest.raises(TransientError):
        await connector.look_again(ref, f"{bad.url}/broken")


async def test_many_sources_at_once_share_client_and_fence(world: World, bad: BadServer) -> None:
    world.http.limits = HttpLimits(spacing_seconds=0)
    for number in range(30):
        bad.paths[f"/{number}"] = reply(_feed(f"post{number}"))
    batches = await asyncio.gather(*(world.poll(f"{bad.url}/{n}") for n in range(30)))
    assert [batch.posts[0].title for batch in batches] == [f"post{n}" for n in range(30)]
