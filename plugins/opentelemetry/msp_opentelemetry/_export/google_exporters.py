"""Exporters to Google. Imports the SDK, the exporters of OTLP and google-auth."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import requests
from google.auth.exceptions import GoogleAuthError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from msp_opentelemetry._choice import Google
from msp_opentelemetry._export.cloud_trace import batch_write
from msp_opentelemetry._export.google import GoogleSession
from msp_opentelemetry._export.google_refusal import Refusal
from msp_opentelemetry._export.lean_exporter import LeanSpanExporter

logger = logging.getLogger("msp.opentelemetry")

# Below the SDK's own logger, so that one outage is one warning, whoever it is that sends.
_sdk_logger = logging.getLogger("opentelemetry.exporter.cloud_trace")

_FORBIDDEN = 403
_TELEMETRY, _CLOUD_TRACE = "telemetry.googleapis.com", "cloudtrace.googleapis.com"
_WRITES_TRACES, _WRITES_METRICS = "roles/cloudtrace.agent", "roles/monitoring.metricWriter"


def google_metric_exporter(google: Google) -> MetricExporter:
    """Return what sends metrics to the Telemetry API, and says why they are refused."""
    refused = ToldRefusals("metrics are refused by Google: %s", _WRITES_METRICS, _TELEMETRY)
    return OTLPMetricExporter(
        google.url,
        timeout=google.timeout,
        compression=Compression.Gzip,
        session=GoogleSession(google.project, refused),
    )


def google_span_exporter(google: Google) -> SpanExporter:
    """Return what sends spans to the Telemetry API, else to the Cloud Trace API."""
    return GoogleSpanExporter(google)


class ToldRefusals:
    """Logs why requests are refused, each reason once.

    Args:
        text: of the line, with a place for what to do.
        role: that allows the requests.
        api: that is asked.
    """

    def __init__(self, text: str, role: str, api: str) -> None:
        self._text, self._role, self._api = text, role, api
        self._advised: set[str] = set()

    def __call__(self, refusal: Refusal) -> None:
        """Tell."""
        advice = refusal.advice(role=self._role, api=self._api)
        if advice not in self._advised:
            self._advised.add(advice)
            logger.warning(self._text, advice)

    def __bool__(self) -> bool:
        """Return whether anything was refused so far."""
        return bool(self._advised)


class GoogleSpanExporter(SpanExporter):
    """Sends spans to the Telemetry API, and to the Cloud Trace API once that has refused them.

    A project has its own list of APIs that are enabled, and the role of a workload allows both.
    """

    def __init__(self, google: Google) -> None:
        text = "traces go to the Cloud Trace API, as the Telemetry API refuses them: %s"
        self._refused = ToldRefusals(text, _WRITES_TRACES, _TELEMETRY)
        self._otlp = LeanSpanExporter(
            google.url,
            timeout=google.timeout,
            compression=Compression.Gzip,
            session=GoogleSession(google.project, self._refused),
        )
        self._cloud_trace = CloudTraceExporter(google)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans; those that one API refused go to the other at once."""
        if not self._refused:
            result = self._otlp.export(spans)
            if not self._refused:
                return result
        return self._cloud_trace.export(spans)

    def shutdown(self) -> None:
        """Shut both down."""
        self._otlp.shutdown()  # type: ignore[no-untyped-call]  # untyped there
        self._cloud_trace.shutdown()


class CloudTraceExporter(SpanExporter):
    """Sends spans to the Cloud Trace API; a batch that does not arrive is lost."""

    def __init__(self, google: Google) -> None:
        refused = ToldRefusals("traces are refused by Google: %s", _WRITES_TRACES, _CLOUD_TRACE)
        self._google = google
        self._session = GoogleSession(google.project, refused)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans."""
        project, timeout = self._google.project, self._google.timeout
        url = f"{self._google.cloud_trace}/v2/projects/{project}/traces:batchWrite"
        try:
            answer = self._session.request(
                "POST", url, json=batch_write(spans, project), timeout=timeout
            )
        except (requests.RequestException, GoogleAuthError) as error:
            _sdk_logger.error("Failed to export spans: %s", error)  # noqa: TRY400 - one line, as the SDK's
            return SpanExportResult.FAILURE
        if answer.ok:
            return SpanExportResult.SUCCESS
        if answer.status_code != _FORBIDDEN:  # else `refused` was called
            _sdk_logger.error("Failed to export spans batch code: %s", answer.status_code)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close the connections."""
        self._session.close()  # type: ignore[no-untyped-call, unused-ignore]  # untyped there
