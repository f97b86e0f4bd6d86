"""Ports on the loopback interface for dev servers."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable

_LOOPBACK = "127.0.0.1"
_FIRST, _LAST = 20_000, 32_000
_ATTEMPTS = 100


def free_port(preferred: int | None = None) -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on.

    It lies below the range from which kernels take the ports of outgoing connections, so that it
    is most likely still free when the server binds it, and free again on the next run.

    Args:
        preferred: returned when it is free, such as the port of the last run.

    Raises:
        OSError: no port was free.
    """
    if preferred is not None and _is_free(preferred):
        return preferred
    chance = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = chance.randint(_FIRST, _LAST)
        if _is_free(port):
            return port
    raise OSError(f"no free port found on {_LOOPBACK} between {_FIRST} and {_LAST}")


def answers(*ports: int) -> Callable[[], Awaitable[None]]:
    """Return what raises until each port of 127.0.0.1 takes connections: `ready=answers(port)`."""

    async def connect() -> None:
        for port in ports:
            _, writer = await asyncio.open_connection(_LOOPBACK, port)
            writer.close()
            await writer.wait_closed()

    return connect


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections of the last run that linger in TIME_WAIT do not keep a server from binding.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
        return True
