"""ExitCode: what the process leaves with, by what went wrong. Nothing else decides it."""

from __future__ import annotations

from msp_core.errors import MSPError, RoutineError


def exit_code(*errors: BaseException) -> int:
    """Return the highest code among those of the errors; 0 when there are none.

    An `MSPError` says its own; anything else is 1. What stands for other errors, a group or a
    `RoutineError`, has the highest code among theirs, and is a failure whatever they are.
    """
    return max(map(_code, errors), default=0)


def _code(error: BaseException) -> int:
    own = error.exit_code if isinstance(error, MSPError) else 1
    return max(own, exit_code(*_parts(error)))


def _parts(error: BaseException) -> tuple[BaseException, ...]:
    """Return the errors that this one stands for."""
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions
    if isinstance(error, RoutineError):
        return error.errors or ((error.__cause__,) if error.__cause__ is not None else ())
    return ()
