"""Login: how a new connection finds the server and proves who it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from msp_cloudsql._config import CloudSQLConfig, InstanceLogin
from msp_cloudsql._dsn import Template, parameters
from msp_cloudsql._instance.instance import Instance
from msp_cloudsql._instance.surroundings import Google

_DEFAULTS = {
    # libpq would wait for a server that does not answer as long as TCP does, over two minutes.
    "connect_timeout": "5",
    # A peer that vanished is noticed within a minute, not after TCP's two hours …
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    # … and a query sent to it fails after half a minute (milliseconds; Linux only).
    "tcp_user_timeout": "30000",
}


@attrs.frozen(kw_only=True)
class Login:
    """How connections are made.

    Attributes:
        conninfo: (database) -> connection string of libpq; asked for each new connection, must
            not block.
        instance: gives the rest for each new connection; None when the string is complete.
    """

    conninfo: Callable[[str], str]
    instance: Instance | None = None


def login(config: CloudSQLConfig, google: Google) -> Login:
    """Return the login that the config asks for; asks nobody anything yet.

    Raises:
        DSNError: `PGDSN` is not a template for a connection string.
    """
    if isinstance(config.connection, InstanceLogin):
        return Login(conninfo=_conninfo_of, instance=Instance(config.connection, google))
    conninfo = partial(_render, Template.parse(config.connection.dsn.reveal()))
    conninfo("postgres")  # what is wrong with it shows now, not on the first query
    return Login(conninfo=conninfo)


def _conninfo_of(database: str) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - vendor library: opened here

    return make_conninfo("", dbname=database, **_DEFAULTS)


def _render(template: Template, database: str) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - vendor library: opened here

    return make_conninfo("", **_DEFAULTS | parameters(template.render(database)))
