"""ROWS: every row of the tables, in their order; GROWTHS: every curve."""

from __future__ import annotations

from benchmarks.growth import Growth
from benchmarks.row import Row
from benchmarks.rows import calls, growth, http, peers, start

ROWS: tuple[Row, ...] = (*start.ROWS, *http.ROWS, *calls.ROWS, *peers.ROWS)
GROWTHS: tuple[Growth, ...] = growth.ROWS
ALL: tuple[Row | Growth, ...] = (*ROWS, *GROWTHS)
