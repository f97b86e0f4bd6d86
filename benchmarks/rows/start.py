"""Cold starts."""

from __future__ import annotations

from benchmarks.measures import cold_start
from benchmarks.row import Contender, Row
from benchmarks.rows.services import TWO, by_hand, ours

BY_HAND, ON_THE_RUNTIME = by_hand(*TWO), ours(*TWO)

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
