"""PerProcess: what exists once in each process, such as a client with open sockets."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import Generic, ParamSpec, TypeVar

import attrs

from msp_core.errors import UsageError

KeyP = ParamSpec("KeyP")
ValueT = TypeVar("ValueT")


@attrs.define
class _Kept(Generic[ValueT]):
    """What one process has made.

    Attributes:
        values: by key, the oldest first.
        lock: held while one is made. Reentrant: what makes one value may ask for another.
    """

    values: dict[tuple[Hashable, ...], ValueT] = attrs.field(factory=dict)
    lock: threading.RLock = attrs.field(factory=threading.RLock)


def _is_closed() -> Exception:
    return UsageError("the resource is closed: the service has stopped")


class PerProcess(Generic[KeyP, ValueT]):
    """Makes a value when it is first asked for, one for each key; may be asked from any thread.

    The child of a fork starts with none: it must not share its parent's sockets. What the parent
    made is kept there all the same, for to throw it away would close it, and tell the server so.

    Args:
        make: (key…) -> a new value. No key where there is but one value.
        closed: () -> what asking raises after `close()`. Default: a `UsageError`.
    """

    def __init__(
        self, make: Callable[KeyP, ValueT], *, closed: Callable[[], Exception] = _is_closed
    ) -> None:
        self._make = make
        self._error = closed
        self._closed = False
        # A lock that another thread held when the process was forked stays locked in the child
        # for ever. So each process has its own, and finds it without one: `setdefault` is atomic.
        self._kept: dict[int, _Kept[ValueT]] = {}

    def get(self, *key: KeyP.args, **options: KeyP.kwargs) -> ValueT:
        """Return the value of a key, made on the first call.

        Args:
            key: hashable values, given to `make`.
            options: given to `make` as well, and no part of the key: those of the first call count.

        Raises:
            Exception: `close()` was called, or what `make` raises; then the next call tries again.
        """
        kept = self._of_process()
        if key in kept.values and not self._closed:  # nearly always, and without a lock
            return kept.values[key]
        with kept.lock:
            if self._closed:
                raise self._error()
            if key not in kept.values:
                kept.values[key] = self._make(*key, **options)
            return kept.values[key]

    def made(self) -> tuple[ValueT, ...]:
        """Return what this process has made, the oldest first."""
        kept = self._of_process()
        with kept.lock:
            return tuple(kept.values.values())

    def close(self) -> tuple[ValueT, ...]:
        """Make nothing from now on; return what this process has made, for the caller to close."""
        kept = self._of_process()
        with kept.lock:
            self._closed = True
            return tuple(kept.values.values())

    def _of_process(self) -> _Kept[ValueT]:
        process = os.getpid()
        return self._kept.get(process) or self._kept.setdefault(process, _Kept())
