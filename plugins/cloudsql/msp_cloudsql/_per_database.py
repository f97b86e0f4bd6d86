"""PerDatabase: pools, one for each database and process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msp_core.authoring import PerProcess
from msp_core.errors import UsageError

PoolT = TypeVar("PoolT")


class PerDatabase(Generic[PoolT]):
    """Pools by database; a child of a fork starts with none, for it must not share sockets.

    Args:
        make: (database, options) -> a new pool.
        closed: () -> what asking raises after `close()`.
    """

    def __init__(
        self, make: Callable[[str, dict[str, Any]], PoolT], *, closed: Callable[[], Exception]
    ) -> None:
        def make_pool(database: str, /, **options: Any) -> tuple[PoolT, dict[str, Any]]:  # noqa: ANN401 - the library's
            return make(database, options), options

        self._pools = PerProcess(make_pool, closed=closed)

    def get(self, database: str, options: dict[str, Any]) -> PoolT:
        """Return the database's pool, made on the first call.

        Raises:
            UsageError: it was made with other options.
        """
        pool, first = self._pools.get(database, **options)
        if options not in ({}, first):
            raise UsageError(
                f"the pool of database {database!r} exists with other options: "
                f"give {', '.join(sorted(options))} where it is first asked for"
            )
        return pool

    def made(self) -> tuple[PoolT, ...]:
        """Return the pools of this process, the oldest first."""
        return tuple(pool for pool, _ in self._pools.made())

    def close(self) -> tuple[PoolT, ...]:
        """Make none from now on; return those of this process, for the caller to close."""
        return tuple(pool for pool, _ in self._pools.close())
