"""Redis: the clients of redis-py that a service asks its contract for."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from msp_core.config import Secret
from msp_redis._endpoint import Endpoint
from msp_redis._tls import Trust

if TYPE_CHECKING:  # redis-py is imported where a client is made
    import redis
    import redis.asyncio

ClientT = TypeVar("ClientT")


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
        self._endpoint = Endpoint(url=url, trust=trust, name=re.sub(r"[^!-~]", "-", name))
        self._lock = threading.Lock()
        self._made: dict[tuple[int, str], Any] = {}
        self._closed = False

    def client(self) -> redis.asyncio.Redis:
        """Return the client for asyncio; it connects on first use.

        A lost or refused connection is tried three times more, with at most 0.7 s of waiting in
        all. After the service has stopped, using it raises `redis.ConnectionError`.

        Raises:
            EndpointError: `REDIS_ENDPOINT` has an option that redis-py does not take.
        """
        return self._once("client", self._endpoint.client)

    def sync_client(self) -> redis.Redis:
        """Return the client for threads; else like `client`."""
        return self._once("sync_client", self._endpoint.sync_client)

    async def ping(self) -> None:
        """Send one PING over a connection of its own, with short limits; raise when it fails."""
        await self._once("probe", self._endpoint.probe).ping()

    async def close(self) -> None:
        """Close every client of this process, for good; its use raises from now on."""
        with self._lock:
            self._closed = True
            made = [client for (pid, _), client in self._made.items() if pid == os.getpid()]
        await asyncio.gather(*(_shut(client.connection_pool.shut) for client in made))

    def _once(self, kind: str, make: Callable[[], ClientT]) -> ClientT:
        key = (os.getpid(), kind)  # the child of a fork must not share its parent's sockets
        with self._lock:
            if key not in self._made:
                made: Any = make()
                made.connection_pool.is_shut = self._closed
                self._made[key] = made
            client: ClientT = self._made[key]
        return client


async def _shut(shut: Callable[[], Any]) -> None:
    if inspect.iscoroutinefunction(shut):
        await shut()
    else:
        await asyncio.to_thread(shut)
