"""Closing a client of the SDK: what waits is sent, or known to be lost, by a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msp_core.deadline import Deadline, close_deadline
from msp_sentry._bounded import finish, finish_plain

if TYPE_CHECKING:  # the SDK is imported where it is used
    import sentry_sdk

SHARE: Final = 0.9
"""Of the time the runtime gives, the part that is used: beyond all of it, closing has hung."""


def deadline_within(seconds: float) -> Deadline:
    """Return the deadline so many seconds from now, or earlier where the runtime gives less."""
    given = close_deadline.get()
    left = seconds if given is None else given.remaining() * SHARE
    return Deadline.after(min(left, seconds))


async def close(client: sentry_sdk.Client, deadline: Deadline) -> None:
    """Send what waits and close the client; at the deadline, warn and leave it behind."""
    transport: Any = client.transport
    if not await finish(_patiently(client, deadline), deadline):
        transport.on_dropped_event("stop")


def close_plain(client: sentry_sdk.Client, deadline: Deadline) -> None:
    """Do the same where there is no event loop."""
    transport: Any = client.transport
    if not finish_plain(_patiently(client, deadline), deadline):
        transport.on_dropped_event("stop")


def _patiently(client: sentry_sdk.Client, deadline: Deadline) -> Callable[[], None]:
    """Return a call that takes longer than allowed when something could not be sent.

    The SDK says nothing when it gives up; so it must not be the one that gives up.
    """
    seconds = deadline.remaining() + 1.0
    return lambda: client.close(seconds)
