"""A small plot for each growth, both scales logarithmic, with a straight line to compare."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.growth import Curve
from benchmarks.plots.drawing import INK, OURS, THEIRS, Drawing
from benchmarks.report import shown

COLUMNS, CELL_WIDTH, CELL_HEIGHT, TOP = 2, 415, 230, 64
LEFT, RIGHT, ABOVE, BELOW = 64, 24, 44, 44


def draw_curves(curves: Sequence[Curve]) -> str:
    """Return the picture."""
    rows = math.ceil(len(curves) / COLUMNS)
    title = "How costs grow"
    drawing = Drawing(COLUMNS * CELL_WIDTH, TOP + rows * CELL_HEIGHT, title, words_of(curves))
    drawing.text((16, 26), title, size=15, bold=True)
    drawing.text(
        (16, 46), "both scales logarithmic; dashed: as a straight line would grow from there"
    )
    for number, curve in enumerate(curves):
        row, column = divmod(number, COLUMNS)
        draw_curve(drawing, curve, column * CELL_WIDTH, TOP + row * CELL_HEIGHT)
    return str(drawing)


def draw_curve(drawing: Drawing, curve: Curve, x: float, y: float) -> None:
    """Draw one plot, its corner at that point."""
    growth, values = curve.row, curve.values
    least, most = axis_of(values)

    def place(size: float, value: float) -> tuple[float, float]:
        wide, high = CELL_WIDTH - LEFT - RIGHT, CELL_HEIGHT - ABOVE - BELOW
        across = math.log(size / growth.sizes[0]) / math.log(growth.sizes[-1] / growth.sizes[0])
        up = math.log(max(value, least) / least) / math.log(most / least)
        return x + LEFT + across * wide, y + CELL_HEIGHT - BELOW - min(up, 1) * high

    drawing.text((x + 16, y + 18), growth.title, bold=True)
    bottom, right = place(growth.sizes[0], least), place(growth.sizes[-1], least)
    for tick in decades(least, most):
        _, height = place(growth.sizes[0], tick)
        drawing.line((bottom[0], height), (right[0], height))
        drawing.text((bottom[0] - 8, height + 4), f"{tick:,g}", anchor="end", size=11)
    line = [(size, values[0] * size / growth.sizes[0]) for size in growth.sizes]
    drawing.path([place(*point) for point in line if point[1] <= most], THEIRS, dashed=True)
    drawing.line(bottom, right, INK)
    points = [place(*point) for point in zip(growth.sizes, values, strict=True)]
    drawing.path(points, OURS)
    for (across, height), size, value in zip(points, growth.sizes, values, strict=True):
        drawing.dot((across, height), OURS)
        drawing.line((across, bottom[1]), (across, bottom[1] + 4), INK)
        drawing.text((across, bottom[1] + 18), f"{size:,}", anchor="middle", size=11)
        first = size == growth.sizes[0]  # beside the axis there is no room to its left
        place_of_text = (across + 4 if first else across, height - 9)
        anchor = "start" if first else "middle"
        drawing.text(place_of_text, shown(value), anchor=anchor, size=11)
    drawing.text((right[0], bottom[1] + 34), growth.per, anchor="end", size=11)
    drawing.text((x + 16, y + 36), growth.unit, size=11)


def axis_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the powers of ten around the values."""
    least, most = (10.0 ** math.floor(math.log10(min(values))), max(values) * 1.5)
    return least, 10.0 ** math.ceil(math.log10(most))


def decades(least: float, most: float) -> list[float]:
    """Return the powers of ten from one to the other."""
    first, last = round(math.log10(least)), round(math.log10(most))
    return [10.0**power for power in range(first, last + 1)]


def words_of(curves: Sequence[Curve]) -> str:
    """Return the picture in words."""
    return "; ".join(
        f"{curve.row.title}: "
        + ", ".join(
            f"{shown(value)} {curve.row.unit} with {size:,} {curve.row.per}"
            for size, value in zip(curve.row.sizes, curve.values, strict=True)
        )
        for curve in curves
    )
