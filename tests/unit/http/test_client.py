"""What the polite client makes of answers: redirects, statuses, caps, secrets, manners."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import httpcore
import httpx
import pytest
import respx

from monitor.errors import (
    AuthError,
    MalformedError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    TransientError,
)
from monitor.http import HttpLimits, PoliteHttp
from monitor.http.addresses import GuardedBackend
from monitor.testing import FakeClock

URL = "https://paper.dunnowby.example/feed"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def polite(clock: FakeClock) -> AsyncIterator[PoliteHttp]:
    polite = PoliteHttp(clock=clock, contact="it@dunnowby.example")
    yield polite
    await polite.aclose()


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


async def test_the_client_says_who_it_is_and_where_to_complain(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    route = router.get(URL).respond(content=b"x")
    await polite.for_source().get(URL, headers={"If-None-Match": '"a"'}, accept="text/xml")
    headers = route.calls.last.request.headers
    assert headers["user-agent"].startswith("staff-mentions/")
    assert headers["user-agent"].endswith(" (+it@dunnowby.example)")
    assert headers["accept"] == "text/xml"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["if-none-match"] == '"a"'


async def test_an_answer_is_kept_with_its_digest_time_and_headers(
    polite: PoliteHttp, router: respx.MockRouter, clock: FakeClock
) -> None:
    router.get(URL).respond(content=b"hello", headers={"X-One": "1", "Set-Cookie": "a=b"})
    fetched = await polite.for_source().get(URL)
    assert fetched.body == b"hello"
    assert fetched.answer.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert (fetched.answer.status, fetched.answer.size) == (200, 5)
    assert fetched.answer.received_at == clock.now()
    assert fetched.header("x-one") == "1"
    assert fetched.header("set-cookie") == ""


async def test_cookies_are_neither_kept_nor_sent(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    route = router.get(URL).respond(headers={"Set-Cookie": "a=b; Path=/"})
    http = polite.for_source()
    await http.get(URL)
    await http.get(URL)
    assert "cookie" not in route.calls.last.request.headers


async def test_304_is_an_answer_only_to_a_conditional_question(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(304)
    http = polite.for_source()
    fetched = await http.get(URL, headers={"If-None-Match": '"a"'})
    assert (fetched.not_modified, fetched.body, fetched.answer.status) == (True, b"", 304)
    with pytest.raises(MalformedError):
        await http.get(URL)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (206, MalformedError),
        (300, MalformedError),
        (400, RefusedError),
        (401, AuthError),
        (403, AuthError),
        (404, RefusedError),
        (408, TransientError),
        (410, RefusedError),
        (429, RateLimitedError),
        (451, RefusedError),
        (500, TransientError),
        (503, TransientError),
        (599, TransientError),
    ],
)
async def test_a_status_becomes_the_error_that_says_what_to_do(
    status: int, error: type[RemoteError], polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(status)
    with pytest.raises(RemoteError) as caught:
        await polite.for_source().get(URL)
    assert type(caught.value) is error
    assert "paper.dunnowby.example" in str(caught.value)
    if isinstance(caught.value, RefusedError):
        assert caught.value.status == status


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, "90", timedelta(seconds=90)),
        (503, "90", timedelta(seconds=90)),
        (429, "100000000", timedelta(hours=24)),
        (429, "Fri, 20 Nov 2026 09:10:00 GMT", timedelta(minutes=10)),
        (429, "Fri, 20 Nov 2026 08:00:00 GMT", timedelta()),
        (429, "soon", timedelta(minutes=5)),
        (429, "", timedelta(minutes=5)),
    ],
)
async def test_retry_after_is_honoured_up_to_a_day(
    status: int, header: str, wait: timedelta, polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(status, headers={"Retry-After": header})
    with pytest.raises(RateLimitedError) as caught:
        await polite.for_source().get(URL)
    assert caught.value.retry_after == wait


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (httpx.ConnectTimeout("x"), TransientError, "in time"),
        (httpx.ReadTimeout("x"), TransientError, "stopped talking"),
        (httpx.ConnectError("x"), TransientError, "out of reach"),
        (httpx.ReadError("x"), TransientError, "hung up"),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            TransientError,
            "without an answer",
        ),
        (
            httpx.RemoteProtocolError("peer closed without sending complete message body (x)"),
            MalformedError,
            "shorter",
        ),
        (httpx.RemoteProtocolError("illegal status line"), MalformedError, "speak HTTP"),
    ],
)
async def test_a_failure_of_the_network_has_a_plain_reason(
    failure: Exception,
    error: type[RemoteError],
    words: str,
    polite: PoliteHttp,
    router: respx.MockRouter,
) -> None:
    router.get(URL).mock(side_effect=failure)
    with pytest.raises(error, match=words):
        await polite.for_source().get(URL)


async def test_redirects_are_followed_and_a_permanent_one_is_told(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    new = "https://paper.dunnowby.example/new?token=sesame"
    router.get(URL).respond(301, headers={"Location": "/new?token=sesame"})
    router.get(new).respond(content=b"x")
    fetched = await polite.for_source().get(URL)
    assert fetched.url == new
    assert fetched.answer.url == "https://paper.dunnowby.example/new?token=<redacted>"
    assert fetched.moved_to == fetched.answer.url
    assert "sesame" not in repr(fetched)


@pytest.mark.parametrize(
    ("first", "second", "moved"),
    [(301, 308, "/c"), (301, 302, "/b"), (302, 301, ""), (307, 303, "")],
)
async def test_only_the_permanent_beginning_of_a_chain_is_a_move(
    first: int, second: int, moved: str, polite: PoliteHttp, router: respx.MockRouter
) -> None:
    host = "https://paper.dunnowby.example"
    router.get(f"{host}/a").respond(first, headers={"Location": "/b"})
    router.get(f"{host}/b").respond(second, headers={"Location": f"{host}/c"})
    router.get(f"{host}/c").respond(content=b"x")
    fetched = await polite.for_source().get(f"{host}/a")
    assert fetched.moved_to == (f"{host}{moved}" if moved else "")


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("", MalformedError),
        ("http://paper.dunnowby.example/", RefusedError),
        ("file:///etc/passwd", RefusedError),
        ("gopher://x.example/", RefusedError),
        ("javascript:alert(1)", MalformedError),
        ("http://[/", MalformedError),
    ],
)
async def test_a_redirect_that_may_not_be_followed_is_not(
    location: str, error: type[RemoteError], polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(302, headers={"Location": location})
    with pytest.raises(error):
        await polite.for_source().get(URL)


async def test_five_redirects_are_followed_and_a_loop_is_left(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    route = router.get(URL).respond(302, headers={"Location": URL})
    with pytest.raises(RefusedError, match="more than 5 times"):
        await polite.for_source().get(URL)
    assert route.call_count == 6


async def test_keys_do_not_follow_a_redirect_to_somebody_else(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    other = "https://other.example/"
    router.get("https://paper.dunnowby.example/feed").respond(
        302, headers={"Location": "https://me:pass@other.example/"}
    )
    route = router.get(other).respond(content=b"x")
    headers = {"Authorization": "Bearer sesame", "X-Api-Key": "sesame", "If-None-Match": '"a"'}
    await polite.for_source().get("https://me:pw@paper.dunnowby.example/feed", headers=headers)
    sent = route.calls.last.request.headers
    assert "authorization" not in sent
    assert "x-api-key" not in sent
    assert sent["if-none-match"] == '"a"'


@pytest.mark.parametrize("url", ["ftp://x.example/", "file:///etc/passwd", "feed.xml", "http://"])
async def test_only_web_addresses_are_asked(url: str, polite: PoliteHttp) -> None:
    with pytest.raises(RefusedError):
        await polite.for_source().get(url)


async def test_secrets_are_in_no_answer(polite: PoliteHttp, router: respx.MockRouter) -> None:
    url = "https://me:hunter2@paper.dunnowby.example/private-4711/feed?api_key=sesame&q=x"
    link = "<https://paper.dunnowby.example/private-4711/2?api_key=sesame>; rel=next"
    router.get(url__startswith="https://paper").respond(headers={"Link": link})
    fetched = await polite.for_source().get(url, secrets=("private-4711",))
    kept = repr(fetched.answer)
    assert fetched.url == url
    for secret in ("hunter2", "sesame", "private-4711"):
        assert secret not in kept
    assert "q=x" in kept


async def test_a_peek_reads_no_body_and_takes_gone_for_an_answer(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(content=b"a picture of somebody")
    router.get(f"{URL}/404").respond(404)
    router.get(f"{URL}/410").respond(410)
    router.get(f"{URL}/500").respond(500)
    http = polite.for_source()
    here = await http.peek(URL)
    assert (here.status, here.size) == (200, 0)
    assert (await http.peek(f"{URL}/404")).status == 404
    assert (await http.peek(f"{URL}/410")).status == 410
    with pytest.raises(TransientError):
        await http.peek(f"{URL}/500")


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("X-GZIP", gzip.compress)],
)
async def test_a_compressed_body_is_expanded(
    encoding: str,
    pack: Callable[[bytes], bytes],
    polite: PoliteHttp,
    router: respx.MockRouter,
) -> None:
    router.get(URL).respond(content=pack(b"hello"), headers={"Content-Encoding": encoding})
    assert (await polite.for_source().get(URL)).body == b"hello"


async def test_a_source_may_have_limits_of_its_own(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    router.get(URL).respond(content=b"x" * 100)
    small = polite.for_source(limits=HttpLimits(body_bytes=99))
    with pytest.raises(MalformedError):
        await small.get(URL)


async def test_two_requests_to_one_host_are_spaced(
    polite: PoliteHttp, router: respx.MockRouter, clock: FakeClock
) -> None:
    router.get(url__regex=".*").respond(content=b"x")
    http = polite.for_source()
    await http.get(URL)
    await http.get("https://other.example/")
    assert clock.slept == []
    await http.get(URL)
    assert clock.slept == [1.0]
    clock.advance(timedelta(seconds=5))
    await http.get(URL)
    assert clock.slept == [1.0]


async def test_a_host_is_asked_one_thing_at_a_time(
    polite: PoliteHttp, router: respx.MockRouter
) -> None:
    under_way, most = 0, 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200)

    router.get(url__regex=".*").mock(side_effect=answer)
    http = polite.for_source()
    await asyncio.gather(*(http.get(f"{URL}/{number}") for number in range(5)))
    assert most == 1


async def test_httpx_writes_no_address_into_the_log(
    polite: PoliteHttp, router: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    router.get(URL).respond(content=b"x")
    with caplog.at_level(logging.DEBUG):
        await polite.for_source().get(URL)
    assert "dunnowby" not in caplog.text


@pytest.mark.parametrize("allow_private", [True, False])
async def test_every_connection_goes_through_our_guard(
    allow_private: bool, polite: PoliteHttp
) -> None:
    """httpx and httpcore have private names here; this test notices when they change."""
    transport = polite.client(allow_private=allow_private)._transport
    pool = transport._pool  # type: ignore[attr-defined]
    assert isinstance(pool, httpcore.AsyncConnectionPool)
    assert isinstance(pool._network_backend, GuardedBackend)
    assert pool._network_backend._allow_private is allow_private
    assert not polite.client(allow_private=allow_private)._mounts
