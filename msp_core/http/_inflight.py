"""Inflight: the requests being served, to be named when they do not end in time."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs

from msp_core._text.stacks import task_stack

_current: ContextVar[InflightRequest] = ContextVar("current_inflight")


@attrs.define(kw_only=True, eq=False)
class InflightRequest:
    """One request being served.

    Attributes:
        method: such as `GET`.
        path: without query.
        began: seconds on the monotonic clock.
        task: serves it.
        thread: identifier of the thread a WSGI application serves it in; None otherwise.
    """

    method: str
    path: str
    began: float
    task: asyncio.Task[Any]
    thread: int | None = None

    def __str__(self) -> str:
        """Return method, path and age in seconds."""
        return f"{self.method} {self.path} ({self.age:.1f} s)"

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def stack(self) -> str:
        """Return where it is now, outermost call first."""
        frames = sys._current_frames()  # noqa: SLF001 - documented so
        frame = None if self.thread is None else frames.get(self.thread)
        if frame is None:
            return task_stack(self.task)
        return "".join(traceback.format_stack(frame)).rstrip()


class Inflight:
    """The requests of one server that are being served, oldest first."""

    def __init__(self) -> None:
        self._requests: dict[InflightRequest, None] = {}

    def __iter__(self) -> Iterator[InflightRequest]:
        """Iterate over the requests as they are now."""
        return iter(tuple(self._requests))

    def __len__(self) -> int:
        """Return how many there are now."""
        return len(self._requests)

    @contextmanager
    def count_in(self, method: str, path: str) -> Iterator[InflightRequest]:
        """Count a request in while the block runs."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a request is served by a task")
        request = InflightRequest(method=method, path=path, began=time.monotonic(), task=task)
        self._requests[request] = None
        token = _current.set(request)
        try:
            yield request
        finally:
            _current.reset(token)
            del self._requests[request]


def note_thread() -> None:
    """Note that the current request is being served by the current thread."""
    _current.get().thread = threading.get_ident()
