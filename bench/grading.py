"""The grader: speed, memory, and the same network in full precision: `python bench/grading.py`.

Each network runs in a process of its own, so that its memory is its own. The one in full precision
is `training/work/full.onnx`, which training leaves there and `python -m training whole` makes again
of the shipped weights (speed does not depend on them); without it the comparison is missing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import family, median_seconds, megabytes, table
from monitor.demo.catcher import MailCatcher
from monitor.demo.feeds import FeedServer
from monitor.grading.card import MODEL_FILE, TOKENIZER_FILE
from monitor.grading.grader import HERE, Grader
from monitor.grading.network import padded
from monitor.grading.question import Question, spans_of
from monitor.grading.reading import read
from monitor.grading.windows import Pieces, Window
from tests.e2e.house import House, post, wait_for

ROOT = Path(__file__).resolve().parent.parent
FULL = ROOT / "training" / "work" / "full.onnx"
STREAM = ROOT / "training" / "cases" / "held-ordinary.jsonl"
TEXTS = 200
WITH_REASONS = 60
SHAPES = [(threads, batch) for threads in (1, 2) for batch in (1, 32)]
WATCHED_SECONDS = 20
"""The service gives memory back every fifteen seconds."""


def questions() -> list[Question]:
    """The first posts of the ordinary stream that nobody trains on."""
    with STREAM.open(encoding="utf-8") as file:
        rows = [json.loads(line) for _, line in zip(range(TEXTS), file, strict=False)]
    return [Question(row["text"], spans_of(row["text"], row["mention"])) for row in rows]


def own_megabytes() -> float:
    """What this process holds in memory."""
    return megabytes([psutil.Process()])


# --- one network, in a process of its own -------------------------------------------------------


def measured(file: Path) -> dict[str, Any]:
    """Texts a second in each shape, and the memory that the network took at its most."""
    import onnxruntime  # noqa: PLC0415 - its memory is counted

    asked = questions()
    pieces = Pieces.load(HERE / TOKENIZER_FILE)
    windows = [one for each in asked for one in pieces.cut(read(each, pieces.known))]
    before = own_megabytes()
    most, speeds = before, []
    for threads, batch in SHAPES:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        session: Any = onnxruntime.InferenceSession(str(file), options)
        feeds = _feeds(windows, batch)
        session.run(None, feeds[-1])
        seconds = median_seconds(partial(_passed, session, feeds), passes=3)
        speeds.append(len(asked) / seconds)
        most = max(most, own_megabytes())
    return {"speeds": speeds, "megabytes": most - before}


def _passed(session: Any, feeds: list[dict[str, Any]]) -> None:
    for feed in feeds:
        session.run(None, feed)


def _feeds(windows: list[Window], batch: int) -> list[dict[str, Any]]:
    """Batches as the grader makes them: neighbours in length together."""
    order = sorted(windows, key=lambda window: len(window.tokens))
    return [padded(order[n : n + batch]) for n in range(0, len(order), batch)]


def apart(file: Path) -> dict[str, Any]:
    """The same, measured in another process."""
    command = [sys.executable, __file__, "--network", str(file)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


# --- the grader, and the service around it ------------------------------------------------------


def whole() -> list[list[object]]:
    """Loading, and one mention from text to grade."""
    began = time.perf_counter()
    grader = Grader.load()
    asked = questions()
    grader.grade(asked[0], reasons=False)
    rows: list[list[object]] = [
        ["loaded, and the first grade", f"{time.perf_counter() - began:.2f} s", "-"]
    ]
    for reasons, texts in ((False, asked), (True, asked[:WITH_REASONS])):
        spent = []
        for question in texts:
            began = time.perf_counter()
            grader.grade(question, reasons=reasons)
            spent.append((time.perf_counter() - began) * 1000)
        middle, high = np.percentile(spent, [50, 95])
        what = f"a grade, reasons {'on' if reasons else 'off'}"
        rows.append([what, f"{middle:.1f} ms", f"{high:.1f} ms"])
    return rows


def service() -> tuple[float, float]:
    """Megabytes of the whole service once it has graded a threat: at last, and at the most."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FeedServer() as feeds,
        MailCatcher(Path(folder) / "mail") as mail,
    ):
        feeds.publish(post("forum", "t1"))
        url = f"http://127.0.0.1:{feeds.port}/forum.xml"
        house = House(Path(folder), mail.port, {"forum": url})
        house.migrate()
        with house.service() as running:
            wait_for("its grade", lambda: house.rows("select 1 from grade"))
            held, until = [], time.monotonic() + WATCHED_SECONDS
            while time.monotonic() < until:
                held.append(megabytes([family(running.process.pid)[0]]))
                time.sleep(0.5)
            running.stop()
    return held[-1], max(held)


def main() -> None:
    """Measure and print."""
    print("One mention, from text to grade, on one thread\n")
    table(("", "median", "95th percentile"), whole())
    found = {"shipped, 8 bits": apart(HERE / MODEL_FILE)}
    if FULL.exists():
        found["full precision"] = apart(FULL)
    print(f"The network alone, texts a second, {TEXTS} posts of an ordinary month\n")
    heads = [f"{t} thread{'s' * (t > 1)}, batch {b}" for t, b in SHAPES]
    rows: list[list[object]] = [
        [name, *(f"{speed:.0f}" for speed in each["speeds"]), f"{each['megabytes']:.0f} MB"]
        for name, each in found.items()
    ]
    if FULL.exists():
        pairs = zip(*(each["speeds"] for each in found.values()), strict=True)
        rows.append(["times as fast", *(f"{ours / full:.1f}" for ours, full in pairs), "-"])
    table(("network", *heads, "memory it takes"), rows)
    if not FULL.exists():
        print(f"**Full precision was not measured**: {FULL.relative_to(ROOT)} is not there"
              " (`python -m training whole` makes it).\n")  # fmt: skip
    last, most = service()
    print(f"The whole service with the model loaded, resident {WATCHED_SECONDS} seconds after its"
          f" first grade: {last:.0f} MB; at the most in that time {most:.0f} MB.\n")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--network"]:
        print(json.dumps(measured(Path(sys.argv[2]))))
    else:
        main()
