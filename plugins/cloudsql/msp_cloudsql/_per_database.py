"""PerDatabase: what exists once for each database and process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msp_core.errors import UsageError

PoolT = TypeVar("PoolT")


class PerDatabase(Generic[PoolT]):
    """Pools by database; a child of a fork starts with none, for it must not share sockets.

    Args:
        make: (database, options) -> a new pool.
    """

    def __init__(self, make: Callable[[str, dict[str, Any]], PoolT]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: dict[tuple[int, str], tuple[PoolT, dict[str, Any]]] = {}

    def get(self, database: str, options: dict[str, Any]) -> PoolT:
        """Return the database's pool, made on the first call.

        Raises:
            UsageError: it was made with other options.
        """
        key = (os.getpid(), database)
        with self._lock:
            if key not in self._made:
                self._made[key] = (self._make(database, options), options)
            pool, first = self._made[key]
        if options not in ({}, first):
            raise UsageError(
                f"the pool of database {database!r} exists with other options: "
                f"give {', '.join(sorted(options))} where it is first asked for"
            )
        return pool

    def made(self) -> tuple[PoolT, ...]:
        """Return the pools of this process, the oldest first."""
        with self._lock:
            return tuple(pool for (pid, _), (pool, _) in self._made.items() if pid == os.getpid())
