"""Sweep: a job in plain code, which shares its work with other tasks."""

from __future__ import annotations

import logging
import time

from msp_cloudsql import CloudSQL
from msp_core import JobContract, hookimpl
from msp_example import __version__
from msp_example.jobs.config import JobConfig

logger = logging.getLogger(__name__)

# Two tasks that start at the same moment would both try to create the table.
_PREPARE = """
SELECT pg_advisory_xact_lock(hashtext('msp-example'));
CREATE TABLE IF NOT EXISTS swept (item integer PRIMARY KEY, at timestamptz DEFAULT now());
"""

# A retried task does its items again: each is done in a way that may be repeated.
_SWEEP = "INSERT INTO swept (item) VALUES (%s) ON CONFLICT (item) DO UPDATE SET at = now()"


class Sweep:
    """Notes every item of its share in PostgreSQL.

    Attributes:
        name: of the job.
        version: of the job.
        config: what is loaded from the environment for it.
    """

    name = "sweep"
    version = __version__
    config = JobConfig

    @hookimpl
    def msp_execute(self, contract: JobContract, config: JobConfig) -> dict[str, int]:
        """Sweep until all is done, or the execution is to end."""
        swept = 0
        with contract[CloudSQL].sync_pool("primary").connection() as connection:
            connection.execute(_PREPARE)
            connection.commit()
            for item in contract.execution.share(range(config.items)):
                if contract.execution.cancelled:
                    logger.info("told to end", extra={"swept": swept})
                    break
                connection.execute(_SWEEP, (item,))
                connection.commit()
                time.sleep(config.pause)
                swept += 1
        config.rehearse()
        return {"swept": swept}
