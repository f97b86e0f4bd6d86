"""Events of errors that nobody caught before us, and that may not be logged."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.client import BaseClient
from sentry_sdk.utils import capture_internal_exceptions, event_from_exception

from msp_sentry._outgoing import reported


def report(error: BaseException, *, logger: str) -> None:
    """Report an error through the current client and scopes; never raises.

    Args:
        error: that ended something.
        logger: whose line the event would be if it was logged.
    """
    if not reported(error):
        with capture_internal_exceptions():
            event, hint = uncaught(error, sentry_sdk.get_client(), logger=logger)
            sentry_sdk.capture_event(event, hint=hint)


def uncaught(
    error: BaseException, client: BaseClient, *, logger: str
) -> tuple[Any, dict[str, Any]]:
    """Return event and hint of an error, as the SDK takes them."""
    mechanism = {"type": "msp", "handled": False}
    event, hint = event_from_exception(error, client_options=client.options, mechanism=mechanism)
    event["logger"] = logger
    return event, hint
