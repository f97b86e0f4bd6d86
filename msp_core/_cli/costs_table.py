"""What a start took, as tables for people."""

from __future__ import annotations

from msp_core._start.costs import MEBI, MILLI, Costs
from msp_core._text.table import TextTable
from msp_core._text.terminal import Terminal


def costs_table(costs: Costs, terminal: Terminal) -> str:
    """Return the parts of a start and its heaviest imports, fitted to what they are printed on."""
    parts = [
        (_number(part.seconds * MILLI), _number(part.memory / MEBI), part.name)
        for part in costs.parts
    ]
    imports = [
        (_number(each.seconds * MILLI), f"{each.modules:7}", each.name) for each in costs.imports
    ]
    tables = (
        TextTable(header=("     ms", "     MB", "part"), rows=parts, terminal=terminal),
        TextTable(header=("     ms", "modules", "import"), rows=imports, terminal=terminal),
    )
    return "\n\n".join("\n".join(table.lines()) for table in tables)


def _number(value: float) -> str:
    return f"{value:7.1f}"
