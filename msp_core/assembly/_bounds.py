"""Bounds: validators of numbers and durations that more than one config class needs."""

from __future__ import annotations

from msp_core.errors import InvalidValue


def check_not_negative(value: float) -> None:
    """Refuse what is below 0.

    Raises:
        InvalidValue: it is.
    """
    if value < 0:
        raise InvalidValue("0 or more")


def check_positive(value: float) -> None:
    """Refuse 0 and what is below.

    Raises:
        InvalidValue: it is.
    """
    if value <= 0:
        raise InvalidValue("more than 0")
