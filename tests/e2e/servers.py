"""A real HTTP server on loopback that does what it is told, politely or not, with TLS or without.

A test gives it one behaviour for each path: `reply(...)` for an honest answer, or one of the
dishonest ones. What was asked is kept in `asked`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

RSS = "application/rss+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; the names of headers are in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class BadServer:
    """A running server: its address, what it does for each path, what it was asked."""

    url: str
    port: int
    paths: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for one in self.asked if one.path == path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one behaviour, good-bye."""
        try:
            asked = await _request(reader)
            if asked is not None:
                self.asked.append(asked)
                await self.paths.get(asked.path, reply(b"", 404))(asked, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has every right to hang up on a server like this
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Asked(path=first.split(" ")[1], headers=headers, body=body)


@asynccontextmanager
async def bad_server(
    *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", **paths: Behaviour
) -> AsyncIterator[BadServer]:
    """Run a server on a free port of loopback; `paths` by their names without the slash."""
    port = _free_port(host)
    scheme = "http" if tls is None else "https"
    bad = BadServer(f"{scheme}://{host}:{port}", port, {f"/{k}": v for k, v in paths.items()})
    connections: set[asyncio.Task[None]] = set()

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(bad.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(greet, host, port, ssl=tls)
    try:
        yield bad
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} So\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")


def reply(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None, *, type_: str = RSS
) -> Behaviour:
    """An honest answer."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        said = {"Content-Type": type_, "Content-Length": str(len(body)), **(headers or {})}
        writer.write(_head(status, said) + body)

    return behave


def with_etag(body: bytes, etag: str) -> Behaviour:
    """An honest answer that knows whom it has told before."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.headers.get("if-none-match") == etag:
            writer.write(_head(304, {"ETag": etag}))
        else:
            await reply(body, headers={"ETag": etag})(asked, writer)

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One behaviour after the other; the last one for ever."""
    left = list(behaviours)

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, writer)

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    """Sends the client somewhere else."""
    return reply(b"", status, {"Location": location})


def gzipped(body: bytes) -> Behaviour:
    """An honest answer, compressed."""
    return reply(gzip.compress(body), headers={"Content-Encoding": "gzip"})


def bomb(expanded: int) -> Behaviour:
    """A small answer that expands to so many zeros."""
    return reply(gzip.compress(bytes(expanded)), headers={"Content-Encoding": "gzip"})


def wrong_length(body: bytes, said: int) -> Behaviour:
    """Promises `said` bytes, sends `body`, hangs up."""
    return reply(body, headers={"Content-Length": str(said)})


def cut_chunks(body: bytes) -> Behaviour:
    """Sends one chunk and hangs up without the last."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        head = _head(200, {"Content-Type": RSS, "Transfer-Encoding": "chunked"})
        writer.write(head + f"{len(body):x}\r\n".encode() + body + b"\r\n")

    return behave


def endless(chunk: bytes = b"<item>again</item>" * 1_000) -> Behaviour:
    """Never stops talking."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content-Type": RSS}))
        while True:
            writer.write(chunk)
            await writer.drain()

    return behave


def drip(body: bytes, seconds: float) -> Behaviour:
    """Sends one byte, waits, sends the next: never silent, never finished."""

    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content-Type": RSS, "Content-Length": str(len(body))}))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return behave


async def silent(_: Asked, __: asyncio.StreamWriter) -> None:
    """Takes the question and says nothing at all."""
    await asyncio.sleep(3_600)


async def hang_up(_: Asked, __: asyncio.StreamWriter) -> None:
    """Takes the question and closes the connection."""


async def reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Begins to answer and resets the connection."""
    writer.write(_head(200, {"Content-Type": RSS, "Content-Length": "1000"}) + b"<rss")
    await writer.drain()
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def gibberish(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Speaks something that is not HTTP."""
    writer.write(b"220 mail.dunnowby.example ESMTP\r\n\r\n")


async def endless_headers(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Never comes to the point."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Header: and another thing\r\n" * 100)
        await writer.drain()
