"""A line for each row of the table: our cost beside what must be and what is aimed at."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.plots.drawing import FAINT, GOOD, INK, OURS, SHORT, Drawing
from benchmarks.result import Result

LEFT, RIGHT, TOP, STEP, WIDTH = 420, 740, 66, 28, 920
LOW, HIGH = 0.05, 8.0
TICKS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)
COLOURS = {"aim": GOOD, "must": OURS, "SHORT": SHORT, "": INK}
WORDS = {"aim": "aim reached", "must": "must reached", "SHORT": "falls short", "": ""}


def draw_bullets(results: Sequence[Result]) -> str:
    """Return the picture."""
    height = TOP + STEP * len(results) + 34
    title = "What it costs on the runtime, as a multiple of what it is compared with"
    drawing = Drawing(WIDTH, height, title, words_of(results))
    drawing.text((16, 26), title, size=15, bold=True)
    drawing.text(
        (16, 46), "left is better; | must, ┆ aim; the bar is the spread of the middle half"
    )
    bottom = height - 30
    for tick in TICKS:
        place = x_of(tick)
        drawing.line((place, TOP - 8), (place, bottom), INK if tick == 1 else FAINT)
        drawing.text((place, bottom + 16), f"{tick:g} ×", anchor="middle", size=11)
    for number, result in enumerate(results):
        draw_row(drawing, result, TOP + STEP * number + 10)
    return str(drawing)


def draw_row(drawing: Drawing, result: Result, y: float) -> None:
    """Draw one row."""
    row, colour = result.row, COLOURS[result.verdict]
    drawing.text((LEFT - 12, y + 4), row.title.replace("`", ""), anchor="end")
    low, high = (x_of(cost(result, ratio)) for ratio in result.spread)
    drawing.line((low, y), (high, y), colour, 4)
    if row.must is not None and row.aim is not None:
        must, aim = x_of(cost(result, row.must)), x_of(cost(result, row.aim))
        drawing.line((must, y - 9), (must, y + 9), INK, 2)
        drawing.path([(aim, y - 9), (aim, y + 9)], GOOD, dashed=True)
    drawing.dot((x_of(cost(result, result.ratio)), y), colour, 5)
    said = f"{cost(result, result.ratio):.2f} × {WORDS[result.verdict]}"
    drawing.text((RIGHT + 14, y + 4), said, colour=colour)


def cost(result: Result, ratio: float) -> float:
    """Return a ratio so that less is better, whatever the unit."""
    return ratio if result.row.better == "less" else 1 / ratio


def x_of(value: float) -> float:
    """Return where a cost is drawn; the scale is logarithmic."""
    share = math.log(max(LOW, min(HIGH, value)) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * (RIGHT - LEFT)


def words_of(results: Sequence[Result]) -> str:
    """Return the picture in words."""
    return "; ".join(
        f"{result.row.title}: {cost(result, result.ratio):.2f} times {result.row.against}"
        + (f", {WORDS[result.verdict]}" if result.verdict else "")
        for result in results
    )
