"""What is timed of a pool: queries, ten to a request with a span of its own."""

from typing import Any

from opentelemetry import trace
from psycopg_pool import AsyncConnectionPool

from benchmarks.blocks import Calls

BURST = 10


def query_calls(pool: AsyncConnectionPool[Any]) -> Calls:
    """Return what runs that many queries, each with a connection taken and given back."""
    tracer = trace.get_tracer("bench")

    async def calls(number: int) -> None:
        for _ in range(number // BURST):
            with tracer.start_as_current_span("request"):
                for _ in range(BURST):
                    async with pool.connection() as connection:
                        await connection.execute("SELECT 1")

    return calls
