"""Tally: a job in `async` code, of which only one execution runs at a time."""

from __future__ import annotations

import asyncio

from msp_cloudsql import CloudSQL
from msp_core import JobContract, hookimpl
from msp_example import __version__
from msp_example.internal.postgresql import PostgreSQLVisits
from msp_example.jobs.config import JobConfig


class Tally:
    """Adds up the visits to the pages that belong to its task.

    Attributes:
        name: of the job.
        version: of the job.
        config: what is loaded from the environment for it.
        lock: held while it runs.
    """

    name = "tally"
    version = __version__
    config = JobConfig
    lock = "msp-example-tally"

    @hookimpl
    async def msp_execute(self, contract: JobContract, config: JobConfig) -> dict[str, int]:
        """Add up; cancelled wherever it waits when the execution is to end."""
        visits = PostgreSQLVisits(contract[CloudSQL])
        await visits.prepare()
        counts = await visits.by_page()
        await asyncio.sleep(config.pause)
        config.rehearse()
        own = [count for page, count in counts.items() if contract.execution.owns(page)]
        return {"pages": len(own), "visits": sum(own)}
