"""Single calls: a query, a line of the log."""

from __future__ import annotations

from benchmarks.measures import block
from benchmarks.row import Contender, Row

SERVERS = ("cloudsql", "opentelemetry")
BY_HAND = "services/query_by_hand.py"

ROWS = (
    Row(
        name="query",
        title="one traced query through the pool, above raw psycopg_pool",
        against="opentelemetry-instrumentation-psycopg above raw",
        unit="µs",
        better="less",
        must=0.5,
        aim=0.3,
        subject=Contender(
            title="on the runtime",
            opening=block("services/query_on_the_runtime.py", *SERVERS, servers=SERVERS),
        ),
        references=(
            Contender(
                title="instrumentation package",
                opening=block(BY_HAND, "instrumented", servers=SERVERS),
            ),
        ),
        base=Contender(title="raw psycopg_pool", opening=block(BY_HAND, servers=SERVERS)),
        turns=30,
    ),
    Row(
        name="query-untraced",
        title="one query through the pool, nobody traces",
        against="raw psycopg_pool",
        unit="µs",
        better="less",
        must=1.02,
        aim=1.0,
        subject=Contender(
            title="on the runtime",
            opening=block("services/query_on_the_runtime.py", "cloudsql", servers=("cloudsql",)),
        ),
        references=(
            Contender(title="raw psycopg_pool", opening=block(BY_HAND, servers=("cloudsql",))),
        ),
        turns=30,
    ),
    Row(
        name="log-call",
        title="log call on the event loop",
        against="stdlib + python-json-logger to a pipe",
        unit="µs",
        better="less",
        must=0.5,
        aim=0.25,
        subject=Contender(title="on the runtime", opening=block("services/log_on_the_runtime.py")),
        references=(
            Contender(
                title="stdlib + python-json-logger", opening=block("services/log_by_hand.py")
            ),
        ),
        turns=30,
    ),
)
