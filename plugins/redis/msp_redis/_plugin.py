"""The hooks through which the runtime knows Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from msp_core.contract import Contract
from msp_core.hookspecs import hookimpl
from msp_core.integration import Integration
from msp_redis._check import ping
from msp_redis._config import RedisConfig
from msp_redis._redis import Redis
from msp_redis._tls import Trust


@asynccontextmanager
async def open_redis(config: RedisConfig, contract: Contract) -> AsyncIterator[Redis]:
    """Give clients of the configured Redis, and close them; waits for no answer of the server."""
    trust = await asyncio.to_thread(Trust.of, config.ssl_cert_dir) if config.tls else None
    redis = Redis(config.endpoint, trust=trust, name=contract.name)
    try:
        yield redis
    finally:
        await redis.close()


def dev_redis(folder: Path) -> AbstractAsyncContextManager[Mapping[str, str]]:
    """Give the embedded stand-in; production never imports what starts it."""
    from msp_redis._dev import redis_server  # noqa: PLC0415 - imported where it is started

    return redis_server(folder)


@hookimpl
def msp_integration() -> Integration[RedisConfig, Redis]:
    """Describe Redis."""
    return Integration(
        name="redis",
        config=RedisConfig,
        client=Redis,
        open=open_redis,
        check=ping,
        dev=dev_redis,
    )
