"""Sentry for the Managed Services Platform runtime.

Errors that a service logs with their exception, and those nobody caught, become events; nothing
has to be called for that. `check_in` reports the executions of a job, in any program.
`configure_sentry` sets up the same reporting without the runtime. Importing this package does not
import the SDK.
"""

from msp_sentry._check_in import CheckIn, check_in, start_check_in
from msp_sentry._config import SentryConfig
from msp_sentry._plugin import (
    msp_asgi_middleware,
    msp_integration,
    msp_job_execution,
    msp_start_failed,
)
from msp_sentry._sentry import Sentry
from msp_sentry._standalone import configure_sentry

__all__ = [
    "CheckIn",
    "Sentry",
    "SentryConfig",
    "check_in",
    "configure_sentry",
    "msp_asgi_middleware",
    "msp_integration",
    "msp_job_execution",
    "msp_start_failed",
    "start_check_in",
]
