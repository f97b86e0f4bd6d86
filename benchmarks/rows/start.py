"""Cold starts."""

from __future__ import annotations

from benchmarks.measures import cold_start
from benchmarks.row import Contender, Row
from benchmarks.service import Service

SERVERS = ("cloudsql", "redis")
BY_HAND = Service(script="services/by_hand.py", servers=SERVERS)
ON_THE_RUNTIME = Service(script="services/on_the_runtime.py", servers=SERVERS)

ROWS = (
    Row(
        name="cold-start",
        title="cold start, PostgreSQL + Redis, JSON logs",
        against="by hand, eager",
        unit="ms",
        better="less",
        must=1.0,
        aim=0.85,
        subject=Contender(title="on the runtime", opening=cold_start(ON_THE_RUNTIME)),
        references=(Contender(title="by hand, eager", opening=cold_start(BY_HAND)),),
        turns=15,
    ),
)
