"""Calling what may be `async def` or plain, and spawning what nobody waits for."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_spawned: set[asyncio.Task[Any]] = set()
"""The loop holds tasks weakly; without this set a spawned one may vanish half done."""


async def call(function: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401 - its result
    """Await the function's result: on the loop if it is `async def`, else in a worker thread.

    The thread runs in a copy of the caller's context. A plain function may also return an
    awaitable, which is then awaited on the loop.

    Raises:
        RuntimeError: the function called `sys.exit`.
    """
    with contained(getattr(function, "__qualname__", repr(function))):
        if is_async(function):
            return await function(*args)
        result = await asyncio.to_thread(function, *args)
        return await result if inspect.isawaitable(result) else result


async def in_thread(function: Callable[..., Any], **arguments: object) -> Any:  # noqa: ANN401 - its result
    """Run a plain function in a worker thread; who waits is not let go before it is over.

    A thread cannot be cancelled: a caller that is goes on waiting, and is cancelled afterwards.
    """
    inside = functools.partial(contextvars.copy_context().run, function, **arguments)
    work = asyncio.get_running_loop().run_in_executor(None, inside)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.result()
        raise


@contextmanager
def contained(name: str) -> Iterator[None]:
    """Turn a call of `sys.exit`, or a `KeyboardInterrupt`, into an error.

    Either would tear down the event loop, and what is to be stopped with it.

    Raises:
        RuntimeError: what ran inside raised one of them.
    """
    try:
        yield
    except SystemExit as error:
        raise RuntimeError(f"{name} called sys.exit: raise an exception instead") from error
    except KeyboardInterrupt as error:
        raise RuntimeError(f"{name} was ended by KeyboardInterrupt") from error


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether calling the function gives a coroutine, seen through partials and objects."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - asks about the method, not callability
    )


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
    task = asyncio.get_running_loop().create_task(_isolated(title, function, args), name=title)
    _spawned.add(task)
    task.add_done_callback(_spawned.discard)
    return task


async def _isolated(name: str, function: Callable[..., Any], args: tuple[object, ...]) -> None:
    try:
        await call(function, *args)
    except Exception:
        logging.getLogger("msp.routine").exception("spawned %r failed", name)
