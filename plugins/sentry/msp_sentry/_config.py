"""SentryConfig: where errors are reported, and how many of them."""

from __future__ import annotations

import attrs

from msp_core.config import Secret, env
from msp_core.errors import InvalidValue


def _rate(value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidValue("a number from 0 to 1")


@attrs.frozen(kw_only=True)
class SentryConfig:
    """What the platform says about Sentry.

    Attributes:
        dsn: address and key of a Sentry project. One that is malformed does not keep a program
            from starting: it is logged, and nothing is reported. From `SENTRY_DSN`.
        sample_rate: share of the errors that is reported, 0 to 1. From `SENTRY_SAMPLE_RATE`,
            default 1.
        traces_sample_rate: share of the requests that Sentry traces, 0 to 1; nothing is traced
            while OpenTelemetry's SDK is there. From `SENTRY_TRACES_SAMPLE_RATE`, default 0.
    """

    dsn: Secret = env("SENTRY_DSN", help="DSN of the Sentry project that errors are reported to")
    sample_rate: float = env(
        "SENTRY_SAMPLE_RATE",
        default=1.0,
        help="share of the errors that is reported, 0 to 1",
        validator=_rate,
    )
    traces_sample_rate: float = env(
        "SENTRY_TRACES_SAMPLE_RATE",
        default=0.0,
        help="share of the requests that Sentry traces, 0 to 1; none while OpenTelemetry does",
        validator=_rate,
    )
