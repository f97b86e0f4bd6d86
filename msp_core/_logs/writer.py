"""Writer: the thread that writes log lines, so that nobody who logs waits for the reader."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import queue
import select
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Final

from msp_core._logs.output import Output

# Bytes of a line for which it takes one place of those that wait; a longer one takes several.
PLACE: Final = 512

# Places of lines that may wait: 51.2 MB, where a slow reader turns into a problem of memory.
LIMIT: Final = 100_000

# Seconds a thread waits for room once that many wait.
PATIENCE: Final = 5.0

# Seconds in which lines gather before they are written, while they come fast: a thread that is
# woken for each line costs more than the line. A line that comes alone does not wait.
PAUSE: Final = 0.005

# Seconds between two writes, below which lines come fast.
FAST: Final = 2 * PAUSE

# Seconds after which the number of lost lines is logged again, where lines go on getting lost.
AGAIN: Final = 60.0

_END: Final = None

# Takes a place behind a long line, and is written as nothing.
_PLACE_TAKEN: Final = b""


class Writer:
    """Writes lines in the order given, from a thread of its own, and loses none untold.

    Lines are put on a `SimpleQueue`, whose `put` takes no lock a thread could be stopped with and
    may be called from signal handlers and destructors. Once the thread has ended (`close`, which
    also happens at exit) and in a forked child, where it does not exist, whoever writes does it
    right away.

    Args:
        output: where to.
        describe_loss: (number of lost lines) -> the line that says so; called in the thread.

    Attributes:
        lost: lines that were not written, because the reader is gone or too slow for too long.
    """

    def __init__(self, output: Output, describe_loss: Callable[[int], bytes]) -> None:
        self._output = output
        self._describe_loss = describe_loss
        self._described_at = -math.inf
        self._start_afresh(direct=False)
        self._thread = threading.Thread(target=self._run, name="msp-logs", daemon=True)
        self._thread.start()
        # A registration lasts as long as the process: it must not keep the writer alive.
        afresh = weakref.WeakMethod(self._start_afresh)
        os.register_at_fork(after_in_child=lambda: (method := afresh()) and method(direct=True))

    def _start_afresh(self, *, direct: bool) -> None:
        self._direct = direct
        self.lost = self._described = 0
        self._waiting: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        # Ends a pause: somebody waits for what waits. One too many only leaves out a later pause.
        self._hurry: queue.SimpleQueue[None] = queue.SimpleQueue()
        # Held while a thread writes by itself, so that its lines are out when it goes on.
        # Reentrant: a destructor or signal handler may log in the middle of it.
        self._draining = threading.RLock()
        self._counting = threading.RLock()  # the same, of the lost lines

    def write(self, line: bytes) -> None:
        """Write the line, ended by a newline, soon; now when the thread has ended.

        When too much waits, a thread waits for room as any write would make it; an event loop must
        not wait, so there the line is lost.
        """
        if self._waiting.qsize() >= LIMIT and (_on_event_loop() or not self.flush(PATIENCE)):
            self._lose(1)
            return
        self._waiting.put(line)
        # The queue's own size is the one count that needs no lock of threads and signal handlers.
        if len(line) >= PLACE:
            for _ in range(len(line) // PLACE):
                self._waiting.put(_PLACE_TAKEN)
        if self._direct:
            self._drain()

    def flush(self, timeout: float) -> bool:
        """Wait until all lines given so far are written; never raises.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether they all are: False when time ran out or the reader is gone.
        """
        lost = self.lost
        written = threading.Event()
        self._put(written)
        self._hurry.put(None)
        return written.wait(timeout) and self.lost == lost

    def close(self, timeout: float | None = None) -> bool:
        """Write what waits and end the thread; later lines are written by whoever gives them.

        Args:
            timeout: seconds to wait for that; None waits as long as the reader takes.

        Returns:
            Whether the thread has ended; otherwise it goes on writing.
        """
        self._put(_END)
        self._hurry.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _put(self, item: bytes | threading.Event | None) -> None:
        self._waiting.put(item)
        # After the put: either the thread's last look at the queue finds the item, or this does.
        if self._direct:
            self._drain()

    def _run(self) -> None:
        last = -math.inf
        while self._write_batch(self._waiting.get()):
            # After a write, not before: the first line of many is out when the second one comes.
            now = time.monotonic()
            if now - last < FAST:
                self._pause()
            last = now
        self._direct = True
        self._drain()

    def _pause(self) -> None:
        # Puts into the other queue wake nobody meanwhile, and who logs keeps the interpreter.
        with contextlib.suppress(queue.Empty):
            self._hurry.get(timeout=PAUSE)

    def _drain(self) -> None:
        # Limited: at exit, a daemon thread may have been stopped for good while it held the lock.
        held = self._draining.acquire(timeout=PATIENCE)
        try:
            while True:
                self._write_batch(self._waiting.get_nowait())
        except queue.Empty:
            return
        finally:
            if held:
                self._draining.release()

    def _write_batch(self, first: bytes | threading.Event | None) -> bool:
        """Write the item and all lines that wait behind it; return whether to go on."""
        lines: list[bytes] = []
        item = first
        with contextlib.suppress(queue.Empty):
            while isinstance(item, bytes):
                if item:
                    lines.append(item)
                item = self._waiting.get_nowait()
        self._write_lines(lines)
        self._report_loss()
        if isinstance(item, threading.Event):
            item.set()
        return item is not _END

    def _write_lines(self, lines: list[bytes]) -> None:
        for chunk in _chunks(lines):
            try:
                self._output(b"".join(chunk))
            except (OSError, ValueError):
                # Nobody reads. There is nowhere left to say so, and no reason to stop serving.
                self._lose(len(chunk))

    def _lose(self, lines: int) -> None:
        with self._counting:
            self.lost += lines

    def _report_loss(self) -> None:
        """Log how many lines were lost since the last time; once a minute while many wait.

        While the queue is full, each line that is written makes room for one more, and there would
        be a report of every few. One that cannot be written is tried again behind the next lines.
        """
        lost = self.lost - self._described
        if not lost:
            return
        now = time.monotonic()
        if self._waiting.empty() or now - self._described_at >= AGAIN:
            with contextlib.suppress(OSError, ValueError):
                self._output(self._describe_loss(lost))
                self._described += lost
                self._described_at = now


def _chunks(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in groups that are written at once.

    A pipe takes so many bytes whole or not at all: the lines of processes that share one, such as
    a child's, do not get into each other. A longer line is a group by itself.
    """
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line)
        if chunk and size > select.PIPE_BUF:
            yield chunk
            chunk, size = [], len(line)
        chunk.append(line)
    if chunk:
        yield chunk


def _on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
