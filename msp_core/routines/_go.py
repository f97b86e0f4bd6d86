"""Go: a function that runs beside everything else, and that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from msp_core.routines._calls import call

# The loop holds tasks weakly; without this set a spawned one may vanish half done.
_spawned: set[asyncio.Task[Any]] = set()


def go(
    function: Callable[..., Any],
    *args: object,
    name: str | None = None,
) -> asyncio.Task[None]:
    """Run a function beside everything else; what it raises is logged and goes no further.

    A plain function runs in a worker thread. Nothing waits for it at stop: what must be finished
    belongs into a routine.

    Args:
        function: what to run.
        *args: what to call it with.
        name: of the task and in the log line; default the function's name.

    Returns:
        The task, to wait for or cancel.
    """
    title: str = name or str(getattr(function, "__qualname__", function))
    task = asyncio.get_running_loop().create_task(_run_isolated(title, function, args), name=title)
    _spawned.add(task)
    task.add_done_callback(_spawned.discard)
    return task


async def _run_isolated(name: str, function: Callable[..., Any], args: tuple[object, ...]) -> None:
    try:
        await call(function, *args)
    except Exception:
        logging.getLogger("msp.routine").exception("spawned %r failed", name)
