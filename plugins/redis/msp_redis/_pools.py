"""Connection pools of redis-py that stay closed once the runtime closed them.

redis-py opens a closed client again on its next use, and such a connection would outlive the
resource. Imported where Redis is opened: this module imports redis-py.
"""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.connection import AbstractConnection as AsyncRedisConnection
from redis.connection import Connection as RedisConnection

CLOSED = "the client was closed: the service has stopped"


class AsyncPool(redis.asyncio.BlockingConnectionPool):
    """Waits for a connection when all are in use; once shut, raises `redis.ConnectionError`."""

    is_shut = False

    async def get_connection(
        self,
        command_name: Any = None,  # noqa: ANN401, ARG002 - redis-py's signature, deprecated there
        *keys: Any,  # noqa: ANN401, ARG002 - same
        **options: Any,  # noqa: ANN401, ARG002 - same
    ) -> AsyncRedisConnection:
        """Return a connected connection."""
        if self.is_shut:
            raise redis.ConnectionError(CLOSED)
        connection: AsyncRedisConnection = await super().get_connection()  # type: ignore[no-untyped-call]
        return connection

    async def shut(self) -> None:
        """Close every connection, and open none from now on."""
        self.is_shut = True
        await self.aclose()


class Pool(redis.BlockingConnectionPool):
    """Waits for a connection when all are in use; once shut, raises `redis.ConnectionError`."""

    is_shut = False

    def get_connection(
        self,
        command_name: Any = None,  # noqa: ANN401, ARG002 - redis-py's signature, deprecated there
        *keys: Any,  # noqa: ANN401, ARG002 - same
        **options: Any,  # noqa: ANN401, ARG002 - same
    ) -> RedisConnection:
        """Return a connected connection."""
        if self.is_shut:
            raise redis.ConnectionError(CLOSED)
        connection: RedisConnection = super().get_connection()  # type: ignore[no-untyped-call]
        return connection

    def shut(self) -> None:
        """Close every connection, and open none from now on."""
        self.is_shut = True
        self.close()
