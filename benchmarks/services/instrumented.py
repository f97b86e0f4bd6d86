"""Starlette's hello with the instrumentation packages of OpenTelemetry and Sentry, JSON logs."""

from opentelemetry.instrumentation.starlette import StarletteInstrumentor

from benchmarks.services.bare_logged import serve
from benchmarks.services.starlette_hello import starlette_app
from benchmarks.services.telemetry_by_hand import set_up_telemetry

if __name__ == "__main__":
    set_up_telemetry("hello")
    app = starlette_app()
    StarletteInstrumentor.instrument_app(app)
    serve(app)
