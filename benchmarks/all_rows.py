"""ROWS: every row of the tables, in their order."""

from __future__ import annotations

from benchmarks.rows import calls, http, peers, start

ROWS = (*start.ROWS, *http.ROWS, *calls.ROWS, *peers.ROWS)
