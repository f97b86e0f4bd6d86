"""Ports: whether one can be listened on, and who has it when it cannot."""

from __future__ import annotations

import errno
import os

from msp_core.errors import PortError
from msp_core.http._listener import bind

_LAST = 65_535
_CHOOSE = "choose another port with --port N or the variable PORT"


def try_port(port: int, *, shared: bool = False) -> None:
    """Raise unless the port can be listened on, on all interfaces; nobody listens afterwards.

    Args:
        port: 0 to 65535; 0 can always be had.
        shared: whether one that others share (`SO_REUSEPORT`) can be had: the service may have a
            server of its own that shares it, too. Default False.

    Raises:
        PortError: it is in use, or not allowed.
    """
    try:
        bind(port, shared=shared).close()
    except OSError as error:
        raise port_error(port, error) from None


def next_port(first: int) -> int:
    """Return the first port from there on that can be listened on.

    Raises:
        PortError: there is none up to 65535.
    """
    port = first
    while True:
        try:
            try_port(port)
        except PortError:
            if port == _LAST:
                raise
            port += 1
        else:
            return port


def port_error(port: int, error: OSError) -> PortError:
    """Return why the port cannot be listened on, who has it, and what to do."""
    if error.errno == errno.EADDRINUSE:
        from msp_core.http._port_owner import port_owner  # noqa: PLC0415 - most ports are free

        owner = port_owner(port)
        by = "another process" if owner is None else f"process {owner.pid} ({owner.name})"
        return PortError(
            f"port {port} is in use by {by}", f"stop that one, or {_CHOOSE}", port=port
        )
    reason = os.strerror(error.errno or 0)
    return PortError(f"port {port} cannot be listened on ({reason})", _CHOOSE, port=port)
