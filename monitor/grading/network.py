"""The network of the model: built once, on one thread, and shared by whoever asks it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.errors import GradingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from monitor.grading.windows import Window

BATCH = 16


class Network:
    """The ONNX file, opened when the first window is read, with one thread and no arena."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._session: Any = None
        self._lock = threading.Lock()

    def answers(self, windows: Sequence[Window], pieces: int | None = None) -> NDArray[np.float64]:
        """Return the logits of each window, (windows, answers), in the given order.

        Windows of like length are run together, `BATCH` at the most, and where `pieces` is given
        no more word pieces than that: many windows at once cost memory, and are hardly faster.

        Raises:
            GradingError: when the network cannot be opened or run.
        """
        session = self._ready()
        order = sorted(range(len(windows)), key=lambda n: len(windows[n].tokens))
        rows: dict[int, NDArray[np.float64]] = {}
        for chosen in _batches(order, windows, pieces):
            feed = padded([windows[n] for n in chosen])
            try:
                output = session.run(None, feed)[0]
            except _faults() as error:
                raise GradingError(f"the grading model failed: {type(error).__name__}") from error
            rows.update(zip(chosen, np.asarray(output, dtype=np.float64), strict=True))
        return np.stack([rows[n] for n in range(len(windows))])

    def _ready(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _opened(self._file)
            return self._session


def _opened(file: Path) -> Any:
    # Nothing that a school runs reports to anybody; the library reads the variable when loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415 - takes a moment, and only grading needs it

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except _faults() as error:
        raise GradingError(f"the grading model cannot be opened: {type(error).__name__}") from error


def _faults() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises; its classes share no parent but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime  # noqa: PLC0415 - as above

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile")
    named = (getattr(runtime, name) for name in (*names, "NotImplemented", "RuntimeException"))
    return (*named, RuntimeError, MemoryError)


def _batches(
    order: list[int], windows: Sequence[Window], pieces: int | None
) -> Iterator[list[int]]:
    """Divide windows, the shortest first, into what is run together; the longest fills the rest."""
    batch: list[int] = []
    for n in order:
        size = (len(batch) + 1) * len(windows[n].tokens)
        if batch and (len(batch) == BATCH or (pieces is not None and size > pieces)):
            yield batch
            batch = []
        batch.append(n)
    yield batch


def padded(windows: Sequence[Window]) -> dict[str, NDArray[Any]]:
    """Return the inputs of the network for some windows, padded to the longest of them."""
    shape = (len(windows), max(len(window.tokens) for window in windows))
    tokens, segments = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    present, target = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for n, window in enumerate(windows):
        size = len(window.tokens)
        tokens[n, :size], segments[n, :size] = window.tokens, window.segments
        present[n, :size], target[n, :size] = 1.0, window.target
    return {"tokens": tokens, "segments": segments, "present": present, "target": target}
