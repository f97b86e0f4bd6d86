"""What the runtime is told about Redis, and what importing the plugin costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from msp_core import Contract
from msp_core.config import load
from msp_redis import Redis, RedisConfig, msp_integration


def test_describes_the_integration() -> None:
    """The record names the type that a service asks its contract for, and the dev resource."""
    integration = msp_integration()

    assert integration.name == "redis"
    assert integration.client is Redis
    assert integration.config is RedisConfig
    assert integration.check is not None
    assert integration.dev is not None


async def test_asks_nothing_of_google(
    redis_environ: Mapping[str, str], contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record names no role and no API, and Redis works where nobody knows who this is."""
    integration = msp_integration()
    config = load(RedisConfig, redis_environ)
    monkeypatch.setitem(sys.modules, "google", None)
    monkeypatch.setitem(sys.modules, "google.auth", None)  # importing it would raise
    async with integration.open(config, contract) as opened:
        assert await opened.client().ping()

    assert (integration.roles, integration.apis) == ((), ())


def test_importing_it_imports_no_redis() -> None:
    """A plugin that is declared but not configured costs nothing."""
    code = "import sys, msp_redis; msp_redis.msp_integration(); print('redis' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert done.stdout == "False\n"
