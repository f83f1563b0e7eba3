"""What docs/grading.md says already: tables that a report cannot make again stay, and say so.

The held part and the simpler graders are measured where the training data and its tools are;
anybody can measure the rest again. A table that stays says which model it is of.
"""

from __future__ import annotations

import re


def said_of(model: str, body: str) -> str:
    """Put the model's name before a table that may outlive it on the page."""
    return f"Measured with model `{model}`.\n\n{body}"


def kept(figures: str, heading: str) -> str:
    """Return the section under `heading` as last published, with its model; empty without one."""
    found = re.search(
        rf"^### {re.escape(heading)}\n+(.*?)(?=\n+### |\Z)", figures, re.MULTILINE | re.DOTALL
    )
    if found is None or not found[1].strip():
        return ""
    body = found[1].strip()
    if body.startswith(("Measured with model `", "The simpler graders were measured beside")):
        return body
    model = re.search(r"^Model `([^`]+)`\.$", figures, re.MULTILINE)
    return said_of(model[1], body) if model else body


def kept_rows(figures: str, heading: str, own: str) -> tuple[str, list[str]]:
    """Return the model and the rows of a published table, less the head and our `own` row."""
    body = kept(figures, heading)
    model = re.search(r"(?:beside|with) model `([^`]+)`", body)
    rows = [line for line in body.splitlines() if line.startswith("| ")]
    others = [row for row in rows[2:] if not row.startswith(f"| {own} ")]
    return (model[1] if model else ""), others
