"""How fast feeds are fetched and parsed: `python bench/feeds.py [FEEDS]`.

A server process on loopback publishes invented feeds (seven in ten of 10 items, a quarter of 50,
one in twenty of 200), each under a host name of its own. The real client fetches them, the real
fence parses them. Each line is the median of three passes; the ratio compares with fetching alone.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

import psutil

from connectors.feed.connector import FeedConfig, FeedConnector
from monitor.clock import SystemClock
from monitor.contract import SourceInfo, Tools
from monitor.fence import ProcessFence
from monitor.http import HttpLimits, PoliteHttp
from monitor.model import Cursor, Scope

PASSES = 3
AT_ONCE = 20
WORDS = "The fair at Dunnowby was a great success and everybody thanks the school for its help. "

SERVER = """
import asyncio, sys

async def main():
    bodies = eval(sys.stdin.readline())

    async def serve(reader, writer):
        try:
            while head := await reader.readuntil(b"\\r\\n\\r\\n"):
                number = int(head.split(b" ")[1].rpartition(b"/")[2])
                etag = b'"%d"' % number
                if etag in head:
                    writer.write(b"HTTP/1.1 304 Same\\r\\nETag: " + etag + b"\\r\\n\\r\\n")
                    continue
                body = bodies[number % len(bodies)].replace(b"NUMBER", b"%d" % number)
                writer.write(
                    b"HTTP/1.1 200 OK\\r\\nContent-Type: application/rss+xml\\r\\nETag: " + etag
                    + b"\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
"""


def feed(items: int) -> bytes:
    """An RSS feed of so many posts of about 450 bytes."""
    posts = "".join(
        f"<item><title>Post {n} of feed NUMBER</title>"
        f"<link>https://feed-NUMBER.example/{n}</link>"
        f"<pubDate>Thu, 19 Nov 2026 18:{n % 60:02}:00 +0000</pubDate>"
        f"<description>&lt;p&gt;{WORDS * 3}&lt;/p&gt;</description></item>"
        for n in range(items)
    )
    return f'<rss version="2.0"><channel><title>Feed</title>{posts}</channel></rss>'.encode()


async def at_once(jobs: list[Callable[[], Awaitable[object]]]) -> float:
    """Seconds for all jobs, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def run(job: Callable[[], Awaitable[object]]) -> None:
        async with gate:
            await job()

    start = time.perf_counter()
    await asyncio.gather(*map(run, jobs))
    return time.perf_counter() - start


class Bench:
    """One client, one fence of two processes, and many feeds."""

    def __init__(self, port: int, count: int) -> None:
        async def resolve(_: str, __: int) -> list[str]:
            return ["127.0.0.1"]

        self.http = PoliteHttp(
            clock=SystemClock(), limits=HttpLimits(spacing_seconds=0), resolve=resolve
        )
        self.fence = ProcessFence(workers=2)
        self.urls = [f"http://feed-{n}.example:{port}/{n}" for n in range(count)]
        self.cursors: dict[str, Cursor | None] = {}
        self.posts = 0
        self.child_mb = 0.0

    async def fetch(self, url: str) -> None:
        await self.http.for_source(allow_private=True).get(url)

    async def poll(self, url: str, *, again: bool) -> None:
        tools = Tools(
            http=self.http.for_source(allow_private=True),
            fence=self.fence,
            clock=SystemClock(),
            source=SourceInfo(url, Scope.OPEN, None, None),
        )
        batch = await FeedConnector(FeedConfig(url=url), tools).poll(
            self.cursors[url] if again else None
        )
        self.cursors[url] = batch.cursor
        self.posts += len(batch.posts)

    async def measure(self, job: Callable[[str], Awaitable[object]]) -> float:
        """The median of the passes over all feeds."""
        passes = []
        for _ in range(PASSES):
            self.posts = 0
            passes.append(await at_once([lambda url=url: job(url) for url in self.urls]))  # type: ignore[misc]
            children = psutil.Process().children()
            self.child_mb = max([self.child_mb, *(c.memory_info().rss / 1e6 for c in children[1:])])
        return statistics.median(passes)


async def main(count: int) -> None:
    """Start the server, measure, print."""
    bodies = [feed(10)] * 14 + [feed(50)] * 5 + [feed(200)]
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(repr(bodies).encode() + b"\n")
    bench = Bench(int(await server.stdout.readline()), count)
    fetched = await bench.measure(bench.fetch)
    polled = await bench.measure(lambda url: bench.poll(url, again=False))
    posts = bench.posts
    unchanged = await bench.measure(lambda url: bench.poll(url, again=True))
    await bench.fence.aclose()
    await bench.http.aclose()
    server.terminate()
    await server.wait()
    megabytes = sum(len(bodies[n % len(bodies)]) for n in range(count)) / 1e6
    print(f"{count} feeds, {megabytes:.0f} MB, {posts} posts; {AT_ONCE} at once\n")
    print("| what | seconds | feeds/s | ratio |")
    print("|---|---:|---:|---:|")
    for what, seconds in (
        ("fetch only", fetched),
        ("fetch, parse, make posts", polled),
        ("poll again, nothing new (304)", unchanged),
    ):
        print(f"| {what} | {seconds:.2f} | {count / seconds:.0f} | {seconds / fetched:.1f} |")
    print(f"\nthe parser's process: {bench.child_mb:.0f} MB resident at most")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
