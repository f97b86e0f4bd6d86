"""Queries through psycopg_pool itself; instrumented, if the argument says so."""

import asyncio
import os
import sys

from psycopg_pool import AsyncConnectionPool

from benchmarks.blocks import answer_blocks
from benchmarks.services.query_calls import query_calls


async def main() -> None:
    """Answer blocks."""
    dsn = os.environ["PGDSN"].replace("{{ .Database }}", "primary")
    async with AsyncConnectionPool(dsn, min_size=1, max_size=10, open=False) as pool:
        await answer_blocks(query_calls(pool))


if __name__ == "__main__":
    if "instrumented" in sys.argv:
        from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

        from benchmarks.services.telemetry_by_hand import set_up_telemetry

        set_up_telemetry("query")
        PsycopgInstrumentor().instrument()
    asyncio.run(main())
