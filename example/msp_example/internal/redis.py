"""RedisVisits: the counter in Redis."""

from __future__ import annotations

import logging

import attrs

from msp_redis import Redis

logger = logging.getLogger(__name__)

_KEY = "msp-example:visits-by-page"


@attrs.frozen
class RedisVisits:
    """Counts visits in one hash.

    Attributes:
        redis: gives the client.
    """

    redis: Redis

    async def prepare(self) -> None:
        """Ping Redis and log that it answered."""
        await self.ping()
        logger.info("connected to Redis")

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        await self.redis.client().ping()

    async def add(self, page: str) -> int:
        """Count one visit to a page and return how many there were."""
        return int(await self.redis.client().hincrby(_KEY, page, 1))

    async def total(self) -> int:
        """Return how many visits all pages had."""
        return sum(map(int, await self.redis.client().hvals(_KEY)))
