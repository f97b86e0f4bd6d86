"""Capture: what Python would print to stderr by itself becomes a log line, once."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import types
import warnings
from collections.abc import Callable
from typing import Any, TextIO

import attrs

uncaught = logging.getLogger("msp.uncaught")
warned = logging.getLogger("py.warnings")
loops = logging.getLogger("asyncio")


@attrs.frozen(kw_only=True, eq=False)
class Hooks:
    """The four places where Python lets a program take over its reports."""

    main: Callable[..., Any]
    thread: Callable[..., Any]
    unraisable: Callable[..., Any]
    warning: Callable[..., Any]

    @classmethod
    def current(cls) -> Hooks:
        """Return what is installed now."""
        return cls(
            main=sys.excepthook,
            thread=threading.excepthook,
            unraisable=sys.unraisablehook,
            warning=warnings.showwarning,
        )

    def install(self) -> None:
        """Make these the hooks in force."""
        sys.excepthook = self.main
        threading.excepthook = self.thread
        sys.unraisablehook = self.unraisable
        warnings.showwarning = self.warning


def capture() -> Callable[[], None]:
    """Take over the four hooks.

    The hooks found are not called: they print what the log line says already. A hook installed
    later, such as an error reporter's, calls ours and so stays first.

    Returns:
        Puts back what was found.
    """
    found = Hooks.current()
    Hooks(
        main=_log_uncaught,
        thread=_log_uncaught_in_thread,
        unraisable=_log_unraisable,
        warning=_log_warning,
    ).install()
    return found.install


def log_loop_exception(
    loop: asyncio.AbstractEventLoop,  # noqa: ARG001 - what asyncio passes
    context: dict[str, Any],
) -> None:
    """Log what an event loop reports: a task nobody waited for, a callback that raised.

    An exception handler as `loop.set_exception_handler` takes it.
    """
    exception = context.get("exception")
    if isinstance(exception, SystemExit | KeyboardInterrupt):
        return  # it has left the loop, too, and who runs the loop has logged it
    fields = {
        key: repr(value)
        for key, value in context.items()
        if key not in ("message", "exception", "source_traceback", "handle_traceback")
    }
    loops.error(
        context.get("message") or "unhandled exception in the event loop",
        exc_info=exception if isinstance(exception, BaseException) else None,
        extra={"loop": fields} if fields else None,
    )


def _log_uncaught(
    kind: type[BaseException], exception: BaseException, traceback: types.TracebackType | None
) -> None:
    uncaught.critical("uncaught exception", exc_info=(kind, exception, traceback))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:  # the documented way to end a thread
        return
    exception = args.exc_value if args.exc_value is not None else args.exc_type()
    name = args.thread.name if args.thread is not None else "unknown"
    uncaught.error(
        "uncaught exception in thread %s",
        name,
        exc_info=(args.exc_type, exception, args.exc_traceback),
        extra={"thread_name": name},
    )


def _log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    exception = unraisable.exc_value
    uncaught.error(
        "%s: %r",
        unraisable.err_msg or "exception ignored in",
        unraisable.object,
        exc_info=(unraisable.exc_type, exception, unraisable.exc_traceback)
        if exception is not None
        else None,
    )


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Log a warning as coming from the line it is about, not from the `warnings` module."""
    if file is not None:  # somebody asked for it to be printed elsewhere
        file.write(warnings.formatwarning(message, category, filename, lineno, line))
        return
    if warned.isEnabledFor(logging.WARNING):
        text = f"{category.__name__}: {message}"
        # Not as a format: a warning's text may hold percent signs.
        record = warned.makeRecord(
            warned.name, logging.WARNING, filename, lineno, "%s", (text,), None, func=""
        )
        warned.handle(record)
