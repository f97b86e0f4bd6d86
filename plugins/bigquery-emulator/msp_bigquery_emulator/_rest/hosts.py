"""Hosts: which names a request may be addressed to, and come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from msp_bigquery_emulator._errors import BigQueryError

# Names that no web site can have. One without a dot is that of a container or a machine nearby.
_LOCAL: Final = (".localhost", ".local", ".internal", ".test")


def require_local(headers: Mapping[str, str]) -> None:
    """Refuse what a web page sends through the browser of somebody who works on this machine.

    A page may give its own name the address of this machine ("DNS rebinding"), and may send some
    requests to any address; the first shows in `Host`, the second in `Origin`.

    Raises:
        BigQueryError: the request was addressed to, or comes from, a name of the internet.
    """
    for name in ("host", "origin"):
        given = headers.get(name, "")
        host = urlsplit(given if "//" in given else f"//{given}").hostname or ""
        if not _is_local(host):
            raise BigQueryError(
                403, "forbidden", f"{name.title()} is a name of the internet: expected an address"
            )


def _is_local(host: str) -> bool:
    if "." not in host or host.endswith(_LOCAL):
        return host != "null"
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
