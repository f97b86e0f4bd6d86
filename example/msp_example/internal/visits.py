"""Visits: both counters together, and the events that tell of them."""

from __future__ import annotations

import asyncio
import logging

import attrs

from msp_example.internal.bigquery import BigQueryEvents
from msp_example.internal.postgresql import PostgreSQLVisits
from msp_example.internal.redis import RedisVisits

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Visits:
    """The same count, kept twice: what both say after a restart shows that data survived.

    Attributes:
        postgresql: the counter in PostgreSQL.
        redis: the counter in Redis.
        events: the rows in BigQuery; None where that is not configured.
    """

    postgresql: PostgreSQLVisits
    redis: RedisVisits
    events: BigQueryEvents | None

    async def prepare(self) -> None:
        """Reach everything; raise when something does not answer."""
        await asyncio.gather(self.postgresql.prepare(), self.redis.prepare())
        if self.events is not None:
            await self.events.write("service.initialized")
            logger.info("connected to BigQuery")

    async def check(self) -> None:
        """Raise unless everything answers."""
        await asyncio.gather(self.postgresql.ping(), self.redis.ping())
        if self.events is not None:
            await self.events.write("service.checked")

    async def add(self, page: str) -> dict[str, int]:
        """Count one visit to a page and return how many there were, by database."""
        postgresql, redis = await asyncio.gather(self.postgresql.add(page), self.redis.add(page))
        if self.events is not None:
            await self.events.visited(page)
        return {"postgresql": postgresql, "redis": redis}

    async def report(self) -> None:
        """Log how many visits there were."""
        logger.info("visits so far", extra={"visits": await self.redis.total()})
