"""The health check: one PING with limits of its own."""

from __future__ import annotations

import asyncio

from msp_redis._redis import Redis

_LIMIT = 1.5  # seconds; below the runtime's limit of 2, so that the error says what was slow


async def ping(redis: Redis) -> None:
    """Raise unless Redis answers PING soon, over a connection that only checks use.

    Raises:
        TimeoutError: it did not answer in time.
        redis.RedisError: it is not there, or refused the password.
    """
    try:
        async with asyncio.timeout(_LIMIT):
            await redis.ping()
    except TimeoutError:
        raise TimeoutError(f"redis did not answer PING within {_LIMIT} s") from None
