"""Turnstile: lets a bounded number of visitors in at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from msp_core import env


class TurnedAwayError(Exception):
    """As many visitors as are allowed are inside; come back in a moment."""


@attrs.frozen(kw_only=True)
class TurnstileConfig:
    """What the turnstile reads; the service's config embeds it.

    Attributes:
        at_once: visits that are counted at the same time; 0 closes the turnstile. From
            `TURNSTILE_AT_ONCE`, default 100.
    """

    at_once: int = env(
        "TURNSTILE_AT_ONCE",
        default=100,
        help="visits that are counted at the same time; the others are turned away",
    )


@attrs.define
class Turnstile:
    """Turns visitors away in a rush, who would else all wait for a connection of the pool.

    Attributes:
        config: says how many are let in.
    """

    config: TurnstileConfig
    _inside: int = 0

    @contextmanager
    def pass_through(self) -> Iterator[None]:
        """Let one visitor in until the block ends.

        Raises:
            TurnedAwayError: as many as are allowed are inside.
        """
        if self._inside >= self.config.at_once:
            raise TurnedAwayError
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
