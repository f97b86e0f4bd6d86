"""OpenTelemetryConfig: what the environment says about telemetry."""

from __future__ import annotations

from typing import Literal

import attrs

from msp_core.config import URL
from msp_core.errors import InvalidValue
from msp_opentelemetry._lenient import lenient
from msp_opentelemetry._otlp_config import MetricsConfig, OTLPConfig, TracesConfig
from msp_opentelemetry._pairs import parse_pairs
from msp_opentelemetry._span_queue_config import SpanQueueConfig

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


def _pairs(value: str) -> None:
    try:
        parse_pairs(value)
    except ValueError:
        raise InvalidValue("name=value pairs separated by commas, percent-encoded") from None


def _ratio(value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidValue("a ratio from 0 to 1")


@attrs.frozen(kw_only=True, eq=False)
class OpenTelemetryConfig:
    """All optional: telemetry is on when the plugin is declared.

    Attributes:
        disabled: whether there is no telemetry at all. From `OTEL_SDK_DISABLED`, default false.
        project: Google Cloud project that receives telemetry on a live platform. From
            `OTEL_GCP_PROJECT_ID`; None for that of `GOOGLE_CLOUD_PROJECT`.
        google_endpoint: base URL of Google's Telemetry API. From `OTEL_GCP_ENDPOINT`.
        google_trace_endpoint: base URL of the Cloud Trace API, which gets the traces that the
            Telemetry API refuses. From `OTEL_GCP_TRACE_ENDPOINT`.
        service_name: from `OTEL_SERVICE_NAME`; None for the service's own.
        resource_attributes: win over those the runtime knows. From `OTEL_RESOURCE_ATTRIBUTES`.
        sampler: from `OTEL_TRACES_SAMPLER`, default `parentbased_always_on`.
        ratio: of the samplers with a ratio, 0 to 1. From `OTEL_TRACES_SAMPLER_ARG`, default 1.
        span_queue: spans that wait to be sent.
        otlp: for both signals.
        traces: for traces alone.
        metrics: for metrics alone.
    """

    disabled: bool = lenient("OTEL_SDK_DISABLED", default=False, help="switches all telemetry off")
    project: str | None = lenient(
        "OTEL_GCP_PROJECT_ID",
        default=None,
        help="Google Cloud project that gets telemetry when MSP=true; default GOOGLE_CLOUD_PROJECT",
    )
    google_endpoint: URL = lenient(
        "OTEL_GCP_ENDPOINT",
        default="https://telemetry.googleapis.com",
        help="base URL of Google's Telemetry API",
    )
    google_trace_endpoint: URL = lenient(
        "OTEL_GCP_TRACE_ENDPOINT",
        default="https://cloudtrace.googleapis.com",
        help="base URL of the Cloud Trace API, for traces that the Telemetry API refuses",
    )
    service_name: str | None = lenient(
        "OTEL_SERVICE_NAME", default=None, help="name in telemetry; default the service's own"
    )
    resource_attributes: str | None = lenient(
        "OTEL_RESOURCE_ATTRIBUTES",
        default=None,
        help="attributes of everything that is sent: name=value,...",
        validator=_pairs,
    )
    sampler: Sampler = lenient(
        "OTEL_TRACES_SAMPLER", default="parentbased_always_on", help="decides which traces are kept"
    )
    ratio: float = lenient(
        "OTEL_TRACES_SAMPLER_ARG",
        default=1.0,
        help="of traces that a sampler with a ratio keeps",
        validator=_ratio,
    )
    span_queue: SpanQueueConfig
    otlp: OTLPConfig
    traces: TracesConfig
    metrics: MetricsConfig
