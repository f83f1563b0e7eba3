"""Grades the same texts on this processor and on an emulated one without VNNI, and compares.

`python -m training processors` needs qemu-user (`qemu-x86_64`), which computes every instruction in
software: Haswell is the first model with AVX2 and knows neither AVX-512 nor VNNI. The texts are the
known answers of the self-test and a fixed sample of `cases/held-mixed.jsonl`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from numpy._core._multiarray_umath import __cpu_features__ as features_here

from monitor.grading.grader import DRIFT, Grader
from monitor.grading.question import Question, spans_of
from training.rows import GRADES, HERE, lines

EMULATOR = "qemu-x86_64"
MODEL = "Haswell,-pcid,-x2apic,-tsc-deadline,-hle,-invpcid,-rtm"
"""Less what only kernels see, which the emulator would complain of not having."""
SAMPLE = 100
SEED = 1
_TELLING = ("AVX2", "AVX512F", "AVX512VNNI", "AVX512_ICL", "AVX512_SPR")


def texts() -> list[dict[str, Any]]:
    """Return the texts, always the same and in the same order."""
    known = [
        {"id": f"known-{row['id']}", "text": row["text"], "mention": row["mention"]}
        for row in json.loads((HERE.parent / "monitor/grading/model/card.json").read_text())[
            "known"
        ]
    ]
    held = list(lines(HERE / "cases" / "held-mixed.jsonl"))
    return known + random.Random(SEED).sample(held, min(SAMPLE, len(held)))


def graded() -> dict[str, Any]:
    """Grade every text on the processor that runs this; its features as CPUID tells them."""
    grader = Grader.load()
    answers = []
    wanted = texts()
    for number, row in enumerate(wanted):
        print(f"\r{number} of {len(wanted)} texts", end="", file=sys.stderr, flush=True)
        question = Question(
            row["text"],
            spans_of(row["text"], row["mention"]),
            title=row.get("title", ""),
            thread=row.get("thread", ""),
        )
        grade = grader.grade(question, reasons=False)
        assert grade.scores is not None
        answers.append(
            {
                "id": row.get("id", f"{number}"),
                "grade": grade.severity.value,
                "unsure": grade.unsure,
                "flags": sorted(flag.value for flag in grade.flags),
                "scores": [getattr(grade.scores, name) for name in GRADES],
            }
        )
    print(f"\r{len(wanted)} of {len(wanted)} texts", file=sys.stderr)
    telling = [name for name in _TELLING if features_here.get(name)]
    return {"model": grader.name, "processor": telling, "answers": answers}


def emulated(model: str) -> dict[str, Any]:
    """Do the same under emulation of another processor.

    Raises:
        SystemExit: there is no emulator, or the run failed there.
    """
    emulator = shutil.which(EMULATOR)
    if emulator is None:
        sys.exit(f"{EMULATOR} is needed (Debian and Ubuntu: apt install qemu-user)")
    ran = subprocess.run(
        [emulator, "-cpu", model, Path(sys.executable).resolve(), "-m", "training", "graded"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(HERE.parent), *sys.path))),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"grading under {EMULATOR} -cpu {model} failed")
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def compared(model: str = MODEL) -> tuple[str, bool]:
    """Say what differs between this processor and an emulated one, and whether it may."""
    here, there = graded(), emulated(model)
    pairs = list(zip(here["answers"], there["answers"], strict=True))
    moved = [
        max(abs(a - b) for a, b in zip(one["scores"], other["scores"], strict=True))
        for one, other in pairs
    ]
    most = max(range(len(moved)), key=moved.__getitem__)
    changed = [
        f"  {one['id']}: {one['grade']} here, {other['grade']} there"
        for one, other in pairs
        if one["grade"] != other["grade"]
    ]
    marks = sum(
        (one["unsure"], one["flags"]) != (other["unsure"], other["flags"]) for one, other in pairs
    )
    said = [
        f"model {here['model']}, {len(pairs)} texts",
        f"here: {' '.join(here['processor']) or 'none of ' + ' '.join(_TELLING)}",
        f"{EMULATOR} -cpu {model}: {' '.join(there['processor'])}",
        f"largest difference of a score {moved[most]:.6f} ({pairs[most][0]['id']})",
        f"allowed {DRIFT}; texts whose scores differ at all {sum(each > 0 for each in moved)}",
        f"grades changed {len(changed)}, unsure marks or flags changed {marks}",
        *changed,
    ]
    return "\n".join(said), not changed and moved[most] <= DRIFT
