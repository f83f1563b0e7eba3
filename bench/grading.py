"""How fast the grader is and how much memory it takes: `python bench/grading.py [FULL.onnx]`.

With the path of the same network in full precision (training leaves `training/work/full.onnx`) it
measures that one beside the shipped one.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from monitor.grading.card import MODEL_FILE, TOKENIZER_FILE
from monitor.grading.grader import HERE, Grader
from monitor.grading.network import padded
from monitor.grading.question import Question, spans_of
from monitor.grading.reading import read
from monitor.grading.windows import Pieces, Window

ROOT = Path(__file__).resolve().parent.parent


def resident_mb() -> float:
    """Return the most memory this process has held, in MB (Linux counts in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def questions() -> list[Question]:
    """Read the ordinary stream, or the self-test where that is missing."""
    file = ROOT / "training" / "cases" / "held-ordinary.jsonl"
    if not file.exists():
        file = ROOT / "training" / "self_test.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    return [Question(row["text"], spans_of(row["text"], row["mention"])) for row in rows][:300]


def rate(file: Path, windows: list[Window], batch: int, threads: int) -> float:
    """Return windows a second, neighbours in length together, the median of three passes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session: Any = onnxruntime.InferenceSession(str(file), options)
    order = sorted(windows, key=lambda window: len(window.tokens))
    feeds = [padded(order[n : n + batch]) for n in range(0, len(order), batch)]
    for feed in feeds[:3]:
        session.run(None, feed)
    passes = []
    for _ in range(3):
        began = time.perf_counter()
        for feed in feeds:
            session.run(None, feed)
        passes.append(len(windows) / (time.perf_counter() - began))
    return statistics.median(passes)


def latency(grader: Grader, asked: list[Question], *, reasons: bool) -> tuple[float, float]:
    """Return the median and the 95th percentile of one grade, in milliseconds."""
    spent = []
    for question in asked:
        began = time.perf_counter()
        grader.grade(question, reasons=reasons)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent), float(np.percentile(spent, 95))


def main() -> None:
    """Print every figure, one a line."""
    bare = resident_mb()
    began = time.perf_counter()
    grader = Grader.load()
    asked = questions()
    grader.grade(asked[0], reasons=False)
    print(f"load and first grade       {time.perf_counter() - began:8.2f} s")
    for reasons in (False, True):
        middle, high = latency(grader, asked, reasons=reasons)
        word = "on " if reasons else "off"
        print(f"grade, reasons {word}         {middle:8.1f} ms, p95 {high:.1f} ms")
    print(
        f"memory, this process       {resident_mb():8.0f} MB, of which before loading {bare:.0f} MB"
    )
    pieces = Pieces.load(HERE / TOKENIZER_FILE)
    windows = [one for each in asked for one in pieces.cut(read(each, pieces.known))]
    models = {"shipped, 8 bits": HERE / MODEL_FILE}
    if len(sys.argv) > 1:
        models["full precision"] = Path(sys.argv[1])
    for name, file in models.items():
        for threads in (1, 2):
            for batch in (1, 32):
                speed = rate(file, windows, batch, threads)
                print(f"{name:16} batch {batch:2} threads {threads} {speed:8.0f} windows a second")


if __name__ == "__main__":
    main()
