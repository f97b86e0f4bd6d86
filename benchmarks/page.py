"""Puts tables and plots into the documents, between markers; what is around them stays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.plots.bars import draw_bars
from benchmarks.plots.bullets import draw_bullets
from benchmarks.plots.curves import draw_curves
from benchmarks.records import Record, curves_of, results_of
from benchmarks.report import growth_table, ratio_table, value_table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "benchmarks" / "README.md"
IMAGES = ROOT / "docs" / "images"


def documents(records: Mapping[str, Record]) -> dict[Path, str]:
    """Return the text of the page and of each plot, from what was measured."""
    results, curves = results_of(records), curves_of(records)
    alone = [result for result in results if not result.row.peers]
    beside = [result for result in results if result.row.peers]
    machines = sorted({f"{record.machine}, {record.date}" for record in records.values()})
    parts = {
        "rows": ratio_table(alone),
        "peers": ratio_table(beside),
        "growth": growth_table(curves),
        "values": value_table(results),
        "machine": "".join(f"{machine}.\n" for machine in machines),
    }
    text = PAGE.read_text()
    for name, part in parts.items():
        text = replace_part(text, name, part)
    title = "The same service on other runtimes"
    return {
        PAGE: text,
        IMAGES / "speed-ratios.svg": draw_bullets(results),
        IMAGES / "speed-peers.svg": draw_bars(beside, title),
        IMAGES / "speed-growth.svg": draw_curves(curves),
    }


def replace_part(text: str, name: str, part: str) -> str:
    """Return the text with what is between the markers of that name replaced."""
    begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->\n"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{PAGE.name} has no markers for {name}, expected {begin.strip()}")
    return f"{head}{begin}\n{part}\n{end}{tail}"


def write_documents(records: Mapping[str, Record]) -> None:
    """Write page and plots."""
    IMAGES.mkdir(exist_ok=True)
    for path, text in documents(records).items():
        path.write_text(text)
