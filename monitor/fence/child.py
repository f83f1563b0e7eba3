"""The process behind the fence: reads calls from standard input until it closes.

It is started by its path, not as a module, so that it loads nothing of the service: only the
parsers that it is asked for. It speaks frames (a length of 4 bytes, then so many bytes). A call is
two frames, JSON `{"function", "arguments"}` and the body; an answer is one frame of JSON, `{"ok"}`
or `{"error"}`, with `"leaving": true` when this process ends after it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import struct
import sys
import traceback
from types import TracebackType
from typing import IO, Any

LENGTH = struct.Struct(">I")
READY = b"ready"
TOO_LITTLE_MEMORY = b'{"error": "ran out of memory", "leaving": true}'
_OPEN_FILES = 32
_BYTES_A_MEGABYTE = 1 << 20


def _limit(kind: int, soft: int) -> None:
    """Lower a limit, never past what the service itself is allowed."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft if hard < 0 else min(soft, hard), hard))


def confine(memory_mb: int) -> None:
    """Give up what a parser has no use for: memory, files to write, processes, core dumps."""
    _limit(resource.RLIMIT_AS, memory_mb * _BYTES_A_MEGABYTE)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        resource.setrlimit(kind, (0, 0))


def go_first() -> None:
    """Offer this process when the machine runs out of memory, and leave stopping to the service.

    A service manager tells every process of a service to end; the service itself waits for the
    turn that is under way, and so must we. When it is gone, standard input ends.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:  # noqa: PTH123 - pathlib is a megabyte
        file.write(b"1000")


def allow_seconds(seconds: int) -> None:
    """Let this process burn that much more processor time before the kernel kills it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)


def answer(call: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Call the parser; what it raises ends this process, by way of `last_words`."""
    module, _, name = call["function"].partition(":")
    return {"ok": getattr(importlib.import_module(module), name)(body, call["arguments"])}


def last_words(target: IO[bytes], fault: type[BaseException], trace: TracebackType | None) -> None:
    """Say what a parser raised, by type and place: its message may quote a post."""
    place = "nowhere"
    if trace is not None:
        frame = traceback.extract_tb(trace)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    said = {"error": f"raised {fault.__name__} in {place}", "leaving": True}
    _write(target, json.dumps(said).encode())


def _read(source: IO[bytes]) -> bytes | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return source.read(length)


def _write(target: IO[bytes], frame: bytes) -> None:
    target.write(LENGTH.pack(len(frame)) + frame)
    target.flush()


def _swollen(recycle_mb: int) -> bool:
    """Whether this process now holds more memory than it should keep.

    Not `ru_maxrss`: on Linux that begins with the memory of the process that started this one.
    """
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is a megabyte
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() > recycle_mb * _BYTES_A_MEGABYTE


def serve(source: IO[bytes], target: IO[bytes], *, seconds: int, recycle_mb: int) -> None:
    """Answer calls until the service hangs up or this process should be replaced."""
    _write(target, READY)
    while (call := _read(source)) is not None and (body := _read(source)) is not None:
        allow_seconds(seconds)
        try:
            said = answer(json.loads(call), body)
            leaving = _swollen(recycle_mb)
            frame = json.dumps({**said, "leaving": leaving}).encode()
        except MemoryError:
            frame, leaving = TOO_LITTLE_MEMORY, True
        _write(target, frame)
        if leaving:
            return


def main(seconds: str, memory_mb: str, recycle_mb: str) -> None:
    """Confine this process, then serve."""
    go_first()
    confine(int(memory_mb))
    # A parser that prints must not be able to write into an answer.
    speaking = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.excepthook = lambda fault, _, trace: last_words(speaking, fault, trace)
    serve(sys.stdin.buffer, speaking, seconds=int(seconds), recycle_mb=int(recycle_mb))


if __name__ == "__main__":
    main(*sys.argv[1:])
