"""Lenient: how variables of telemetry are read, which never keep a service from starting."""

from __future__ import annotations

from functools import partial

from msp_core.config import env
from msp_core.errors import InvalidValue

# As the specification has it: set to nothing is unset, and what is unknown is a warning.
lenient = partial(env, empty_is_unset=True, invalid_is_unset=True)


def above_zero(value: int) -> None:
    """Accept a number above 0.

    Raises:
        InvalidValue: it is not.
    """
    if value <= 0:
        raise InvalidValue("a number above 0")
