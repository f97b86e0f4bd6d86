"""The start banner says what runs, why, where, and since when."""

from __future__ import annotations

from msp_dev._banner import ready_banner, table
from msp_dev._plan import Row


def test_table_has_three_aligned_columns() -> None:
    """One look tells plugin, state and reason."""
    rows = [
        Row(plugin="cloudsql", state="embedded", reason="sets PGDSN"),
        Row(plugin="redis", state="off", reason="why"),
    ]

    assert table(rows).splitlines() == [
        "plugin    state     reason",
        "cloudsql  embedded  sets PGDSN",
        "redis     off       why",
    ]


def test_ready_gives_addresses_and_what_took_how_long() -> None:
    """Addresses can be clicked, and a slow start has a culprit."""
    started = {
        "cloudsql": {"PGDSN": "postgres://me@127.0.0.1:1/{{ .Database }}"},
        "sentry": {"SENTRY_DSN": "http://key@127.0.0.1:2/1"},
        "bigquery": {"PROJECT": "local", "HOST": "http://127.0.0.1:3", "GRPC": "127.0.0.1:4"},
    }
    lines = ready_banner(8080, started, (1.0, 1.25, 2.0, 2.1)).splitlines()

    assert lines[0] == "  http://localhost:8080/"
    assert lines[3:-1] == ["  http://127.0.0.1:2/  sentry", "  http://127.0.0.1:3/  bigquery"]
    assert lines[-1] == "ready in 1100 ms (plugins 250, resources 750, service 100)"
