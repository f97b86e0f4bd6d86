"""Reporting: Sentry as it is set up in this process, from its start to its last event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import sentry_sdk
from sentry_sdk.client import BaseClient
from sentry_sdk.integrations import Integration

from msp_core.contract import Origin
from msp_core.deadline import Deadline
from msp_sentry._client import make_client
from msp_sentry._closing import close
from msp_sentry._config import SentryConfig
from msp_sentry._error_lines import ErrorLines


class Reporting:
    """Reports what is logged, and what `sentry_sdk` is given, through one client.

    Args:
        client: becomes the one that the functions of `sentry_sdk` use.
    """

    def __init__(self, client: sentry_sdk.Client) -> None:
        self.client = client
        self._lines = ErrorLines(client)
        self._before: BaseClient | None = None

    @classmethod
    def of(
        cls,
        config: SentryConfig,
        origin: Origin,
        *,
        scrub: Callable[[str], str],
        integrations: Sequence[Integration] = (),
    ) -> Reporting | None:
        """Return it, not started yet; None without a DSN."""
        if config.dsn is None:
            return None
        client = make_client(
            config.dsn, origin, config=config, scrub=scrub, integrations=integrations
        )
        return cls(client)

    def start(self) -> None:
        """Report from now on."""
        scope = sentry_sdk.get_global_scope()
        self._before = scope.client
        scope.set_client(self.client)
        logging.getLogger().addHandler(self._lines)

    def stop(self) -> None:
        """Report nothing from now on; what waits is still sent."""
        logging.getLogger().removeHandler(self._lines)
        scope = sentry_sdk.get_global_scope()
        if scope.client is self.client:
            scope.set_client(self._before)

    async def close(self, deadline: Deadline) -> None:
        """Stop, and send what waits; what is not sent by the deadline is lost."""
        self.stop()
        await close(self.client, deadline)
