"""The same service on other runtimes."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.measures import cold_start, memory, throughput
from benchmarks.row import Contender, Opening, Row
from benchmarks.rows.services import FIVE, FOUR, PEERS, ours, peer
from benchmarks.service import Service

AGAINST = "the best of microbootstrap, lite-bootstrap, aiomisc, svcs"


def subject(measure: Callable[[Service], Opening], servers: tuple[str, ...]) -> Contender:
    """Return ours."""
    return Contender(title="on the runtime", opening=measure(ours(*servers)))


def references(
    measure: Callable[[Service], Opening], servers: tuple[str, ...]
) -> tuple[Contender, ...]:
    """Return the others."""
    return tuple(Contender(title=name, opening=measure(peer(name, *servers))) for name in PEERS)


ROWS = (
    Row(
        name="cold-start-five",
        title="cold start, all five of ours on",
        against=AGAINST,
        unit="ms",
        better="less",
        must=1.0,
        aim=0.75,
        subject=subject(cold_start, FIVE),
        references=references(cold_start, FIVE),
        turns=12,
        peers=True,
    ),
    Row(
        name="cold-start-four",
        title="cold start, all but BigQuery",
        against=AGAINST,
        unit="ms",
        better="less",
        must=1.0,
        aim=0.75,
        subject=subject(cold_start, FOUR),
        references=references(cold_start, FOUR),
        turns=12,
        peers=True,
    ),
    Row(
        name="queries",
        title="SELECT + INCR, all on",
        against=AGAINST,
        unit="requests/s",
        better="more",
        must=1.3,
        aim=2.0,
        subject=subject(throughput, FOUR),
        references=references(throughput, FOUR),
        turns=10,
        peers=True,
    ),
    Row(
        name="memory-peers",
        title="RSS after load, all but BigQuery",
        against=AGAINST,
        unit="MB",
        better="less",
        subject=subject(memory, FOUR),
        references=references(memory, FOUR),
        turns=1,
        peers=True,
    ),
)
