"""Connections of psycopg that log in to a Cloud SQL instance with the service's identity.

Imported where a connection is opened: this module imports psycopg.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self, cast

from psycopg import AsyncConnection, Connection, OperationalError
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from msp_cloudsql._instance.connector import is_installed
from msp_cloudsql._instance.errors import InstanceError, NoPrivateAddressError
from msp_cloudsql._instance.instance import Access, Instance
from msp_cloudsql._instance.roles import LOGIN

_REFUSED = "authentication failed"
_ADVICE = (
    ": expected PGUSER to be an IAM user of the instance, without .gserviceaccount.com, for the "
    f"account that the service runs as, with {LOGIN.name}"
)


class AsyncInstanceConnection(AsyncConnection[TupleRow]):
    """A connection for asyncio to a Cloud SQL instance.

    Attributes:
        expires: when what it logged in with ends, seconds since the epoch.
        account: not shown.
    """

    expires: float = math.inf
    account: str = "\0"

    @classmethod
    async def connect(  # type: ignore[override]  # takes one thing more
        cls,
        conninfo: str = "",
        *,
        instance: Instance,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection.

        What failed is tried once more, with what Google says by then, when that may help.
        """
        with _hide_causes(instance):
            access = await instance.access_async()
            try:
                return await cls._try(conninfo, access, options)
            except OperationalError:
                again = await instance.access_async() if instance.doubt(access) else access
                if again.parameters == access.parameters:
                    raise
            return await cls._try(conninfo, again, options)

    @classmethod
    async def _try(cls, conninfo: str, access: Access, options: dict[str, Any]) -> Self:
        connection = await super().connect(conninfo, **{**options, **access.parameters})
        connection.expires, connection.account = access.expires, access.parameters["user"]
        return connection

    def __repr__(self) -> str:
        """Return what psycopg does, without the service's account."""
        return super().__repr__().replace(self.account, "***")


class InstanceConnection(Connection[TupleRow]):
    """A connection for threads to a Cloud SQL instance.

    Attributes:
        expires: when what it logged in with ends, seconds since the epoch.
        account: not shown.
    """

    expires: float = math.inf
    account: str = "\0"

    @classmethod
    def connect(  # type: ignore[override]  # takes one thing more
        cls,
        conninfo: str = "",
        *,
        instance: Instance,
        **options: Any,  # noqa: ANN401 - the library's options
    ) -> Self:
        """Return a new connection; else like that for asyncio.

        One through Google's connector is psycopg's own, for the connector makes it.
        """
        with _hide_causes(instance):
            try:
                access = instance.access()
            except NoPrivateAddressError:
                if not is_installed():
                    raise
                known = {**conninfo_to_dict(conninfo), **options}
                return cast("Self", instance.connector.connect(known))
            try:
                return cls._try(conninfo, access, options)
            except OperationalError:
                again = instance.access() if instance.doubt(access) else access
                if again.parameters == access.parameters:
                    raise
            return cls._try(conninfo, again, options)

    @classmethod
    def _try(cls, conninfo: str, access: Access, options: dict[str, Any]) -> Self:
        connection = super().connect(conninfo, **{**options, **access.parameters})
        connection.expires, connection.account = access.expires, access.parameters["user"]
        return connection

    def __repr__(self) -> str:
        """Return what psycopg does, without the service's account."""
        return super().__repr__().replace(self.account, "***")


@contextmanager
def _hide_causes(instance: Instance) -> Iterator[None]:
    """Turn what fails into one error that holds no secret, and remember it."""
    try:
        yield
    except InstanceError as error:
        text = f"cannot connect: {error}"
    except OperationalError as error:
        text = f"cannot connect to instance {instance.name!r}: {error}"
        text = text.replace(instance.user, "***") + (_ADVICE if _REFUSED in text else "")
    else:
        instance.trouble = None
        return
    instance.trouble = text
    raise OperationalError(text) from None
