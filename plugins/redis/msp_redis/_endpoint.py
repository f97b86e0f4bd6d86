"""Endpoint: makes redis-py's clients, with the defaults of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from msp_core.authoring import tracer
from msp_core.config import Secret
from msp_core.errors import MSPError
from msp_redis._tls import Trust

if TYPE_CHECKING:  # redis-py is imported where a client is made
    import redis
    import redis.asyncio

    from msp_redis._pools import AsyncPool

PoolT = TypeVar("PoolT")


_RETRIES = 3
_BACKOFF = 0.05  # seconds, doubled by each failure: at most 0.1 + 0.2 + 0.4 of waiting in all
_BACKOFF_CAP = 0.5  # seconds

_OPTIONS: dict[str, Any] = {
    # A server of the same network answers in milliseconds; the library's 5 s, tried four times,
    # would outlast a request.
    "socket_connect_timeout": 2.0,
    # A connection idle for longer gets a PING before its next use: what lies in between may have
    # dropped it without a word.
    "health_check_interval": 20,
    # One process is not served faster by more; a burst beyond it waits for so long instead of
    # failing, as it would by the library's default.
    "max_connections": 50,
    "timeout": 5.0,
}
_PROBE_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 1.0,
    "socket_timeout": 1.0,
    "max_connections": 1,
    "timeout": 1.0,
}


OPTIONS_EXPECTED = "after the '?' options that redis-py knows, with values that it takes"


class EndpointError(MSPError):
    """`REDIS_ENDPOINT` has an option that redis-py does not take; never holds the URL."""

    exit_code = 78


@attrs.frozen(kw_only=True, eq=False)
class Endpoint:
    """One Redis, and how to reach it.

    Attributes:
        url: `redis://` or `rediss://`, with user and password.
        trust: authorities for `rediss://`; None for `redis://`.
        name: of the connections at the server, printable ASCII without spaces.
    """

    url: Secret
    trust: Trust | None
    name: str

    def client(self) -> redis.asyncio.Redis:
        """Return a new client for asyncio."""
        import redis.asyncio  # noqa: PLC0415 - vendor library: imported where it is opened
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - vendor library: opened here
        from redis.backoff import ExponentialWithJitterBackoff  # noqa: PLC0415 - same

        backoff = ExponentialWithJitterBackoff(cap=_BACKOFF_CAP, base=_BACKOFF)
        pool = self._async_pool(_OPTIONS | {"retry": Retry(backoff, _RETRIES)})
        if tracer("msp.redis"):
            from msp_redis._traced import TracedAsyncRedis  # noqa: PLC0415 - imports OpenTelemetry

            return TracedAsyncRedis.from_pool(pool)
        return redis.asyncio.Redis.from_pool(pool)

    def probe(self) -> redis.asyncio.Redis:
        """Return a new client for health checks: short limits, and one retry without a wait.

        The retry is for the connection that a restart of the server has cut.
        """
        import redis.asyncio  # noqa: PLC0415 - vendor library: imported where it is opened
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - vendor library: opened here
        from redis.backoff import NoBackoff  # noqa: PLC0415 - same

        pool = self._async_pool(_PROBE_OPTIONS | {"retry": Retry(NoBackoff(), 1)})
        return redis.asyncio.Redis.from_pool(pool)

    def sync_client(self) -> redis.Redis:
        """Return a new client for threads."""
        import redis  # noqa: PLC0415 - vendor library: imported where the resource is opened
        from redis.backoff import ExponentialWithJitterBackoff  # noqa: PLC0415 - same
        from redis.retry import Retry  # noqa: PLC0415 - same

        from msp_redis._pools import Pool  # noqa: PLC0415 - imports the vendor library

        backoff = ExponentialWithJitterBackoff(cap=_BACKOFF_CAP, base=_BACKOFF)
        pool = self._pool(Pool, _OPTIONS | {"retry": Retry(backoff, _RETRIES)})
        if tracer("msp.redis"):
            from msp_redis._traced import TracedRedis  # noqa: PLC0415 - imports OpenTelemetry

            return TracedRedis.from_pool(pool)
        return redis.Redis.from_pool(pool)

    def check_options(self) -> None:
        """Raise unless redis-py takes every option of the URL; connects to nothing.

        Raises:
            EndpointError: it does not take one.
        """
        from msp_redis._pools import Pool  # noqa: PLC0415 - vendor library: only it can judge

        self._async_pool(_OPTIONS)
        self._pool(Pool, _OPTIONS)

    def _async_pool(self, options: dict[str, Any]) -> AsyncPool:
        from msp_redis._pools import AsyncPool  # noqa: PLC0415 - imports the vendor library

        return self._pool(AsyncPool, options)

    def _pool(self, pool: type[PoolT], options: dict[str, Any]) -> PoolT:
        tls = self.trust.options() if self.trust else {}
        try:
            made: Any = pool.from_url(self.url.reveal(), client_name=self.name, **options, **tls)  # type: ignore[attr-defined]
            made.make_connection()  # an option that does not exist would show on the first use
        except Exception:  # noqa: BLE001 - of many classes; their texts quote the URL
            raise EndpointError(f"REDIS_ENDPOINT is wrong: expected {OPTIONS_EXPECTED}") from None
        return made  # type: ignore[no-any-return]  # redis-py's, untyped
