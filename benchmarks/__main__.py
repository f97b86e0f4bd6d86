"""`python -m benchmarks`: measure rows by name, or all; `make bench`, `make bench-peers`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.all_rows import ROWS
from benchmarks.ground import open_ground
from benchmarks.report import about_machine, ratio_table, value_table
from benchmarks.turns import take_turns


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names (default: all)")
    parser.add_argument("--quick", action="store_true", help="few turns and short blocks")
    parser.add_argument("--peers", action="store_true", help="all rows against other runtimes")
    parser.add_argument("--list", action="store_true", help="print the names of rows")
    options = parser.parse_args(arguments)
    rows = {row.name: row for row in ROWS}
    chosen = options.rows or [row.name for row in ROWS if row.peers == options.peers]
    if options.list:
        print("\n".join(rows))
        return 0
    unknown = [name for name in options.rows if name not in rows]
    if unknown:
        parser.error(f"no row {unknown[0]!r}, expected one of {', '.join(rows)}")
    with open_ground(quick=options.quick) as ground:
        results = [take_turns(rows[name], ground, tell) for name in chosen]
    print(ratio_table(results))
    print(value_table(results))
    print(about_machine())
    return 0


def tell(text: str) -> None:
    """Print how far it is, over the last such line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}\r", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
