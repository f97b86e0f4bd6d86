"""Refreshed: a value with an end, fetched again by whoever needs it then."""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import attrs

from msp_cloudsql._instance.errors import InstanceError

T = TypeVar("T")

_LIMIT = 10.0  # seconds for one fetch
_PAUSE = 10.0  # seconds between two fetches that somebody forces, and after one that failed


@attrs.frozen(kw_only=True, eq=False)
class Fetched(Generic[T]):
    """What one fetch brought.

    Attributes:
        value: may be a secret.
        expires: when it stops being of use, seconds since the epoch. The wall clock counts on
            while a process is suspended.
    """

    value: T = attrs.field(repr=False)
    expires: float


@attrs.frozen(kw_only=True, eq=False)
class _Flight(Generic[T]):
    """One fetch that others may wait for."""

    done: Future[Fetched[T]] = attrs.field(factory=Future)
    started: float = attrs.field(factory=time.monotonic)
    process: int = attrs.field(factory=os.getpid)

    def is_lost(self) -> bool:
        """Return whether it will never be done: it hangs, or is the parent's of a fork."""
        # The child of a fork has the future and not the thread that would settle it.
        return self.process != os.getpid() or time.monotonic() > self.started + _LIMIT


class Refreshed(Generic[T]):
    """A value that is fetched on first use, and again shortly before it ends.

    However many threads and tasks ask, there is one fetch, in a thread that ends with it: between
    two uses nothing runs, for the platform may give a process no CPU then. While a fetch fails,
    a value that has not ended is given on.

    Args:
        fetch: () -> value and its end; may block; raises `InstanceError`.
        title: what the value is, for errors.
        margin: seconds before its end from which on a value is fetched again. Default 0.
    """

    def __init__(self, fetch: Callable[[], Fetched[T]], *, title: str, margin: float = 0.0) -> None:
        self._fetch = fetch
        self._title = title
        self._margin = margin
        self._lock = threading.Lock()  # held for moments only, so the event loop may take it
        self._last: Fetched[T] | None = None
        self._flight: _Flight[T] | None = None
        self._process = os.getpid()
        self._doubted: Fetched[T] | None = None
        self._rest_until = -math.inf
        self._force_from = -math.inf

    def get(self) -> Fetched[T]:
        """Return the value, for threads.

        Raises:
            InstanceError: it cannot be fetched, or not in time.
        """
        try:
            return self._ask().result(_LIMIT)
        except TimeoutError:
            raise self._too_late() from None

    async def get_async(self) -> Fetched[T]:
        """Return the value, for asyncio; else like `get`."""
        try:
            async with asyncio.timeout(_LIMIT):
                return await asyncio.wrap_future(self._ask())
        except TimeoutError:
            raise self._too_late() from None

    def renew(self, doubted: Fetched[T]) -> bool:
        """Return whether asking again may give another value than the doubted one.

        Has it fetched again if need be, at most once in ten seconds.
        """
        with self._lock:
            if self._last is doubted:
                if time.monotonic() < self._force_from:
                    return False
                self._force_from = time.monotonic() + _PAUSE
                self._doubted = doubted
            return True

    def forget(self) -> None:
        """Drop the value."""
        with self._lock:
            self._last = None

    def _ask(self) -> Future[Fetched[T]]:
        with self._lock:
            if self._process != os.getpid():  # files of the parent may go with it
                self._process, self._last = os.getpid(), None
            if self._last is not None and self._serves(self._last):
                done: Future[Fetched[T]] = Future()
                done.set_result(self._last)
                return done
            if self._flight is None or self._flight.is_lost():
                self._flight = _Flight()
                # Not to be cancelled by one of those who wait.
                self._flight.done.set_running_or_notify_cancel()
                # A daemon: a fetch that hangs must not keep the process from ending.
                threading.Thread(target=self._fly, args=(self._flight,), daemon=True).start()
            return self._flight.done

    def _serves(self, fetched: Fetched[T]) -> bool:
        if fetched is self._doubted:
            return False
        resting = time.monotonic() < self._rest_until
        return time.time() < fetched.expires - (0.0 if resting else self._margin)

    def _fly(self, flight: _Flight[T]) -> None:
        try:
            fetched = self._fetch()
        except InstanceError as error:
            self._crash(flight, error)
        except Exception as error:  # noqa: BLE001 - its text may hold what must not be shown
            self._crash(flight, InstanceError(f"no {self._title}: {type(error).__name__}"))
        else:
            with self._lock:
                self._last = fetched
                self._land(flight)
            # Outside the lock: callbacks of those who wait run here, and may ask again.
            flight.done.set_result(fetched)

    def _crash(self, flight: _Flight[T], error: InstanceError) -> None:
        with self._lock:
            self._land(flight)
            last = self._last
            if last is not None and time.time() < last.expires:
                # Else each use near the end would fetch, and wait for, what fails now.
                self._rest_until = time.monotonic() + _PAUSE
                flight.done.set_result(last)
                return
        flight.done.set_exception(error)

    def _land(self, flight: _Flight[T]) -> None:
        self._doubted = None
        if self._flight is flight:  # else it was given up, and another is under way
            self._flight = None

    def _too_late(self) -> InstanceError:
        return InstanceError(f"no {self._title} within {_LIMIT:g} s")
