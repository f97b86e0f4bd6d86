"""The limits that the README promises are those of the clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from msp_core import Contract
from msp_core.config import load
from msp_core.dev import free_port
from msp_redis import Redis, RedisConfig
from msp_redis._plugin import open_redis

README = Path(__file__).parents[2] / "plugins" / "redis" / "README.md"


@pytest.fixture
async def redis(contract: Contract) -> AsyncIterator[Redis]:
    """Give clients that nobody connects."""
    config = load(RedisConfig, {"REDIS_ENDPOINT": f"redis://127.0.0.1:{free_port()}"})
    async with open_redis(config, contract) as opened:
        yield opened


def promised() -> dict[str, str]:
    """Return the README's table: option -> number."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+)", README.read_text("utf-8"), re.MULTILINE)
    return dict(rows)


async def test_clients_have_the_defaults_of_the_readme(redis: Redis) -> None:
    """Each option of the table, for asyncio and for threads; a burst waits 5 s."""
    table = promised()
    assert table == {
        "socket_connect_timeout": "2",
        "health_check_interval": "20",
        "max_connections": "50",
        "socket_timeout": "5",
    }
    for client in (redis.client(), redis.sync_client()):
        pool: Any = client.connection_pool
        connection = pool.make_connection()
        assert pool.max_connections == float(table.pop("max_connections", "50"))
        assert pool.timeout == 5.0
        assert connection.socket_connect_timeout == 2.0
        assert connection.health_check_interval == 20
        assert connection.socket_timeout == 5


async def test_a_lost_connection_is_tried_three_times_more(redis: Redis) -> None:
    """With pauses that double from 0.1 s, each spread over its length, none above 0.5 s."""
    for client in (redis.client(), redis.sync_client()):
        retry: Any = client.connection_pool.connection_kwargs["retry"]
        longest = [max(retry._backoff.compute(n) for _ in range(200)) for n in (1, 2, 3, 9)]

        assert retry.get_retries() == 3
        for seen, most in zip(longest, (0.1, 0.2, 0.4, 0.5), strict=True):
            assert 0.9 * most < seen <= most


async def test_a_check_is_short_and_tries_once_more(redis: Redis) -> None:
    """One connection, a second for each step, and one retry at once for a cut connection."""
    pool: Any = redis._probe.get().connection_pool
    connection = pool.make_connection()
    retry = pool.connection_kwargs["retry"]

    assert (pool.max_connections, pool.timeout) == (1, 1.0)
    assert (connection.socket_connect_timeout, connection.socket_timeout) == (1.0, 1.0)
    assert (retry.get_retries(), retry._backoff.compute(1)) == (1, 0)
