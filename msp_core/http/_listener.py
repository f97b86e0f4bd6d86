"""Listener: the listening socket, and accepting from it until the very last connection."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from msp_core.http._syn_filter import drop_new_connections

logger = logging.getLogger("msp.http")

_BACKLOG = 2048
# Accepted per turn of the loop, so that a flood of connections leaves time for requests.
_BATCH = 128
# Seconds for handshakes under way to end once no new ones begin.
_HANDSHAKE = 0.05
# Seconds to wait when the process is out of file descriptors.
_PAUSE = 1.0


class Listener:
    """A socket on all interfaces; binds when made.

    It accepts by itself instead of through `loop.create_server`, whose server drops what was
    accepted but not yet attached to a transport when it is closed.

    Args:
        port: 0 to 65535; 0 takes a free one.

    Raises:
        OSError: the port is in use, or not allowed.
    """

    def __init__(self, port: int) -> None:
        self._socket = bind(port)
        self._loop = asyncio.get_running_loop()
        self._attaching: set[asyncio.Task[None]] = set()
        self._closed = False
        self._protocol: Callable[[], asyncio.Protocol]

    @property
    def port(self) -> int:
        """The port it is bound to."""
        port: int = self._socket.getsockname()[1]
        return port

    def listen(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Accept connections from now on, each served by a protocol of its own.

        Raises:
            OSError: another process began to listen on the port meanwhile.
        """
        self._protocol = protocol
        self._socket.listen(_BACKLOG)
        self._loop.add_reader(self._socket, self._accept, _BATCH)

    def close(self) -> None:
        """Close at once; what waits in the backlog is lost."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._socket.close()

    async def finish(self) -> None:
        """Take every connection the kernel has accepted, then close."""
        if drop_new_connections(self._socket):
            await asyncio.sleep(_HANDSHAKE)
        # Twice the backlog: where new ones cannot be kept out, there must be an end all the same.
        self._accept(2 * _BACKLOG)
        self.close()
        if self._attaching:
            await asyncio.wait(self._attaching)

    def _accept(self, limit: int) -> None:
        for _ in range(limit):
            try:
                connection, _address = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._pause(error)
                return
            connection.settimeout(0)
            task = self._loop.create_task(self._attach(connection))
            self._attaching.add(task)
            task.add_done_callback(self._attaching.discard)

    async def _attach(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:  # the client left between handshake and here
            connection.close()

    def _pause(self, error: OSError) -> None:
        """Leave connections in the backlog for a moment; the loop would spin on them."""
        logger.warning("cannot accept connections: %s", error.strerror)
        self._loop.remove_reader(self._socket)
        self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket, self._accept, _BATCH)


def bind(port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that is bound to the port on all interfaces, and does not listen yet.

    Args:
        port: 0 to 65535; 0 takes a free one.
        shared: whether others of the same user may listen on it that share it, too
            (`SO_REUSEPORT`). Default False.

    Raises:
        OSError: the port is in use, or not allowed.
    """
    if socket.has_dualstack_ipv6():
        try:
            return _bind(socket.AF_INET6, "::", port, shared=shared)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:  # raised where IPv6 is compiled in but off
                raise
    # The platform routes to any address.
    return _bind(socket.AF_INET, "0.0.0.0", port, shared=shared)  # noqa: S104 - see above


def _bind(family: socket.AddressFamily, address: str, port: int, *, shared: bool) -> socket.socket:
    # With the protocol named, event loops switch Nagle's algorithm off for what is accepted. With
    # it on, head and body of each answer on a kept connection would be 40 ms apart.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.settimeout(0)
        # Without it, connections of a process that just ended block the port for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener
