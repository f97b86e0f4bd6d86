"""Sentry: what a service gets from its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the SDK is imported where Sentry is opened
    from sentry_sdk.client import BaseClient


class Sentry:
    """Sentry as the runtime has set it up.

    Errors that are logged with their exception are reported without it. For anything more, use
    `sentry_sdk` as its documentation says: all of its functions use this client.

    Args:
        client: the SDK's; one that does nothing when the DSN is empty or malformed.
        tracing: whether Sentry traces requests.

    Attributes:
        enabled: whether anything is reported: False when the DSN is empty or malformed.
        tracing: whether Sentry traces requests.
    """

    def __init__(self, client: BaseClient, *, tracing: bool) -> None:
        self.enabled = client.is_active()
        self.tracing = tracing and self.enabled
        self._client = client

    def client(self) -> BaseClient:
        """Return the SDK's own client."""
        return self._client
