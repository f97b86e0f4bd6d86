"""Makes the SDK's client, with every option that matters said here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sentry_sdk
from sentry_sdk.integrations import Integration

from msp_core.authoring import tracer
from msp_core.config import Secret
from msp_core.contract import Origin
from msp_sentry._config import SentryConfig
from msp_sentry._outgoing import Outgoing
from msp_sentry._transport import Transport

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
    options = _common(dsn, origin)
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
    return sentry_sdk.Client(**_common(dsn, origin))


def _common(dsn: Secret, origin: Origin) -> dict[str, Any]:
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
