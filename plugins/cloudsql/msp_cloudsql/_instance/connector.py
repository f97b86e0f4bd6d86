"""Connector: Google's own way to an instance that has a public address only.

For threads: to psycopg it gives no connections for asyncio. Each connection has a thread that
copies its bytes, so it is the last resort.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.identity import Identity
from msp_cloudsql._instance.surroundings import Google
from msp_core.authoring import PerProcess, bounded_sync

if TYPE_CHECKING:  # the vendor libraries are imported where something is opened
    from google.cloud.sql.connector import Connector as GoogleConnector
    from psycopg import Connection
    from psycopg.rows import TupleRow

_LIMIT = 10.0  # seconds; the connector heeds none while it connects


def is_installed() -> bool:
    """Return whether `msp-cloudsql[connector]` is there."""
    try:
        return importlib.util.find_spec("google.cloud.sql.connector") is not None
    except ModuleNotFoundError:  # not even google.cloud
        return False


class Connector:
    """Google's connector for one instance, made on first use and once for each process.

    One that hangs holds up whoever shares it, so each instance has its own.

    Args:
        instance: connection name.
        user: IAM user in the database.
        google: where Google is found.
        identity: who this process is.
    """

    def __init__(self, instance: str, user: str, google: Google, identity: Identity) -> None:
        self._instance = instance
        self._user = user
        self._google = google
        self._identity = identity
        self._connector = PerProcess(self._make_connector, closed=self._closed_error)

    def connect(self, parameters: dict[str, Any]) -> Connection[TupleRow]:
        """Return a new connection; for threads.

        Args:
            parameters: of psycopg's connect, among them `dbname`.

        Raises:
            InstanceError: it took too long.
            psycopg.OperationalError: the server refused.
        """
        try:
            return bounded_sync(
                partial(self._connect, parameters),
                name="msp-cloudsql-connector",
                seconds=_LIMIT,
                late=lambda connection: connection.close(),
            )
        except TimeoutError:
            raise InstanceError(
                f"no connection to {self._instance!r} within {_LIMIT:g} s"
            ) from None

    def close(self) -> None:
        """Stop what the connector runs in this process; it connects nobody any more."""
        for connector, loop in self._connector.close():
            connector.close()
            loop.call_soon_threadsafe(loop.stop)

    def _connect(self, parameters: dict[str, Any]) -> Connection[TupleRow]:
        import psycopg  # noqa: PLC0415 - vendor library, imported by now

        known = {name: value for name, value in parameters.items() if name != "connect_timeout"}
        name = known.pop("dbname")
        try:
            connector, _ = self._connector.get()
            return connector.connect(self._instance, "psycopg", user=self._user, db=name, **known)  # type: ignore[no-any-return]  # of an untyped driver
        except (psycopg.Error, InstanceError):
            raise
        except Exception as error:  # noqa: BLE001 - of four libraries; their texts may name the account
            text = f"Google's connector found no way to {self._instance!r}: {type(error).__name__}"
            raise InstanceError(text) from None

    def _make_connector(self) -> tuple[GoogleConnector, asyncio.AbstractEventLoop]:
        from google.cloud.sql.connector import (  # noqa: PLC0415 - vendor library: opened here
            Connector as GoogleConnector,
        )

        loop = asyncio.new_event_loop()  # the connector would not close one of its own
        threading.Thread(target=_run, args=(loop,), daemon=True).start()
        connector = GoogleConnector(
            loop=loop,
            credentials=self._identity.credentials(),
            enable_iam_auth=True,
            refresh_strategy="LAZY",  # nothing runs between requests
            sqladmin_api_endpoint=self._google.admin_api,
            timeout=5,
        )
        return connector, loop

    def _closed_error(self) -> Exception:
        return InstanceError(f"no connection to {self._instance!r}: the service has stopped")


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
