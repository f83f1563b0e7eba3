"""Behind the fence: parsers answer, hang, swell and die, and the next call is as good as new."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from monitor.errors import MalformedError, TransientError
from monitor.fence import ProcessFence

HERE = Path(__file__).resolve().parent
MakeFence = Callable[..., ProcessFence]


@pytest.fixture
async def make() -> AsyncIterator[MakeFence]:
    """Fences whose process finds the parsers of these tests."""
    made: list[ProcessFence] = []

    def make(**settings: Any) -> ProcessFence:
        made.append(ProcessFence(**{"program": HERE / "child_with_parsers.py", **settings}))
        return made[-1]

    yield make
    for fence in made:
        await fence.aclose()


async def _run(fence: ProcessFence, name: str, body: bytes = b"", **arguments: str) -> Any:
    return await fence.run(f"parsers:{name}", body, arguments)


async def _gone(pid: int) -> bool:
    """Whether a process ends soon; its status is left for its parent to read."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(5):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(process)
        os.close(process)
    return True


async def test_a_parser_answers_and_keeps_its_process(make: MakeFence) -> None:
    fence = make()
    first = await _run(fence, "echo", b"x" * 3_000_000, some="thing")
    second = await _run(fence, "echo")
    assert (first["length"], first["arguments"]) == (3_000_000, {"some": "thing"})
    assert first["pid"] == second["pid"] != os.getpid()


async def test_no_process_is_started_before_the_first_call(make: MakeFence) -> None:
    children = psutil.Process().children()
    make(workers=2)
    assert psutil.Process().children() == children


