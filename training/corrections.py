"""A school's corrections, as `staff-mentions mention corrections` wrote them, as labelled rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.rows import FLAGS, GRADES, Row, lines

if TYPE_CHECKING:
    from pathlib import Path


def corrections(file: Path) -> list[Row]:
    """Read one file; each line is a group of its own, and only the flags that it sets are known.

    Raises:
        ValueError: a line is no correction; the message says which, without its words.
    """
    return [_row(line, file.stem, number) for number, line in enumerate(lines(file), start=1)]


def _row(line: dict[str, Any], name: str, number: int) -> Row:
    flags = frozenset(line.get("flags", ()))
    if line.get("label") not in GRADES or not flags <= set(FLAGS):
        raise ValueError(f"{name}, line {number}: the label or a flag is none that there is")
    if not line.get("mention") or line["mention"] not in line.get("text", ""):
        raise ValueError(f"{name}, line {number}: the mention does not stand in the text")
    return Row(
        id=f"{name}-{number}",
        text=line["text"],
        mention=line["mention"],
        grade=line["label"],
        group=f"{name}:{number}",
        file=name,
        flags=flags,
        known_flags=flags,
        thread=line.get("thread", ""),
        title=line.get("title", ""),
        scope=line.get("scope", ""),
    )
