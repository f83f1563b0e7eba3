"""Lends parsers a process that can be killed, and turns its end into an error."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from monitor.errors import MalformedError, TransientError
from monitor.fence import child

_CHILD = Path(child.__file__)
_START_SECONDS = 30.0
_PATIENCE_SECONDS = 5.0
_HEAD = child.LENGTH.size


class ProcessFence:
    """Runs parsers in one or two processes of their own, started when first needed.

    Args:
        seconds: how long one call may take, by the clock and by the processor.
        memory_mb: the address space of a process.
        workers: how many calls run at once; further ones wait.
        idle_seconds: a process that nobody needed for so long is stopped.
        answer_bytes: the longest answer that is read.
        recycle_mb: a process that keeps more memory than this is replaced after its answer.
        program: the script that the processes run.
    """

    def __init__(
        self,
        *,
        seconds: float = 10.0,
        memory_mb: int = 512,
        workers: int = 1,
        idle_seconds: float = 60.0,
        answer_bytes: int = 64_000_000,
        recycle_mb: int = 80,
        program: Path = _CHILD,
    ) -> None:
        numbers = (str(math.ceil(seconds)), str(memory_mb), str(recycle_mb))
        command = (sys.executable, "-IB", str(program), *numbers)
        self._workers = [
            _Worker(command, seconds, idle_seconds, answer_bytes) for _ in range(workers)
        ]
        # Last in, first out: a second process starts only when the first is busy.
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._free.put_nowait(worker)

    async def run(self, function: str, body: bytes, arguments: Mapping[str, str]) -> Any:
        worker = await self._free.get()
        try:
            return await worker.call(function, body, arguments)
        finally:
            self._free.put_nowait(worker)

    async def aclose(self) -> None:
        """Stop every process; a later call starts one again."""
        for worker in self._workers:
            await worker.stop()


class _DiedError(MalformedError):
    """The process ended without an answer; the message says how."""


class _Worker:
    """One place for a process; the process in it comes and goes."""

    def __init__(
        self, command: tuple[str, ...], seconds: float, idle_seconds: float, answer_bytes: int
    ) -> None:
        self._command = command
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._answer_bytes = answer_bytes
        self._process: asyncio.subprocess.Process | None = None
        self._bedtime: asyncio.Task[None] | None = None

    async def call(self, function: str, body: bytes, arguments: Mapping[str, str]) -> Any:
        """One call, in the process that is there or in a fresh one.

        A process that was there may have died before it was asked, which is nobody's fault: then
        the call is made once more.
        """
        self._stay_awake()
        call = json.dumps({"function": function, "arguments": dict(arguments)}).encode()
        was_there = self._process is not None
        try:
            answer = await self._attempt(call, body)
        except _DiedError:
            if not was_there:
                raise
            answer = await self._attempt(call, body)
        self._sleep_later()
        if "error" in answer:
            raise MalformedError(f"the parser {answer['error']}")
        return answer["ok"]

    async def _attempt(self, call: bytes, body: bytes) -> dict[str, Any]:
        process = await self._living()
        finished = False
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._exchange(process, call, body)
            finished = not answer.get("leaving", False)
        except TimeoutError as error:
            message = f"the parser took longer than {self._seconds:g} seconds"
            raise MalformedError(message) from error
        except (EOFError, ConnectionError) as error:
            raise _DiedError(await self._cause_of_death(process)) from error
        finally:
            # Also after a cancellation: a process in the middle of a call cannot be used again.
            if not finished:
                await self._kill()
        return answer

    async def stop(self) -> None:
        self._stay_awake()
        await self._kill()

    async def _exchange(
        self, process: asyncio.subprocess.Process, call: bytes, body: bytes
    ) -> dict[str, Any]:
        assert process.stdin is not None
        for frame in (call, body):
            process.stdin.write(child.LENGTH.pack(len(frame)))
            process.stdin.write(frame)
        await process.stdin.drain()
        answer: dict[str, Any] = json.loads(await self._frame(process))
        return answer

    async def _frame(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        (length,) = child.LENGTH.unpack(await process.stdout.readexactly(_HEAD))
        if length > self._answer_bytes:
            raise MalformedError(f"the parser's answer is longer than {self._answer_bytes} bytes")
        return await process.stdout.readexactly(length)

    async def _living(self) -> asyncio.subprocess.Process:
        """The process of this place, started and ready.

        Raises:
            TransientError: this machine cannot start one now.
        """
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self._kill()
        try:
            self._process = await self._start()
            async with asyncio.timeout(_START_SECONDS):
                ready = await self._frame(self._process) == child.READY
        except (OSError, EOFError, TimeoutError, MalformedError) as error:
            await self._kill()
            raise TransientError("the parser's process could not be started") from error
        if not ready:
            await self._kill()
            raise TransientError("the parser's process speaks another language")
        return self._process

    async def _start(self) -> asyncio.subprocess.Process:
        # No environment: it holds secrets. -I: no start-up files but those of our own packages.
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )

    async def _cause_of_death(self, process: asyncio.subprocess.Process) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await process.wait()
        if process.returncode == -signal.SIGXCPU:
            return f"the parser took longer than {self._seconds:g} seconds of processor time"
        if process.returncode == -signal.SIGKILL:
            return "the parser was killed, perhaps for memory"
        if process.returncode == -signal.SIGSEGV:
            return "the parser crashed"
        return f"the parser died ({process.returncode})"

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.shield(process.wait())
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - no public way

    def _sleep_later(self) -> None:
        self._bedtime = asyncio.create_task(self._sleep())

    async def _sleep(self) -> None:
        await asyncio.sleep(self._idle_seconds)
        self._bedtime = None
        await self._kill()

    def _stay_awake(self) -> None:
        if self._bedtime is not None:
            self._bedtime.cancel()
            self._bedtime = None
