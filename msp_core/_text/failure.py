"""Failure: how an error that ends something is logged, and what of it a line shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from msp_core.errors import MSPError, RoutineError, StopTimeoutError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def describe(error: BaseException) -> str:
    """Return the error's text, or its class where it has none."""
    return str(error) or type(error).__name__


def log_failure(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log a failure, which error reporters make an event of; each of several on a line of its own.

    Args:
        logger: of the line.
        what: failed, before the colon.
        error: that did it.
    """
    for each in _split(error):
        text = f"{what}: {describe(each)}"
        logger.error("%s", text, exc_info=exception_of(each), extra=_fields(each))


def exception_of(error: BaseException) -> ExcInfo:
    """Return what a line is given as `exc_info`; an error of ours without its traceback.

    Its text says all there is, and handlers that report errors get the whole of it.
    """
    return type(error), error, None if isinstance(error, MSPError) else error.__traceback__


def visible_part(given: ExcInfo) -> ExcInfo:
    """Return what the line shows of an exception that it was given.

    Of an error of ours that has no traceback that is its cause; nothing where it has none.
    """
    _, error, traceback = given
    if traceback is not None or not isinstance(error, MSPError):
        return given
    cause = error.__cause__
    return (None, None, None) if cause is None else (type(cause), cause, cause.__traceback__)


def _split(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, RoutineError) and error.errors:
        for member in error.errors:
            yield from _split(member)
    else:
        yield error


def _fields(error: BaseException) -> dict[str, Any]:
    if isinstance(error, StopTimeoutError) and error.stack:
        return {"routine": error.routine, "stack": error.stack}
    return {}
