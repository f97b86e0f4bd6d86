"""Tables in Markdown: a line for each row, and what each contender took."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from benchmarks.result import Result, median_of, quartiles
from benchmarks.row import Row

MARKS = {"aim": "aim reached", "must": "must reached", "SHORT": "**falls short**", "": ""}


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
            f"| `{row.name}` | {row.title} | {row.against} | {result.ratio:.2f} × "
            f"| {low:.2f} to {high:.2f} | {cpu} "
            f"| {target(row, row.must)} | {target(row, row.aim)} | {MARKS[result.verdict]} |"
        )
    return "\n".join(lines) + "\n"


def value_table(results: Sequence[Result]) -> str:
    """Return a line for each contender of each row: its values and their spread."""
    lines = ["| row | contender | median | spread | by CPU time |", "|---|---|---:|---:|---:|"]
    for result in results:
        unit = result.row.unit
        for title, samples in result.series.items():
            low, high = quartiles([one.value for one in samples])
            cpus = [one.cpu for one in samples if one.cpu is not None]
            cpu = f"{shown(quartiles_middle(cpus))} {unit}" if cpus else ""
            lines.append(
                f"| `{result.row.name}` | {title} | {shown(median_of(samples))} {unit} "
                f"| {shown(low)} to {shown(high)} | {cpu} |"
            )
    return "\n".join(lines) + "\n"


def quartiles_middle(values: Sequence[float]) -> float:
    """Return the median."""
    return sorted(values)[len(values) // 2]


def shown(value: float) -> str:
    """Return a value with three figures that count."""
    if abs(value) >= 100:  # noqa: PLR2004 - three figures
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004 - same


def target(row: Row, value: float | None) -> str:
    """Return a target with the direction in which it counts."""
    if value is None:
        return ""
    return f"{'≤' if row.better == 'less' else '≥'} {value:.2f} ×"


def about_machine() -> str:
    """Return a line about where numbers are from."""
    return (
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores."
    )