async def test_the_process_has_no_secrets_and_few_rights(
    make: MakeFence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFF_MENTIONS_SECRET", "sesame")
    found = await _run(make(seconds=4, memory_mb=300), "surroundings")
    limits = found["limits"]
    assert "sesame" not in str(found["environment"])
    assert found["folder"] == "/"
    assert limits["AS"] == 300 * 1024 * 1024
    assert (limits["CORE"], limits["FSIZE"], limits["NPROC"]) == (0, 0, 0)
    assert limits["NOFILE"] <= 32
    assert limits["CPU"] <= found["used_cpu"] + 6


async def test_an_idle_process_is_small(make: MakeFence) -> None:
    assert (await _run(make(), "surroundings"))["resident_mb"] < 25


async def test_a_parser_cannot_write(make: MakeFence, tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="raised OSError"):
        await _run(make(), "writing", path=str(tmp_path / "x"))


async def test_what_a_parser_prints_is_no_answer(make: MakeFence) -> None:
    assert await _run(make(), "printing") == "said"


@pytest.mark.parametrize(
    ("name", "settings", "why"),
    [
        ("spinning", {"seconds": 0.4}, "longer than 0.4 seconds"),
        ("sleeping", {"seconds": 0.4}, "longer than 0.4 seconds"),
        ("greedy", {"memory_mb": 200}, "ran out of memory"),
        ("raising", {}, r"raised ValueError in parsers\.py"),
        ("dying", {}, "crashed"),
        ("leaving", {}, r"died \(3\)"),
        ("not_json", {}, "raised TypeError"),
        ("absent", {}, "raised AttributeError"),
    ],
)
async def test_a_parser_that_fails_is_malformed_and_the_next_call_is_not(
    name: str, settings: dict[str, Any], why: str, make: MakeFence
) -> None:
    fence = make(**settings)
    before = (await _run(fence, "echo"))["pid"]
    with pytest.raises(MalformedError, match=why):
        await _run(fence, name, b"the words of a post")
    after = (await _run(fence, "echo"))["pid"]
    assert before != after
    assert await _gone(before)


async def test_a_kill_by_the_kernel_is_named(make: MakeFence) -> None:
    fence = make()
    with pytest.raises(MalformedError, match="killed"):
        await _run(fence, "dying", signal=str(int(signal.SIGKILL)))
    with pytest.raises(MalformedError, match="processor time"):
        await _run(fence, "dying", signal=str(int(signal.SIGXCPU)))


async def test_a_service_that_is_told_to_stop_can_finish_its_turn(make: MakeFence) -> None:
    """A service manager tells every process; the one behind the fence waits for the service."""
    assert await _run(make(), "dying", signal=str(int(signal.SIGTERM))) is None


async def test_the_kernel_takes_the_parser_first_when_memory_runs_out(make: MakeFence) -> None:
    pid = (await _run(make(), "echo"))["pid"]
    score = await asyncio.to_thread(Path(f"/proc/{pid}/oom_score_adj").read_text)
    assert int(score) == 1_000


async def test_the_words_of_a_post_are_not_in_the_error(make: MakeFence) -> None:
    with pytest.raises(MalformedError) as caught:
        await _run(make(), "raising", b"Mr Pike is a fool")
    assert "Pike" not in str(caught.value)


async def test_an_answer_has_a_longest_length(make: MakeFence) -> None:
    fence = make(answer_bytes=10_000)
    assert len(await _run(fence, "talkative", length="9000")) == 9_000
    with pytest.raises(MalformedError, match="longer than 10000"):
        await _run(fence, "talkative", length="20000")
    assert len(await _run(fence, "talkative", length="9000")) == 9_000


async def test_a_process_that_has_grown_is_replaced_after_its_answer(make: MakeFence) -> None:
    fence = make(recycle_mb=60)
    small = await _run(fence, "swollen", bytes="1000")
    assert await _run(fence, "swollen", bytes="1000") == small
    assert await _run(fence, "swollen", bytes="90000000") == small
    assert await _run(fence, "swollen", bytes="1000") != small


async def test_an_idle_process_is_stopped_and_a_later_call_starts_another(
    make: MakeFence,
) -> None:
    fence = make(idle_seconds=0.05)
    first = (await _run(fence, "echo"))["pid"]
    assert await _gone(first)
    assert (await _run(fence, "echo"))["pid"] != first


async def test_the_event_loop_goes_on_while_a_parser_spins(make: MakeFence) -> None:
    fence = make(seconds=0.5)
    ticks = 0
    call = asyncio.create_task(_run(fence, "spinning"))
    while not call.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 15
    with pytest.raises(MalformedError):
        await call


async def test_a_cancelled_call_leaves_no_process_behind(make: MakeFence) -> None:
    fence = make(seconds=30)
    pid = (await _run(fence, "echo"))["pid"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await _run(fence, "sleeping")
    assert await _gone(pid)
    assert (await _run(fence, "echo"))["pid"] != pid


async def test_two_workers_run_two_parsers_at_once_and_the_third_waits(make: MakeFence) -> None:
    fence = make(workers=2)
    await asyncio.gather(_run(fence, "echo"), _run(fence, "echo"))
    pids = {one["pid"] for one in await asyncio.gather(*(_run(fence, "echo") for _ in range(6)))}
    assert len(pids) == 2


async def test_a_second_process_is_not_started_for_calls_in_turn(make: MakeFence) -> None:
    fence = make(workers=2)
    pids = {(await _run(fence, "echo"))["pid"] for _ in range(4)}
    assert len(pids) == 1


async def test_a_process_killed_while_idle_costs_nothing(make: MakeFence) -> None:
    fence = make()
    pid = (await _run(fence, "echo"))["pid"]
    os.kill(pid, signal.SIGKILL)
    assert await _gone(pid)
    assert (await _run(fence, "echo"))["pid"] != pid


async def test_a_process_that_cannot_start_is_tried_again_later(
    make: MakeFence, tmp_path: Path
) -> None:
    program = tmp_path / "child.py"
    fence = make(program=program)
    with pytest.raises(TransientError):
        await _run(fence, "echo")
    program.write_text("print('something else altogether')")
    with pytest.raises((TransientError, MalformedError)):
        await _run(fence, "echo")
    program.write_bytes((HERE / "child_with_parsers.py").read_bytes())
    with pytest.raises(MalformedError, match="ModuleNotFoundError"):
        await _run(fence, "echo")


async def test_the_process_ends_with_the_service_even_if_that_is_killed() -> None:
    program = (
        "import asyncio, os, sys\n"
        "from monitor.fence import ProcessFence\n"
        "async def main():\n"
        "    fence = ProcessFence(program=sys.argv[1])\n"
        "    print((await fence.run('parsers:echo', b'', {}))['pid'], flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    child = str(HERE / "child_with_parsers.py")
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, child, stdout=asyncio.subprocess.PIPE
    )
    assert started.stdout is not None
    pid = int(await started.stdout.readline())
    assert await started.wait() == -signal.SIGKILL
    await started.stdout.read()
    assert await _gone(pid)


async def test_the_child_imports_nothing_of_the_service() -> None:
    """The feed's parser, in the process as it really is: no pydantic, no httpx, no SQL."""
    command = (
        "import sys, importlib; sys.path.insert(0, sys.argv[1]);"
        "importlib.import_module('connectors.feed.parsing');"
        "print(sorted(set(sys.modules) & {'pydantic', 'httpx', 'sqlmodel', 'asyncio',"
        " 'monitor.contract', 'monitor.model'}))"
    )
    root = str(HERE.parents[2])
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-IB", "-c", command, root, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await started.communicate()
    assert said.strip() == b"[]"
    assert started.returncode == 0
