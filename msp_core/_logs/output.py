"""Output: where the bytes of log lines go, written whole or refused with an OSError."""

from __future__ import annotations

import functools
import os
import select
from collections.abc import Callable
from typing import TextIO

Output = Callable[[bytes], None]
"""(whole lines) -> None, blocks until the reader took them.

Raises:
    OSError or ValueError: nobody reads, or the stream is closed.
"""

WAIT_MILLISECONDS = 200


def output_to(stream: TextIO | None) -> Output:
    """Return what writes to the stream's descriptor, or to the stream when it has none.

    The descriptor is written past the stream's buffer: a buffer has a lock, and a thread that
    hangs may hold it.
    """
    if stream is None:  # the process was started without a stderr
        return _discard
    try:
        return functools.partial(_write_descriptor, stream.fileno())
    except (AttributeError, OSError, ValueError):
        return functools.partial(_write_stream, stream)


def _write_descriptor(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # another holder of the same pipe made it non-blocking
            _wait_for_room(descriptor)


def _wait_for_room(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    # A limit, because not every kind of terminal reports that it has room again.
    poll.poll(WAIT_MILLISECONDS)


def _write_stream(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode())
    stream.flush()


def _discard(data: bytes) -> None:
    """Take the lines and forget them."""
