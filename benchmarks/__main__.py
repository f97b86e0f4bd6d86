"""`python -m benchmarks`: measure rows by name, or all; `make bench`, `make bench-peers`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.all_rows import ALL, ROWS
from benchmarks.ground import open_ground
from benchmarks.growth import Curve, Growth
from benchmarks.page import write_documents
from benchmarks.records import add_records, read_records
from benchmarks.report import about_machine, growth_table, ratio_table, summary, value_table
from benchmarks.result import Result
from benchmarks.row import Row
from benchmarks.turns import measure_row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the documents where all rows were measured in full."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names (default: all but peers')")
    parser.add_argument("--peers", action="store_true", help="all rows against other runtimes")
    parser.add_argument("--quick", action="store_true", help="few turns, short; writes nothing")
    parser.add_argument("--write", action="store_true", help="write rows that were named")
    parser.add_argument("--draw", action="store_true", help="measure nothing, write the documents")
    parser.add_argument("--list", action="store_true", help="print the names of rows")
    options = parser.parse_args(arguments)
    rows = {row.name: row for row in ALL}
    if unknown := [name for name in options.rows if name not in rows]:
        parser.error(f"no row {unknown[0]!r}, expected one of {', '.join(rows)}")
    if options.list:
        print("\n".join(rows))
        return 0
    writes = not options.quick and (options.write or not options.rows)
    if not options.draw:
        of_peers = {row.name for row in ROWS if row.peers}
        names = options.rows or [name for name in rows if (name in of_peers) == options.peers]
        chosen = [rows[name] for name in names]
        print_results(measure_rows(chosen, quick=options.quick, writes=writes))
    if options.draw or writes:
        write_documents(read_records())
    return 0


def measure_rows(
    rows: Sequence[Row | Growth], *, quick: bool, writes: bool
) -> list[Result | Curve]:
    """Measure rows; each is kept as soon as it is there, if it is to be kept."""
    results = []
    with open_ground(quick=quick) as ground:
        for row in rows:
            began = time.monotonic()
            result = measure_row(row, ground, tell)
            results.append(result)
            tell(f"{row.name}: {summary(result)}, {time.monotonic() - began:.0f} s", last=True)
            if writes:
                add_records([result])
    return results


def print_results(results: Sequence[Result | Curve]) -> None:
    """Print tables."""
    compared = [result for result in results if isinstance(result, Result)]
    curves = [result for result in results if isinstance(result, Curve)]
    if compared:
        print(ratio_table(compared))
        print(value_table(compared))
    if curves:
        print(growth_table(curves))
    short = [result.row.name for result in results if result.verdict == "SHORT"]
    print(f"{about_machine()}; falls short: {', '.join(short) or 'nothing'}.")


def tell(text: str, *, last: bool = False) -> None:
    """Print how far it is, over the last such line; without a terminal, what is done only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="\n" if last else "\r", file=sys.stderr, flush=True)
    elif last:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
