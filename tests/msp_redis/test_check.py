"""The health check: fails soon, says no secrets, and recovers with the server."""

from __future__ import annotations

import asyncio

import pytest
import redis
import redis.asyncio

from msp_core import Contract
from msp_core.config import load
from msp_core.dev import DevResources
from msp_redis import RedisConfig
from msp_redis._check import ping
from msp_redis._plugin import open_redis


async def test_follows_an_outage_of_the_server(
    stoppable_redis: DevResources, contract: Contract
) -> None:
    """Healthy, unhealthy while the server is stopped, healthy again; the client as well."""
    config = load(RedisConfig, stoppable_redis.environ)
    async with open_redis(config, contract) as opened:
        await ping(opened)
        await opened.client().set("kept", "1")
        await asyncio.to_thread(stoppable_redis.stop)
        with pytest.raises(redis.ConnectionError):
            await ping(opened)
        await asyncio.to_thread(stoppable_redis.start)
        await ping(opened)

        assert await opened.client().get("kept") == b"1"


async def test_a_wrong_password_is_refused_and_not_shown(
    stoppable_redis: DevResources, contract: Contract
) -> None:
    """The error tells what the server said, without what we sent."""
    endpoint = stoppable_redis.environ["REDIS_ENDPOINT"]
    async with redis.asyncio.Redis.from_url(endpoint) as admin:
        await admin.config_set("requirepass", "right")
    wrong = endpoint.replace("redis://", "redis://:hunter2@")
    async with open_redis(load(RedisConfig, {"REDIS_ENDPOINT": wrong}), contract) as opened:
        with pytest.raises(redis.AuthenticationError) as caught:
            await ping(opened)

    assert "hunter2" not in str(caught.value)


async def test_a_silent_server_fails_the_check_in_time(contract: Contract) -> None:
    """A server that accepts and never answers must not hold up the probe."""
    silent = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = load(RedisConfig, {"REDIS_ENDPOINT": f"redis://127.0.0.1:{port}"})
    async with server, open_redis(config, contract) as opened:
        with pytest.raises(TimeoutError, match=r"PING within 1\.5 s"):
            await ping(opened)
        silent.set()
