"""The page that describes the format says what the program does."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from monitor.evidence.checkpoint import HAND_OVER
from monitor.evidence.leaf import open_leaf

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/evidence-format.md").read_text()
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/fixtures/evidence/vectors.json").read_text())


def test_the_worked_vectors_are_those_of_the_fixtures() -> None:
    (grade,) = (leaf for leaf in VECTORS["leaves"] if leaf["kind"] == "mention.graded")
    (severity,) = (one for one in grade["disclosures"] if one["name"] == "severity")
    decoded = base64.urlsafe_b64decode(severity["encoded"] + "=" * (-len(severity["encoded"]) % 4))
    for shown in (decoded.decode(), severity["encoded"], severity["digest"], grade["leaf_hash"]):
        assert shown in PAGE
    assert VECTORS["checkpoints"][5].strip() in PAGE
    assert VECTORS["key"]["verifier"] in PAGE
    assert "\n".join(VECTORS["roots"]) in PAGE
    assert HAND_OVER in PAGE


def test_the_leaf_on_the_page_is_a_leaf_once_its_line_breaks_are_taken_out() -> None:
    shown = re.search(r"^01 (\{.*?\})$", PAGE, re.DOTALL | re.MULTILINE)
    assert shown is not None
    content = b"\x01" + re.sub(r"\n *", "", shown[1]).encode()
    opened = open_leaf(content, [])
    assert (opened.kind, opened.withheld) == ("mention.graded", 5)
