"""A network and a fence without a network or a process: recordings, and parsers run right here."""

from __future__ import annotations

import hashlib
import importlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.contract import Fetched, SourceInfo, Tools
from monitor.errors import MalformedError, RefusedError
from monitor.model import Answer, Scope
from monitor.testing.fakes import FakeClock


@dataclass(frozen=True, slots=True)
class Reply:
    """What a recorded server says under one address."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class ReplayHttp:
    """An `Http` that answers from recordings, and notes what it was asked.

    A reply with an ETag answers 304 to whoever holds it. An address without a recording is refused
    as a 404: a connector that asks for a picture is found out. `failure` is raised by every call;
    `hidden` holds the secrets named with each.
    """

    replies: dict[str, Reply] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    failure: Exception | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    hidden: list[tuple[str, ...]] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "*/*",  # noqa: ARG002 - the contract's signature
        secrets: tuple[str, ...] = (),
    ) -> Fetched:
        self.hidden.append(secrets)
        said = dict(headers or {})
        reply = self._reply(url, said)
        etag = dict(reply.headers).get("ETag", "")
        unchanged = bool(etag) and said.get("If-None-Match") == etag
        body = b"" if unchanged else reply.body
        answer = self._answer(url, reply, 304 if unchanged else reply.status, body)
        return Fetched(answer=answer, body=body, not_modified=unchanged, url=url)

    async def peek(self, url: str, *, secrets: tuple[str, ...] = ()) -> Answer:
        self.hidden.append(secrets)
        if url not in self.replies and self.failure is None:
            self.asked.append((url, {}))
            return self._answer(url, Reply(), 404, b"")
        reply = self._reply(url, {})
        return self._answer(url, reply, reply.status, b"")

    def _reply(self, url: str, headers: dict[str, str]) -> Reply:
        self.asked.append((url, headers))
        if self.failure is not None:
            raise self.failure
        if url not in self.replies:
            raise RefusedError("no recording of this address", status=404)
        return self.replies[url]

    def _answer(self, url: str, reply: Reply, status: int, body: bytes) -> Answer:
        return Answer(
            url=url,
            status=status,
            headers=reply.headers,
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            received_at=self.clock.now(),
        )


class OpenFence:
    """A `Fence` without a process: parsers run here, for tests that are not about the fence."""

    async def run(self, function: str, body: bytes, arguments: Mapping[str, str]) -> Any:
        module, _, name = function.partition(":")
        parser: Callable[[bytes, Mapping[str, str]], Any]
        parser = getattr(importlib.import_module(module), name)
        try:
            return parser(body, arguments)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise MalformedError(f"the parser raised {type(error).__name__}") from error


def replay_tools(http: ReplayHttp, *, scope: Scope = Scope.OPEN) -> Tools:
    """What the core would lend to a connector, all of it fake."""
    source = SourceInfo(name="a-source", scope=scope, school=None, place=None)
    return Tools(http=http, fence=OpenFence(), clock=http.clock, source=source)


@dataclass(frozen=True, slots=True)
class Recordings:
    """What a connector's fixtures hold: its settings, and its server on three kinds of day.

    `normal` holds at least one post, `empty` none, `broken` something that is not what the
    platform promised.
    """

    settings: Mapping[str, Any]
    normal: Mapping[str, Reply]
    empty: Mapping[str, Reply]
    broken: Mapping[str, Reply]


def load_recordings(folder: Path) -> Recordings:
    """Read `recordings.toml` and the replies that it names, all in one folder.

    The file has a table `settings` and, for each kind of day, tables with `url` and `file`, and
    perhaps `status` and a table `headers`.
    """
    found = tomllib.loads((folder / "recordings.toml").read_text(encoding="utf-8"))
    days = {
        day: {one["url"]: _recorded(folder, one) for one in found[day]}
        for day in ("normal", "empty", "broken")
    }
    return Recordings(settings=found["settings"], **days)


def _recorded(folder: Path, one: Mapping[str, Any]) -> Reply:
    return Reply(
        body=(folder / one["file"]).read_bytes(),
        status=one.get("status", 200),
        headers=tuple(one.get("headers", {}).items()),
    )
