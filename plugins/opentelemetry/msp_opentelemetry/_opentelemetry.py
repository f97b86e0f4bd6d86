"""OpenTelemetry: the providers of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from msp_core.asgi import ASGIApp

if TYPE_CHECKING:  # OpenTelemetry is imported where it is opened
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from msp_opentelemetry._spans.http import HTTPTelemetry


@attrs.frozen(kw_only=True, repr=False, eq=False)
class OpenTelemetry:
    """What `contract[OpenTelemetry]` gives.

    The API's global providers lead here while the contract is open, so that a library which knows
    only `opentelemetry.trace.get_tracer(…)` needs nothing of this class.

    Attributes:
        enabled: whether there is telemetry: not with `OTEL_SDK_DISABLED`.
        tracer_provider: makes tracers; makes spans that do nothing when not enabled.
        meter_provider: makes meters; the same.
        prometheus: whether `/metrics` is served.
    """

    enabled: bool
    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    prometheus: bool = False
    _http: HTTPTelemetry | None = attrs.field(alias="http", default=None)

    def asgi(self, app: ASGIApp) -> ASGIApp:
        """Return the ASGI application with a span and a measurement around each request.

        `HTTPServer` does so by itself.
        """
        return app if self._http is None else self._http.middleware(app)
