"""SentryConfig: where errors are reported, and how many of them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs

from msp_core.config import Secret, env
from msp_core.errors import InvalidValue

FORM: Final = "https://key@host/project, the project a number"


def check_dsn(dsn: Secret) -> None:
    """Accept what the SDK accepts.

    Importing the SDK takes most of a second, which programs without a DSN do not spend.

    Raises:
        InvalidValue: it is no DSN; the text holds no part of it.
    """
    try:
        parts = urlsplit(dsn.reveal())
        int(parts.path.rpartition("/")[2])
        parts.port  # noqa: B018 - raises, too
    except ValueError:  # its text holds parts of the DSN
        raise InvalidValue(FORM) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.username:
        raise InvalidValue(FORM)


def _rate(value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidValue("a number from 0 to 1")


@attrs.frozen(kw_only=True, eq=False)
class SentryConfig:
    """What the platform says about Sentry.

    Nothing of it keeps a program from starting: a value that will not do is a warning.

    Attributes:
        dsn: address and key of a Sentry project; None, and nothing is reported, when it is empty
            or malformed. From `SENTRY_DSN`.
        sample_rate: share of the errors that is reported, 0 to 1. From `SENTRY_SAMPLE_RATE`,
            default 1.
        traces_sample_rate: share of the requests that Sentry traces, 0 to 1; nothing is traced
            while OpenTelemetry traces. From `SENTRY_TRACES_SAMPLE_RATE`, default 0.
    """

    dsn: Secret | None = env(
        "SENTRY_DSN",
        default=None,
        required=True,
        help="DSN of the Sentry project that errors are reported to",
        validator=check_dsn,
        invalid_is_unset=True,
    )
    sample_rate: float = env(
        "SENTRY_SAMPLE_RATE",
        default=1.0,
        help="share of the errors that is reported, 0 to 1",
        validator=_rate,
        invalid_is_unset=True,
    )
    traces_sample_rate: float = env(
        "SENTRY_TRACES_SAMPLE_RATE",
        default=0.0,
        help="share of the requests that Sentry traces, 0 to 1; none while OpenTelemetry does",
        validator=_rate,
        invalid_is_unset=True,
    )
