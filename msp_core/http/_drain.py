"""Drain: waits until every connection has had its last answer."""

from __future__ import annotations

import asyncio
import select
import time
from typing import Any

from uvicorn.server import ServerState

from msp_core import _budget
from msp_core.deadline import Deadline

# Seconds between two looks: uvicorn does not say when a connection becomes idle.
_POLL = 0.02


class Drain:
    """The end of a server's connections; nobody may accept new ones any more.

    Args:
        state: uvicorn's record of connections and of the tasks that serve requests.
    """

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._idle_since: dict[Any, float] = {}

    async def wait(self, deadline: Deadline) -> bool:
        """Close connections as they become idle; return whether all were by the deadline."""
        linger = _budget.linger(deadline.remaining())
        while self._state.connections or self._state.tasks:
            if not deadline.remaining():
                return False
            for connection in tuple(self._state.connections):
                self._look_at(connection, linger)
            await asyncio.sleep(_POLL)
        return True

    async def abandon(self, patience: float) -> None:
        """Cancel what is still being served, and close every connection."""
        tasks = tuple(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        for connection in tuple(self._state.connections):
            # Not `close`, which goes on writing to a client that may never read.
            connection.transport.abort()

    def _look_at(self, connection: Any, linger: float) -> None:  # noqa: ANN401 - uvicorn has six
        now = time.monotonic()
        if not _is_idle(connection):
            self._idle_since.pop(connection, None)
        elif (
            now - self._idle_since.setdefault(connection, now) >= linger
            and not connection.transport.is_closing()
        ):
            connection.shutdown()


def _is_idle(connection: Any) -> bool:  # noqa: ANN401 - uvicorn has six classes
    """Return whether no request is being served or waiting to be read.

    A websocket has no request cycle: it counts as idle, and is closed after the linger.
    """
    cycle = getattr(connection, "cycle", None)
    return (cycle is None or cycle.response_complete) and not _is_readable(connection.transport)


def _is_readable(transport: asyncio.Transport) -> bool:
    # What a client has sent and the loop has not read yet counts as a request. Not `select`, which
    # refuses descriptors from 1024 on.
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
