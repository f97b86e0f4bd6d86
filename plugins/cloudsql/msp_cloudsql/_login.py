"""Login: how a new connection finds the server and proves who it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msp_cloudsql._config import CloudSQLConfig, InstanceLogin
from msp_cloudsql._dsn import Template, parameters
from msp_core.errors import MSPError

Login = Callable[[str], str]
"""(database) -> connection string of libpq; asked for each new connection, must not block."""

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


class LoginNotSupportedError(MSPError):
    """The environment asks for a way to log in that this version does not have."""

    exit_code = 78


def login(config: CloudSQLConfig) -> Login:
    """Return the login that the config asks for.

    Raises:
        LoginNotSupportedError: it asks for a Cloud SQL instance.
        DSNError: `PGDSN` is not a template for a connection string.
    """
    if isinstance(config.connection, InstanceLogin):
        raise LoginNotSupportedError(
            "PGINSTANCE and PGUSER ask for IAM login to Cloud SQL, which this version of "
            "msp-cloudsql does not have yet: set PGDSN instead where MSP=false, or install a "
            "version that has it"
        )
    conninfo = partial(_conninfo, Template.parse(config.connection.dsn.reveal()))
    conninfo("postgres")  # what is wrong with it shows now, not on the first query
    return conninfo


def _conninfo(template: Template, database: str) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - vendor library: opened here

    return make_conninfo("", **_DEFAULTS | parameters(template.render(database)))
