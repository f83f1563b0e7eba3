"""Writes the measured figures into docs/grading.md, and the trade-off as a drawing beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from training.published import kept, kept_rows, said_of
from training.rows import HERE, WORK

if TYPE_CHECKING:
    from pathlib import Path

DOCS = HERE.parent / "docs"
_TICKS = (0, 0.5, 0.8, 0.9, 1.0)
HELD, BESIDE = "The held part of the training texts", "Beside simpler graders"
OURS = "**this grader**"
REASONS = {
    "an alert": ("deciding words alone bring an alert", 0.96),
    "milder without": ("without the deciding words the grade is milder", 0.78),
}
"""Least shares of alerts: what was reached when reasons became whole clauses, less 0.03."""
BEGIN, END = "<!-- figures: written by `python -m training report` -->", "<!-- end of figures -->"


def refresh(result: dict[str, Any]) -> None:
    """Put the figures of a report between the marks of the page, and draw the curve."""
    page = DOCS / "grading.md"
    if not page.exists() or "staffcheck-dev" not in result:
        return
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    figures, _, after = rest.partition(END)
    body = "\n\n".join(_parts(result, figures))
    page.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")
    (DOCS / "grading-curve.svg").write_text(_drawing(result), encoding="utf-8")


def _parts(result: dict[str, Any], figures: str) -> list[str]:
    """Return the page's part anew; `figures` is that part as last published."""
    dev, calm = result["staffcheck-dev"], result.get("held-ordinary")
    parts = [f"Model `{result['model']}`.", _targets(result)]
    parts += ["### Grades on the development set", _grades(dev), _confusion(dev)]
    parts += ["### By category (share graded right)", _categories(dev)]
    parts += ["### Flags on the development set", _flags(dev)]
    if calm:
        parts += ["### Flags raised in the ordinary stream", _flags(calm)]
    parts += ["### Deciding words", _reasons(result)]
    mixed = result.get("held-mixed")
    if mixed:
        parts += ["### Mentions of every category that nobody trains on", _grades(mixed)]
        parts += [_confusion(mixed), _categories(mixed), _flags(mixed)]
    calibration = _kept("calibration.json")
    held = said_of(result["model"], _held(calibration)) if calibration else kept(figures, HELD)
    if held:
        parts += [f"### {HELD}", held]
    parts += [f"### {BESIDE}", _beside(result, figures)]
    parts += ["### Trade-off of the threat threshold", _trade(result)]
    return parts


def _targets(result: dict[str, Any]) -> str:
    dev, calm = result["staffcheck-dev"], result.get("held-ordinary")
    sizes, right = dev["category sizes"], dev["by category"]
    worst = min(right, key=lambda name: right[name])
    low = sum(right[name] < 0.8 for name in right)
    lines = [
        ("development set: macro-F1", "≥ 0.92", dev["macro-F1"], dev["macro-F1"] >= 0.92),
        (
            "development set: recall of threatening",
            "≥ 0.96",
            dev["recall threatening"],
            dev["recall threatening"] >= 0.96,
        ),
        (
            "development set: neutral called threatening",
            "≤ 0.04",
            dev["neutral called threatening"],
            dev["neutral called threatening"] <= 0.04,
        ),
        (
            f"development set: worst category ({worst}, {sizes[worst]} cases; {low} below 0.80)",
            "≥ 0.80",
            right[worst],
            right[worst] >= 0.8,
        ),
    ]
    if calm:
        lines += [
            (
                "ordinary stream: neutral called threatening",
                "≤ 0.002",
                calm["neutral called threatening"],
                calm["neutral called threatening"] <= 0.002,
            ),
            (
                "ordinary stream: neutral called hostile",
                "≤ 0.015",
                calm["neutral called hostile"],
                calm["neutral called hostile"] <= 0.015,
            ),
        ]
    for name, value in result.get("hatecheck", {}).items():
        least = 0.95 if name.startswith("threat") else 0.8
        lines.append((f"HateCheck {name}", f"≥ {least:.2f}", value, value >= least))
    for name, (told, least) in REASONS.items():
        value = dev["reasons"][name]
        lines.append((f"development set: {told}", f"≥ {least:.2f}", value, value >= least))
    rows = [
        f"| {what} | {aim} | {got:.3f} | {'yes' if met else '**no**'} |"
        for what, aim, got, met in lines
    ]
    return "\n".join(["| measure | aim | measured | met |", "| --- | --- | --: | --- |", *rows])


def _grades(dev: dict[str, Any]) -> str:
    rows = [
        f"| {g} | {dev[f'precision {g}']:.3f} | {dev[f'recall {g}']:.3f} | {dev[f'f1 {g}']:.3f} |"
        for g in ("threatening", "abusive", "neutral")
    ]
    more = (
        f"Macro-F1 {dev['macro-F1']:.3f} with the thresholds, {dev['argmax macro-F1']:.3f} by the "
        f"likeliest grade. Threats called neutral: {dev['threats called neutral']:.3f}. "
        f"Marked unsure: {dev['unsure']:.3f}. "
        f"Expected calibration error: {dev['expected calibration error']:.3f}."
    )
    return "\n".join(
        ["| grade | precision | recall | F1 |", "| --- | --: | --: | --: |", *rows, "", more]
    )


def _confusion(dev: dict[str, Any]) -> str:
    names = ("threatening", "abusive", "neutral")
    rows = [
        f"| {t} | " + " | ".join(str(dev["confusion"].get(f"{t} -> {s}", 0)) for s in names) + " |"
        for t in names
    ]
    head = ["| truth \\ said | threatening | abusive | neutral |", "| --- | --: | --: | --: |"]
    return "\n".join([*head, *rows])


