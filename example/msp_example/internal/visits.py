"""Visits: both counters together."""

from __future__ import annotations

import asyncio
import logging

import attrs

from msp_example.internal.postgresql import PostgreSQLVisits
from msp_example.internal.redis import RedisVisits

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Visits:
    """The same count, kept twice: what both say after a restart shows that data survived.

    Attributes:
        postgresql: the counter in PostgreSQL.
        redis: the counter in Redis.
    """

    postgresql: PostgreSQLVisits
    redis: RedisVisits

    async def ping(self) -> None:
        """Raise unless both databases answer."""
        await asyncio.gather(self.postgresql.ping(), self.redis.ping())

    async def add(self) -> dict[str, int]:
        """Count one visit and return how many there were, by database."""
        postgresql, redis = await asyncio.gather(self.postgresql.add(), self.redis.add())
        return {"postgresql": postgresql, "redis": redis}

    async def report(self) -> None:
        """Log how many visits there were."""
        logger.info("visits so far", extra={"visits": await self.redis.total()})
