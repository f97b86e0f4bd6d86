"""Closing a client of the SDK: what waits is sent, or known to be lost, by a deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msp_core.authoring import bounded, bounded_sync
from msp_core.deadline import Deadline

if TYPE_CHECKING:  # the SDK is imported where it is used
    import sentry_sdk

logger = logging.getLogger("msp.sentry")

_THREAD: Final = "msp-sentry"


async def close(client: sentry_sdk.Client, deadline: Deadline) -> None:
    """Send what waits and close the client; at the deadline, warn and leave it behind."""
    # The SDK promises to keep its timeouts, and waits for a lock before it starts to count.
    with _log_trouble(client):
        await bounded(_make_close(client, deadline), name=_THREAD, seconds=deadline.remaining())


def close_plain(client: sentry_sdk.Client, deadline: Deadline) -> None:
    """Do the same where there is no event loop."""
    with _log_trouble(client):
        bounded_sync(_make_close(client, deadline), name=_THREAD, seconds=deadline.remaining())


@contextmanager
def _log_trouble(client: sentry_sdk.Client) -> Iterator[None]:
    """Log what kept the client from closing; raise nothing."""
    try:
        yield
    except TimeoutError:
        transport: Any = client.transport
        transport.on_dropped_event("stop")
    except Exception as error:  # noqa: BLE001 - the SDK's own; it must not matter
        logger.warning("Sentry's SDK failed", extra={"error": type(error).__name__})


def _make_close(client: sentry_sdk.Client, deadline: Deadline) -> Callable[[], None]:
    """Return a call that takes longer than allowed when something could not be sent.

    The SDK says nothing when it gives up; so it must not be the one that gives up.
    """
    seconds = deadline.remaining() + 1.0
    return lambda: client.close(seconds)
