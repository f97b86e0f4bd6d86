"""Waking an event loop that waits for events when a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def wake_on_signals(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let every signal wake the loop while this context lasts, whichever thread it reaches.

    Python runs a handler in the main thread, between two of its own steps. A signal that comes
    just before the loop begins to wait, or that another thread gets, does not end that wait: with
    nothing else to do the loop would stop only when the platform kills it. uvloop takes care of it
    itself.

    Args:
        loop: of this thread; outside the main thread nothing is done, as signals go elsewhere.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not isinstance(loop, asyncio.SelectorEventLoop):
        yield
        return
    read, write = socket.socketpair()
    with read, write:
        read.settimeout(0)
        write.settimeout(0)  # a handler must not wait for a loop that is stuck
        # A full buffer wakes the loop as well as one more byte does.
        before = signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        # What is read has done its work: it ended the wait, and Python runs the handlers by itself.
        loop.add_reader(read, read.recv, 4096)
        try:
            yield
        finally:
            loop.remove_reader(read)
            signal.set_wakeup_fd(before)
