"""Calling what may be `async def` or plain, without letting it tear down the loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


async def call(function: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401 - its result
    """Await the function's result: on the loop if it is `async def`, else in a worker thread.

    The thread runs in a copy of the caller's context. A plain function may also return an
    awaitable, which is then awaited on the loop.

    Raises:
        RuntimeError: the function called `sys.exit`.
    """
    with contain_exit(getattr(function, "__qualname__", repr(function))):
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
        # Else a cancellation would end the wait, while the thread still uses what the caller is
        # about to close.
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.result()  # an error of the function counts more than the cancellation
        raise


@contextmanager
def contain_exit(name: str) -> Iterator[None]:
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
