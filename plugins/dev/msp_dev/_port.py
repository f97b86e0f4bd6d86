"""The port that a service on a laptop listens on: the one asked for, or the next that is free."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from msp_core.dev import next_port, try_port
from msp_core.errors import PortError

FIRST = 8080
_LAST = 65_535


def choose_port(asked: int | None, environ: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    """Return the variables with `PORT` in them, and what to say about it.

    Found out before any resource starts.

    Args:
        asked: on the command line; None for `PORT`, and without it for 8080 or the next free one.
        environ: the user's own variables.

    Raises:
        PortError: the port asked for cannot be had.
    """
    if asked is None and "PORT" not in environ:
        port, note = _find_port()
        return {**environ, "PORT": str(port)}, note
    if asked is not None:
        environ = {**environ, "PORT": str(asked)}
    # What is no port is reported with all other problems of the variables.
    with contextlib.suppress(ValueError):
        port = int(environ["PORT"])
        if 0 <= port <= _LAST:
            try_port(port, shared=True)
    return environ, ""


def _find_port() -> tuple[int, str]:
    try:
        try_port(FIRST)
    except PortError as error:
        port = next_port(FIRST + 1)
        return port, f"{error.reason}: listening on {port} instead"
    return FIRST, ""
