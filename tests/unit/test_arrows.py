"""docs/architecture.md shows the arrows that the linter holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def _contracts(kind: str) -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == kind]


def _page() -> str:
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_arrows_on_the_page_are_the_layers_of_the_linter() -> None:
    (layers,) = _contracts("layers")
    drawn = re.search(r"```\n(testing → .*?)```", _page(), re.DOTALL)
    assert drawn
    assert [" ".join(each.split()) for each in drawn[1].split("→")] == layers["layers"]


def test_every_room_is_explained_on_the_page() -> None:
    (layers,) = _contracts("layers")
    drawn = re.search(r"```\nmonitor/\n(.*?)\n```", _page(), re.DOTALL)
    assert drawn
    columns = [re.split(r" {3,}", line.strip())[0] for line in drawn[1].splitlines()]
    names = {name for column in columns for name in column.split()}
    rooms = {room.strip() for layer in layers["layers"] for room in layer.split("|")}
    assert rooms <= names


def test_plugins_may_import_what_the_page_says_and_nothing_else() -> None:
    (contract,) = [c for c in _contracts("forbidden") if c["forbidden_modules"] == ["monitor"]]
    allowed: dict[str, set[str]] = {}
    for line in contract["ignore_imports"]:
        importer, imported = line.split(" -> ")
        allowed.setdefault(importer, set()).add(imported.removeprefix("monitor."))
    assert allowed["connectors.**"] == allowed["alerts.**"]
    sentence = re.search(r"those see only (.*?),\s+and never\s+a sibling", _page(), re.DOTALL)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence[1])) == allowed["alerts.**"]
