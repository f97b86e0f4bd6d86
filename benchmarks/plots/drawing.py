"""Drawing: the few shapes of SVG that the plots are made of, on white, for every page."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

INK, FAINT, PAPER = "#1f2328", "#d0d7de", "#ffffff"
# Told apart by people who see few colours, too: blue, orange, grey, green.
OURS, THEIRS, SHORT, GOOD = "#0969da", "#8c959f", "#bc4c00", "#1a7f37"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"

Point = tuple[float, float]


class Drawing:
    """A picture that is filled shape by shape.

    Args:
        width: in pixels.
        height: same.
        title: what a screen reader says first.
        text: what it says then: the picture in words.
    """

    def __init__(self, width: float, height: float, title: str, text: str) -> None:
        self._root = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {width:g} {height:g}",
                "width": f"{width:g}",
                "height": f"{height:g}",
                "role": "img",
                "aria-labelledby": "title text",
                "font-family": FONT,
            },
        )
        ET.SubElement(self._root, "title", {"id": "title"}).text = title
        ET.SubElement(self._root, "desc", {"id": "text"}).text = text
        self.box(0, 0, width, height, PAPER)

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Fill a rectangle."""
        self._add("rect", {"fill": fill}, x=x, y=y, width=width, height=height)

    def line(self, start: Point, end: Point, colour: str = FAINT, width: float = 1) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        self._add("line", {"stroke": colour}, x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=width)

    def path(self, points: Sequence[Point], colour: str, *, dashed: bool = False) -> None:
        """Draw a line through points."""
        style = {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points), "stroke": colour}
        style |= {"fill": "none", **({"stroke-dasharray": "4 4"} if dashed else {})}
        self._add("polyline", style, stroke_width=1 if dashed else 2)

    def dot(self, at: Point, colour: str, radius: float = 4) -> None:
        """Fill a circle."""
        self._add("circle", {"fill": colour}, cx=at[0], cy=at[1], r=radius)

    def text(
        self,
        at: Point,
        words: str,
        *,
        anchor: str = "start",
        colour: str = INK,
        size: float = 12,
        bold: bool = False,
    ) -> None:
        """Write words; the point is on their base line."""
        style = {"text-anchor": anchor, "fill": colour}
        style |= {"font-weight": "600"} if bold else {}
        self._add("text", style, x=at[0], y=at[1], font_size=size).text = words

    def __str__(self) -> str:
        """Return it as a file's text."""
        ET.indent(self._root)
        return ET.tostring(self._root, encoding="unicode") + "\n"

    def _add(self, tag: str, style: dict[str, str], **numbers: float) -> ET.Element:
        rounded = {
            name.replace("_", "-"): f"{value:.1f}".removesuffix(".0")
            for name, value in numbers.items()
        }
        return ET.SubElement(self._root, tag, {**rounded, **style})
