"""Exporters for a destination. Imports the SDK and the exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace.export import SpanExporter

from msp_core.errors import MSPError
from msp_opentelemetry._choice import Destination, Google
from msp_opentelemetry._export.lean_exporter import LeanSpanExporter
from msp_opentelemetry._export.trusting_session import TrustingSession
from msp_opentelemetry._pairs import parse_pairs

if TYPE_CHECKING:  # an extra
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
        OTLPMetricExporter as GRPCMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
        OTLPSpanExporter as GRPCSpanExporter,
    )


def span_exporter(destination: Destination | Google) -> SpanExporter:
    """Return what sends spans there; it does not connect yet.

    Raises:
        MSPError: the extra that the protocol needs is not installed.
    """
    if isinstance(destination, Google):
        from msp_opentelemetry._export.google_exporters import google_span_exporter  # noqa: PLC0415 - vendor library: only on Google

        return google_span_exporter(destination)
    if destination.protocol == "grpc":
        return _grpc()[0](**_grpc_options(destination))
    return LeanSpanExporter(**_http_options(destination))


def metric_exporter(destination: Destination | Google) -> MetricExporter:
    """Return what sends metrics there; else like `span_exporter`."""
    if isinstance(destination, Google):
        from msp_opentelemetry._export.google_exporters import google_metric_exporter  # noqa: PLC0415 - vendor library: only on Google

        return google_metric_exporter(destination)
    if destination.protocol == "grpc":
        return _grpc()[1](**_grpc_options(destination))
    return OTLPMetricExporter(**_http_options(destination))


def _http_options(destination: Destination) -> dict[str, Any]:
    return {
        "endpoint": destination.url,
        "timeout": destination.timeout,
        "headers": _headers(destination),
        "compression": Compression.Gzip if destination.gzip else Compression.NoCompression,
        "certificate_file": destination.certificate,
        "client_key_file": destination.client_key,
        "client_certificate_file": destination.client_certificate,
        "session": TrustingSession() if destination.certificate else None,
    }


def _grpc_options(destination: Destination) -> dict[str, Any]:
    import grpc  # noqa: PLC0415 - vendor library: an extra

    insecure = not destination.url.startswith("https://")
    credentials = None
    if not insecure:
        files = (destination.certificate, destination.client_key, destination.client_certificate)
        credentials = grpc.ssl_channel_credentials(*map(_content, files))
    return {
        "endpoint": destination.url,
        "insecure": insecure,
        "credentials": credentials,
        "timeout": destination.timeout,
        "headers": tuple(_headers(destination).items()),
        "compression": grpc.Compression.Gzip
        if destination.gzip
        else grpc.Compression.NoCompression,
    }


def _headers(destination: Destination) -> dict[str, str]:
    given = "" if destination.headers is None else destination.headers.reveal()
    return {name.lower(): value for name, value in parse_pairs(given).items()}


def _content(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:  # noqa: PTH123 - read once, at the start
        return file.read()


def _grpc() -> tuple[type[GRPCSpanExporter], type[GRPCMetricExporter]]:
    try:
        from opentelemetry.exporter.otlp.proto.grpc import (  # noqa: PLC0415 - vendor library: an extra
            metric_exporter,
            trace_exporter,
        )
    except ModuleNotFoundError:
        raise MSPError(
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs another distribution: "
            "pip install 'msp-opentelemetry[grpc]', or use http/protobuf"
        ) from None
    return trace_exporter.OTLPSpanExporter, metric_exporter.OTLPMetricExporter