def _categories(dev: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {dev['category sizes'][name]} | {share:.2f}{' **low**' * (share < 0.8)} |"
        for name, share in dev["by category"].items()
    ]
    return "\n".join(["| category | cases | right |", "| --- | --: | --: |", *rows])


def _flags(figures: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {v['cases']} | {v['recall']:.2f} | {v['precision']:.2f} |"
        for name, v in figures["flags"].items()
    ]
    return "\n".join(["| flag | cases | recall | precision |", "| --- | --: | --: | --: |", *rows])


def _held(held: dict[str, Any]) -> str:
    rows = [f"| {name} | {value:.3f} |" for name, value in held["levers"].items()]
    flags = [
        f"| {name} | {v['cases']:.0f} | {v['recall']:.2f} | {v['precision']:.2f} |"
        for name, v in held["flags"].items()
    ]
    lines = ["| on the held part | value |", "| --- | --: |", *rows, ""]
    lines += [
        "| flag, held part | cases | recall | precision |",
        "| --- | --: | --: | --: |",
        *flags,
    ]
    return "\n".join(lines)


def _beside(result: dict[str, Any], figures: str) -> str:
    rows = []
    others = _kept("baselines.json")
    model, known = result["model"], []
    if others is None:
        model, known = kept_rows(figures, BESIDE, OURS)
    ours = {"dev": result["staffcheck-dev"], "held-ordinary": result.get("held-ordinary", {})}
    everyone = {**(others or {}), OURS: {**ours, "hatecheck": result.get("hatecheck", {})}}
    for name, sets in everyone.items():
        dev, calm, hate = sets["dev"], sets.get("held-ordinary", {}), sets.get("hatecheck", {})
        cells = [dev["macro-F1"], dev["recall threatening"], dev["neutral called threatening"]]
        cells += [dev["neutral called hostile"], calm.get("neutral called hostile")]
        cells += [hate.get(key) for key in ("threat_dir_h", "threat_norm_h", "counter_quote_nh")]
        cells += [hate.get(key) for key in ("counter_ref_nh", "profanity_nh")]
        shown = " | ".join("not measured" if cell is None else f"{cell:.3f}" for cell in cells)
        rows.append(f"| {name} | {shown} |")
    head = (
        "| grader | macro-F1 | threat recall | neutral → threatening | neutral → hostile | "
        "ordinary: neutral → hostile | HC threat_dir | HC threat_norm | HC counter_quote | "
        "HC counter_ref | HC profanity |"
    )
    table = "\n".join([head, "| --- |" + " --: |" * 10, *known, *rows])
    told = f"beside model `{model}`; the last row is model `{result['model']}`"
    return f"The simpler graders were measured {told}.\n\n{table}" if known or others else table


def _reasons(result: dict[str, Any]) -> str:
    """Return what the deciding words of a set's alerts bring alone, and what is without them."""
    measured = {name: each["reasons"] for name, each in result.items() if _has_reasons(each)}
    rows = [
        f"| {name} | {found['alerts']:.0f} | {found['same grade']:.3f} | {found['an alert']:.3f} | "
        f"{found['milder without']:.3f} | {found['words told']:.2f} | {found['told whole']:.2f} |"
        for name, found in measured.items()
    ]
    head = (
        "| set | alerts | alone: same grade | alone: an alert | without: milder | "
        "words told | told whole |"
    )
    return "\n".join([head, "| --- |" + " --: |" * 6, *rows])


def _has_reasons(figures: object) -> bool:
    return isinstance(figures, dict) and "reasons" in figures


def _trade(result: dict[str, Any]) -> str:
    calm = {p["threshold"]: p for p in result.get("held-ordinary", {}).get("curve", [])}
    rows = [
        f"| {p['threshold']:.2f} | {p['threat recall']:.3f} "
        f"| {p['neutral called threatening']:.3f} | "
        f"{calm[p['threshold']]['neutral called threatening']:.4f} |"
        for p in result["staffcheck-dev"]["curve"]
        if p["threshold"] in calm
    ]
    head = "| threshold | threats found | neutral alerted as threat | in an ordinary stream |"
    return "\n".join(
        [head, "| --: | --: | --: | --: |", *rows, "", "![trade-off](grading-curve.svg)"]
    )


def _drawing(result: dict[str, Any]) -> str:
    """Draw recall of threats against false threats, one dot a threshold."""
    points = result["staffcheck-dev"]["curve"]
    most = max(0.1, *(p["neutral called threatening"] for p in points))
    spots = [
        (
            60 + 520 * p["neutral called threatening"] / most,
            330 - 300 * p["threat recall"],
            p["threshold"],
        )
        for p in points
    ]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y, _ in spots)
    dots = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4"/>'
        f'<text x="{x + 6:.0f}" y="{y + 14:.0f}">{t:.2f}</text>'
        for x, y, t in spots
    )
    axes = "".join(f'<text x="20" y="{334 - 300 * v:.0f}">{v:.1f}</text>' for v in _TICKS)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 380" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Threats found against neutral posts alerted">'
        '<rect width="640" height="380" fill="white"/>'
        '<path d="M60 30V330H600" fill="none" stroke="black"/>'
        f'{axes}<text x="60" y="20">threats found</text>'
        '<text x="600" y="350" text-anchor="end">neutral posts alerted as threats '
        f'(right end {most:.2f})</text><polyline points="{line}" fill="none" '
        f'stroke="#1d70b8" stroke-width="2"/><g fill="#1d70b8">{dots}</g></svg>\n'
    )


def _kept(name: str) -> dict[str, Any] | None:
    file: Path = WORK / name
    if not file.exists():
        return None
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return kept
