"""Bars for each contender of rows that compare with several."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.plots.drawing import FAINT, INK, OURS, THEIRS, Drawing
from benchmarks.report import shown
from benchmarks.result import Result, median_of, quartiles

LEFT, RIGHT, TOP, STEP, WIDTH = 150, 660, 50, 24, 830
GAP = 44


def draw_bars(results: Sequence[Result], title: str) -> str:
    """Return the picture."""
    height = TOP + sum(GAP + STEP * len(result.series) for result in results)
    drawing = Drawing(WIDTH, height, title, words_of(results))
    drawing.text((16, 26), title, size=15, bold=True)
    y: float = TOP
    for result in results:
        y = draw_group(drawing, result, y)
    return str(drawing)


def draw_group(drawing: Drawing, result: Result, y: float) -> float:
    """Draw the bars of one row; return where the next begins."""
    row, unit = result.row, result.row.unit
    drawing.text((16, y + 14), f"{row.title} ({row.better} is better)", bold=True)
    most = max(one.value for samples in result.series.values() for one in samples)
    scale = (RIGHT - LEFT) / most
    y += GAP - 16
    for title, samples in result.series.items():
        low, high = quartiles([one.value for one in samples])
        middle, colour = median_of(samples), OURS if title == row.subject.title else THEIRS
        drawing.text((LEFT - 10, y + 12), title, anchor="end")
        drawing.box(LEFT, y, middle * scale, STEP - 8, colour)
        drawing.line((LEFT + low * scale, y + 8), (LEFT + high * scale, y + 8), INK, 2)
        end = LEFT + max(middle, high) * scale
        drawing.text((end + 8, y + 12), f"{shown(middle)} {unit}")
        y += STEP
    drawing.line((LEFT, y - STEP * len(result.series) - 2), (LEFT, y - 4), FAINT)
    return y + 16


def words_of(results: Sequence[Result]) -> str:
    """Return the picture in words."""
    groups = []
    for result in results:
        medians = (
            f"{title} {shown(median_of(samples))} {result.row.unit}"
            for title, samples in result.series.items()
        )
        groups.append(f"{result.row.title}: {', '.join(medians)}")
    return "; ".join(groups)
