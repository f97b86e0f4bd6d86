"""OpenTelemetry for the Managed Services Platform runtime: traces, metrics, trace ids in logs.

Declaring the plugin is enough. A service that wants its own spans and metrics uses the API of
OpenTelemetry itself; `contract[OpenTelemetry]` gives the providers for libraries that ask for
them. Importing this package does not import OpenTelemetry.
"""

from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._opentelemetry import OpenTelemetry
from msp_opentelemetry._plugin import (
    msp_asgi_middleware,
    msp_diagnostics_routes,
    msp_integration,
    msp_job_execution,
    msp_log_processor,
    msp_start_part,
)

__all__ = [
    "OpenTelemetry",
    "OpenTelemetryConfig",
    "msp_asgi_middleware",
    "msp_diagnostics_routes",
    "msp_integration",
    "msp_job_execution",
    "msp_log_processor",
    "msp_start_part",
]
