"""Redis: the clients of redis-py that a service asks its contract for."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import TYPE_CHECKING, Any

from msp_core.authoring import PerProcess
from msp_core.config import Secret
from msp_redis._endpoint import Endpoint
from msp_redis._tls import Trust

if TYPE_CHECKING:  # redis-py is imported where a client is made
    import redis
    import redis.asyncio


class Redis:
    """Gives clients of the configured Redis, one of each kind per process.

    The runtime closes them. May be asked from any thread, and again after a fork. The client for
    asyncio belongs to the event loop of the service.

    Args:
        url: `redis://` or `rediss://`, with user and password.
        trust: authorities for `rediss://`; None for `redis://`.
        name: what the server lists the connections as (`CLIENT LIST`).
    """

    def __init__(self, url: Secret, *, trust: Trust | None, name: str) -> None:
        # Redis takes printable ASCII without spaces as a client's name.
        endpoint = Endpoint(url=url, trust=trust, name=re.sub(r"[^!-~]", "-", name))
        self._client = PerProcess(endpoint.client, closed=_closed_error)
        self._sync_client = PerProcess(endpoint.sync_client, closed=_closed_error)
        self._probe = PerProcess(endpoint.probe, closed=_closed_error)

    def client(self) -> redis.asyncio.Redis:
        """Return the client for asyncio; it connects on first use.

        A lost or refused connection is tried three times more, with at most 0.7 s of waiting in
        all. After the service has stopped, asking for it and using it raise
        `redis.ConnectionError`.

        Raises:
            EndpointError: `REDIS_ENDPOINT` has an option that redis-py does not take.
        """
        return self._client.get()

    def sync_client(self) -> redis.Redis:
        """Return the client for threads; else like `client`."""
        return self._sync_client.get()

    async def ping(self) -> None:
        """Send one PING over a connection of its own, with short limits; raise when it fails."""
        await self._probe.get().ping()

    async def close(self) -> None:
        """Close every client of this process, for good; its use raises from now on."""
        made: tuple[redis.asyncio.Redis | redis.Redis, ...] = (
            *self._client.close(),
            *self._sync_client.close(),
            *self._probe.close(),
        )
        await asyncio.gather(*(_shut(client) for client in made))


def _closed_error() -> Exception:
    import redis  # noqa: PLC0415 - vendor library, imported by whoever catches its error

    from msp_redis._pools import CLOSED  # noqa: PLC0415 - imports the vendor library

    return redis.ConnectionError(CLOSED)


async def _shut(client: redis.asyncio.Redis | redis.Redis) -> None:
    pool: Any = client.connection_pool  # one of ours
    if inspect.iscoroutinefunction(pool.shut):
        await pool.shut()
    else:
        await asyncio.to_thread(pool.shut)
