"""Runs the benches, prints their tables, and puts them into docs/performance.md.

`python -m bench` runs all but the soak, one after the other; `python -m bench feeds service` only
these. A section of the page that was not measured now stays as it was.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
TITLES = {
    "service": "The running service",
    "soak": "Ten minutes among bad neighbours",
    "pipeline": "Accept and judge",
    "feeds": "Feeds",
    "matching": "Matching",
    "grading": "Grading",
    "evidence": "Evidence",
    "sealing": "Sealing, and what it takes of the disk",
    "search": "Search",
    "export": "An export",
    "backup": "Backup and restore",
}
LONG = {"soak"}
"""Run only when named: ten minutes and more."""

HEAD = """# Performance

Printed by `make bench` on a shared virtual machine with two cores. Numbers are medians of several
passes; a ratio compares with the least that could be done, measured beside it. Other machines give
other numbers, and much the same ratios.
"""


def measured(name: str) -> str:
    """Run one bench and give what it printed, which is shown as it comes.

    Raises:
        SystemExit: when it failed.
    """
    said = []
    script = Path(__file__).with_name(f"{name}.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append(line)
    if process.returncode:
        sys.exit(f"bench/{name}.py failed")
    return "".join(said)


def put(name: str, text: str) -> None:
    """Replace the section of one bench on the page, or add it."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    today = datetime.now(UTC).date().isoformat()
    section = f"{begin}\n## {TITLES[name]}\n\nMeasured {today}.\n\n{text.strip()}\n{end}\n"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    known = re.compile(f"{begin}.*?{end}\n", re.DOTALL)
    if known.search(page):
        page = known.sub(lambda _: section, page)
    else:
        page = f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page, encoding="utf-8")


def main(names: list[str]) -> None:
    """Run what is named, or all."""
    there = [name for name in TITLES if Path(__file__).with_name(f"{name}.py").exists()]
    unknown = [name for name in names if name not in there]
    if unknown:
        sys.exit(f"no bench is called {', '.join(unknown)}; there are: {', '.join(there)}")
    for name in names or [name for name in there if name not in LONG]:
        print(f"== {TITLES[name]}\n", flush=True)
        put(name, measured(name))


if __name__ == "__main__":
    main(sys.argv[1:])
