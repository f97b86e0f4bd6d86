"""Cold starts, and what the full service holds of memory."""

from __future__ import annotations

import attrs

from benchmarks.measures import cold_start, memory, once
from benchmarks.row import Contender, Row
from benchmarks.rows.services import FIVE, TWO, by_hand, ours

FIRST = attrs.evolve(ours(*TWO), environ={"MSP_DECLARATION_CACHE": "false"})
IMPORTING = "services/importing.py"

ROWS = (
    Row(
        name="cold-start",
        title="cold start, PostgreSQL + Redis, JSON logs",
        against="by hand, eager",
        unit="ms",
        better="less",
        must=1.0,
        aim=0.85,
        subject=Contender(title="on the runtime", opening=cold_start(ours(*TWO))),
        references=(Contender(title="by hand, eager", opening=cold_start(by_hand(*TWO))),),
        turns=15,
    ),
    Row(
        name="cold-start-first",
        title="cold start, no declaration kept",
        against="by hand, eager",
        unit="ms",
        better="less",
        subject=Contender(title="no declaration kept", opening=cold_start(FIRST)),
        references=(Contender(title="by hand, eager", opening=cold_start(by_hand(*TWO))),),
        turns=15,
    ),
    Row(
        name="import",
        title="`import msp_core`",
        against="`import asyncio`",
        unit="ms",
        better="less",
        must=1.5,
        aim=1.25,
        subject=Contender(title="msp_core", opening=once(IMPORTING, "msp_core")),
        references=(Contender(title="asyncio", opening=once(IMPORTING, "asyncio")),),
        turns=30,
    ),
    Row(
        name="memory",
        title="RSS after load, full service",
        against="by hand with the same libraries",
        unit="MB",
        better="less",
        must=1.1,
        aim=1.0,
        subject=Contender(title="on the runtime", opening=memory(ours(*FIVE))),
        references=(Contender(title="by hand", opening=memory(by_hand(*FIVE))),),
        turns=3,
    ),
)
