"""Makes the SDK's client and its transport, with every option that matters said here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sentry_sdk
from sentry_sdk.integrations import Integration
from sentry_sdk.transport import HttpTransport

from msp_core.authoring import tracer
from msp_core.config import Secret
from msp_core.contract import Origin
from msp_sentry._config import SentryConfig
from msp_sentry._outgoing import Outgoing

logger = logging.getLogger("msp.sentry")

_sending = threading.local()

# Events that may wait for being sent; as many as Go services keep.
QUEUE = 512

# Seconds for sending what waits when the process ends, where nobody gives less.
FLUSH = 5.0


def make_client(
    dsn: Secret,
    origin: Origin,
    *,
    config: SentryConfig,
    scrub: Callable[[str], str],
    integrations: Sequence[Integration] = (),
) -> sentry_sdk.Client:
    """Return a client that reports errors and, when asked to, transactions."""
    outgoing = Outgoing(origin=origin, scrub=scrub)
    options = _common_options(dsn, origin)
    if config.traces_sample_rate:
        options["traces_sampler"] = _Sampler(config.traces_sample_rate)
    return sentry_sdk.Client(
        **options,
        integrations=list(integrations),
        sample_rate=config.sample_rate,
        before_send=outgoing.error,
        before_send_transaction=outgoing.transaction,
        max_breadcrumbs=50,
        # Values of variables are customers' data as often as not.
        include_local_variables=False,
        max_request_body_size="never",
    )


def make_check_in_client(dsn: Secret, origin: Origin) -> sentry_sdk.Client:
    """Return a client for check-ins alone: no sample rate may drop one of them."""
    return sentry_sdk.Client(**_common_options(dsn, origin))


def _common_options(dsn: Secret, origin: Origin) -> dict[str, Any]:
    return {
        "dsn": dsn.reveal(),
        "release": origin.version,
        "environment": origin.environment_id,
        "server_name": origin.instance_id,
        "transport": Transport,
        "transport_queue_size": QUEUE,
        "shutdown_timeout": FLUSH,
        # Enabling what is installed imports all of it, which takes most of a second; and the
        # default ones patch http.client and threading, and report what is logged a second time.
        "default_integrations": False,
        "auto_enabling_integrations": False,
        "auto_session_tracking": False,
        # Every receiver understands it, whatever is installed here.
        "_experiments": {"transport_compression_algo": "gzip"},
    }


class _Sampler:
    """Decides which requests Sentry traces.

    Args:
        rate: of those whose caller has not decided.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def __call__(self, context: Mapping[str, Any]) -> float:
        """Return the probability for one request; 0 where OpenTelemetry traces."""
        if tracer("msp.sentry"):
            return 0.0
        decided = context.get("parent_sampled")
        return self._rate if decided is None else float(decided)


class Transport(HttpTransport):
    """The SDK's transport, whose queue is bounded and which drops what does not fit in.

    It tells nobody; this one logs one warning per process. urllib3 would log one for each time it
    connects again, three for each event: those are dropped.
    """

    # Seconds for connecting and for the answer. The SDK's 30 would let one request that hangs
    # cost all events of half a minute.
    TIMEOUT = 5

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._warning = threading.Lock()  # never released: whoever gets it warns
        self.dropped = 0
        logging.getLogger("urllib3.connectionpool").addFilter(_is_of_others)

    def on_dropped_event(self, reason: str) -> None:
        """Note that an envelope was not delivered; called by the SDK from any thread."""
        self.dropped += 1
        if self._warning.acquire(blocking=False):
            logger.warning(
                "Sentry cannot be reached: events or check-ins are lost; said only once",
                extra={"reason": reason},
            )

    def _send_request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - the SDK's signature
        _sending.on = True
        try:
            super()._send_request(*args, **options)
        finally:
            _sending.on = False


def _is_of_others(_: logging.LogRecord) -> bool:
    """Return whether a line is logged by a thread that is not sending an event right now."""
    return not getattr(_sending, "on", False)
