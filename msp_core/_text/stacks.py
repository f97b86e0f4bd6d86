"""Stacks of tasks and threads, for saying where something hangs."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from types import FrameType
from typing import Any


def task_stack(task: asyncio.Task[Any]) -> str:
    """Return where the task waits, outermost call first.

    `Task.get_stack` knows the outermost coroutine only; the line that hangs is at the other end
    of the chain of awaits.
    """
    lines: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            lines += traceback.format_stack(frame, limit=1)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return "".join(lines).rstrip()


def thread_stacks(*, without: frozenset[int] = frozenset()) -> str:
    """Return the stack of every thread, each under the thread's name.

    Args:
        without: identifiers of threads to leave out.
    """
    frames = sys._current_frames()  # noqa: SLF001 - the documented way, underscore and all
    return "\n".join(
        _thread_stack(thread, frames[thread.ident])
        for thread in threading.enumerate()
        if thread.ident in frames and thread.ident not in without
    )


def _thread_stack(thread: threading.Thread, frame: FrameType) -> str:
    return f"thread {thread.name}:\n{''.join(traceback.format_stack(frame)).rstrip()}"
