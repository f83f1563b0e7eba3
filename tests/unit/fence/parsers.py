"""Parsers as one meets them: good, slow, greedy, broken. Run behind the fence by the tests."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Mapping
from typing import Any

KEPT: list[bytes] = []


def echo(body: bytes, arguments: Mapping[str, str]) -> dict[str, Any]:
    return {"length": len(body), "arguments": dict(arguments), "pid": os.getpid()}


def surroundings(body: bytes, arguments: Mapping[str, str]) -> dict[str, Any]:
    limits = {
        name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
        for name in ("AS", "CORE", "NOFILE", "FSIZE", "NPROC", "CPU")
    }
    with open("/proc/self/statm") as file:  # noqa: PTH123 - as a parser would
        pages = int(file.read().split()[1])
    return {
        "environment": dict(os.environ),
        "limits": limits,
        "folder": os.getcwd(),  # noqa: PTH109 - likewise
        "resident_mb": pages * resource.getpagesize() / 1e6,
        "used_cpu": time.process_time(),
    }


def printing(body: bytes, arguments: Mapping[str, str]) -> str:
    print("noise", flush=True)  # noqa: T201 - that is the fault
    os.write(1, b"more noise")
    return "said"


def spinning(body: bytes, arguments: Mapping[str, str]) -> None:
    while True:
        pass


def sleeping(body: bytes, arguments: Mapping[str, str]) -> None:
    time.sleep(60)


def greedy(body: bytes, arguments: Mapping[str, str]) -> int:
    hoard = []
    while True:
        hoard.append(bytearray(10_000_000))


def swollen(body: bytes, arguments: Mapping[str, str]) -> int:
    KEPT.append(b"x" * int(arguments["bytes"]))
    return os.getpid()


def raising(body: bytes, arguments: Mapping[str, str]) -> None:
    raise ValueError(body.decode())


def dying(body: bytes, arguments: Mapping[str, str]) -> None:
    os.kill(os.getpid(), int(arguments.get("signal", signal.SIGSEGV)))


def leaving(body: bytes, arguments: Mapping[str, str]) -> None:
    os._exit(3)


def talkative(body: bytes, arguments: Mapping[str, str]) -> str:
    return "x" * int(arguments["length"])


def not_json(body: bytes, arguments: Mapping[str, str]) -> object:
    return object()


def writing(body: bytes, arguments: Mapping[str, str]) -> int:
    with open(arguments["path"], "wb") as file:  # noqa: PTH123 - as a parser would
        return file.write(b"x")
