"""What tests of IAM login share."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping

from msp_cloudsql import CloudSQL
from tests.msp_cloudsql.stand_in import USER, StandIn

Opening = Callable[..., contextlib.AbstractAsyncContextManager[CloudSQL]]
"""Opens the plugin on the stand-in; takes more variables."""


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port in a DSN."""
    found = re.search(r":(\d+)/", environ["PGDSN"])
    assert found is not None
    return int(found[1])


async def answer(cloudsql: CloudSQL) -> object:
    """Return what the database says over the pool for asyncio."""
    async with cloudsql.pool("primary").connection() as connection:
        row = await (await connection.execute("SELECT current_database()")).fetchone()
        return row and row[0]


async def sync_answer(cloudsql: CloudSQL) -> object:
    """Return what the database says over the pool for threads."""

    def use() -> object:
        with cloudsql.sync_pool("primary").connection() as connection:
            row = connection.execute("SELECT current_database()").fetchone()
            return row and row[0]

    return await asyncio.to_thread(use)


async def sync_answer_soon(cloudsql: CloudSQL) -> None:
    """Ask the pool for threads, for half a second."""
    await asyncio.to_thread(cloudsql.sync_pool("primary").getconn, 0.5)


def hidden(stand_in: StandIn, *more: str) -> set[str]:
    """Return what must not be seen."""
    return {USER, *more, *stand_in.issued}
