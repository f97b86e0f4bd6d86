"""Addresses: where a server that listens can be reached."""

from __future__ import annotations

from typing import Final

_WILDCARDS: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - only compared with


def reachable(host: str) -> str:
    """Return the address at which who listens on a host can be reached from this machine."""
    return _WILDCARDS.get(host, host)
