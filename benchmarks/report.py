"""Tables in Markdown: a line for each row, and what each contender took."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from benchmarks.growth import Curve
from benchmarks.result import Result, median, median_of, quartiles
from benchmarks.row import Row

MARKS = {"aim": "aim reached", "must": "must reached", "SHORT": "**falls short**", "": ""}
GROWTH_MARKS = {"aim": "flat", "must": "at most linear", "SHORT": "**steeper than a line**"}
HUNDRED, TEN = 100, 10


def ratio_table(results: Sequence[Result]) -> str:
    """Return a line for each row: ratio, spread, targets, what is reached."""
    lines = [
        "| row | what | against | ratio | spread | by CPU time | must | aim | |",
        "|---|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for result in results:
        row, (low, high) = result.row, result.spread
        cpu = f"{result.cpu_ratio:.2f}" if result.cpu_ratio is not None else ""
        lines.append(
            f"| `{row.name}` | {row.title} | {against(result)} | {result.ratio:.2f} × "
            f"| {low:.2f} to {high:.2f} | {cpu} "
            f"| {target(row, row.must)} | {target(row, row.aim)} | {MARKS[result.verdict]} |"
        )
    return "\n".join(lines) + "\n"


def against(result: Result) -> str:
    """Return what counted; of several, which one was the best."""
    if len(result.row.references) == 1:
        return result.row.against
    return f"{result.row.against}: {result.reference}"


def value_table(results: Sequence[Result]) -> str:
    """Return a line for each contender of each row: its values and their spread."""
    lines = [
        "| row | contender | unit | median | spread | by CPU time | turns |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for result in results:
        for title, samples in result.series.items():
            low, high = quartiles([one.value for one in samples])
            cpus = [one.cpu for one in samples if one.cpu is not None]
            cpu = shown(median(cpus)) if cpus else ""
            lines.append(
                f"| `{result.row.name}` | {title} | {result.row.unit} "
                f"| {shown(median_of(samples))} | {shown(low)} to {shown(high)} | {cpu} "
                f"| {len(samples)} |"
            )
    return "\n".join(lines) + "\n"


def growth_table(curves: Sequence[Curve]) -> str:
    """Return a line for each curve: sizes, values, exponent."""
    lines = [
        "| row | what | sizes | values | exponent | must | aim | |",
        "|---|---|---|---|---:|---:|---:|---|",
    ]
    for curve in curves:
        growth = curve.row
        sizes = ", ".join(f"{size:,}" for size in growth.sizes)
        values = ", ".join(shown(value) for value in curve.values)
        lines.append(
            f"| `{growth.name}` | {growth.title} | {sizes} {growth.per} | {values} {growth.unit} "
            f"| {curve.exponent:.2f} | ≤ {growth.must:.2f} | ≤ {growth.aim:.2f} "
            f"| {GROWTH_MARKS[curve.verdict]} |"
        )
    return "\n".join(lines) + "\n"


def summary(result: Result | Curve) -> str:
    """Return what a row showed, in a few words."""
    if isinstance(result, Curve):
        return f"exponent {result.exponent:.2f}"
    low, high = result.spread
    return f"{result.ratio:.2f} × ({low:.2f} to {high:.2f})"


def shown(value: float) -> str:
    """Return a value with three figures that count."""
    if abs(value) >= HUNDRED:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= TEN else f"{value:.2f}"


def target(row: Row, value: float | None) -> str:
    """Return a target with the direction in which it counts."""
    if value is None:
        return ""
    return f"{'≤' if row.better == 'less' else '≥'} {value:.2f} ×"


def about_machine() -> str:
    """Return where numbers are from."""
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores"
    )
