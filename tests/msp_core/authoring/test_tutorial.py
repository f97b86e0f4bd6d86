"""The tutorial's plugin: how little it takes to get outages, forks and traces right."""

from __future__ import annotations

import re
from pathlib import Path

from tests.documentation import blocks

PAGE = Path("docs/tutorials/first-plugin.md")
USES = re.compile(r"\b(?:Outage|PerProcess|client_span)\b|self\._(?:connection|outage)\b")


def test_a_plugin_needs_less_than_ten_lines() -> None:
    """An outage line, a client for each process and a span."""
    (code,) = [block.text for block in blocks(PAGE) if (block.file or "").endswith("/notes.py")]
    uses = [line for line in code.splitlines() if USES.search(line)]

    assert {"Outage", "PerProcess", "client_span"} <= set(re.findall(r"\w+", code))
    assert len(uses) < 10
