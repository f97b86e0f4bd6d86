"""OTLP settings: the variables of the specification, for both signals and for each of them."""

from __future__ import annotations

from typing import Literal

import attrs

from msp_core.config import URL, Secret
from msp_opentelemetry._lenient import above_zero, lenient

Protocol = Literal["http/protobuf", "grpc"]
Compression = Literal["none", "gzip"]
TracesExporter = Literal["otlp", "console", "none"]
MetricsExporter = Literal["otlp", "console", "prometheus", "none"]


@attrs.frozen(kw_only=True, eq=False)
class OTLPConfig:
    """Where and how telemetry is sent by OTLP; None where no variable is set.

    Attributes:
        endpoint: base URL; `/v1/traces` and `/v1/metrics` are added to it for HTTP. From
            `OTEL_EXPORTER_OTLP_ENDPOINT`.
        protocol: from `OTEL_EXPORTER_OTLP_PROTOCOL`.
        headers: `name=value` pairs separated by commas, values percent-encoded. From
            `OTEL_EXPORTER_OTLP_HEADERS`.
        timeout: of one export, milliseconds; above 3000 it counts as 3000. From
            `OTEL_EXPORTER_OTLP_TIMEOUT`.
        compression: from `OTEL_EXPORTER_OTLP_COMPRESSION`.
        certificate: PEM file of trusted authorities. From `OTEL_EXPORTER_OTLP_CERTIFICATE`.
        client_key: PEM file. From `OTEL_EXPORTER_OTLP_CLIENT_KEY`.
        client_certificate: PEM file. From `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`.
    """

    endpoint: URL | None = lenient(
        "OTEL_EXPORTER_OTLP_ENDPOINT", default=None, help="base URL telemetry is sent to by OTLP"
    )
    protocol: Protocol | None = lenient(
        "OTEL_EXPORTER_OTLP_PROTOCOL", default=None, help="of OTLP; default http/protobuf"
    )
    headers: Secret | None = lenient(
        "OTEL_EXPORTER_OTLP_HEADERS", default=None, help="sent with OTLP: name=value,..."
    )
    timeout: int | None = lenient(
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        default=None,
        help="of one export, in milliseconds; default and most 3000",
        validator=above_zero,
    )
    compression: Compression | None = lenient(
        "OTEL_EXPORTER_OTLP_COMPRESSION", default=None, help="of what is sent; default none"
    )
    certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_CERTIFICATE", default=None, help="PEM file of trusted authorities"
    )
    client_key: str | None = lenient(
        "OTEL_EXPORTER_OTLP_CLIENT_KEY", default=None, help="PEM file of the client's key"
    )
    client_certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        default=None,
        help="PEM file of the client's certificate",
    )


@attrs.frozen(kw_only=True, eq=False)
class TracesConfig:
    """The same for traces alone, and winning over `OTLPConfig`; see there.

    Attributes:
        exporters: what gets them instead of what would by itself; `none` switches traces off.
            From `OTEL_TRACES_EXPORTER`.
        endpoint: complete URL, used as it is. From `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    """

    exporters: tuple[TracesExporter, ...] | None = lenient(
        "OTEL_TRACES_EXPORTER",
        default=None,
        help="of otlp and console, or none to switch traces off",
    )
    endpoint: URL | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", default=None, help="URL traces are sent to by OTLP"
    )
    protocol: Protocol | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        default=None,
        help="of OTLP, for traces alone",
    )
    headers: Secret | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        default=None,
        help="sent with OTLP, for traces alone",
    )
    timeout: int | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        default=None,
        help="of one export, for traces alone",
        validator=above_zero,
    )
    compression: Compression | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
        default=None,
        help="of what is sent, for traces alone",
    )
    certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
        default=None,
        help="PEM file of trusted authorities, for traces alone",
    )
    client_key: str | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        default=None,
        help="PEM file of the client's key, for traces alone",
    )
    client_certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        default=None,
        help="PEM file of the client's certificate, for traces alone",
    )


@attrs.frozen(kw_only=True, eq=False)
class MetricsConfig:
    """The same for metrics alone, and winning over `OTLPConfig`; see there.

    Attributes:
        exporters: what gets them instead of what would by itself; `none` switches metrics off,
            `/metrics` included; `prometheus` serves that on a live platform too. From
            `OTEL_METRICS_EXPORTER`.
        interval: between two pushes, milliseconds. From `OTEL_METRIC_EXPORT_INTERVAL`; None for
            30000, and 1000 on a laptop.
        endpoint: complete URL, used as it is. From `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`.
    """

    exporters: tuple[MetricsExporter, ...] | None = lenient(
        "OTEL_METRICS_EXPORTER",
        default=None,
        help="of otlp, console and prometheus, or none to switch metrics off",
    )
    interval: int | None = lenient(
        "OTEL_METRIC_EXPORT_INTERVAL",
        default=None,
        help="between two pushes of metrics, in milliseconds; default 30000, and 1000 on a laptop",
        validator=above_zero,
    )
    endpoint: URL | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", default=None, help="URL metrics are sent to by OTLP"
    )
    protocol: Protocol | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        default=None,
        help="of OTLP, for metrics alone",
    )
    headers: Secret | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        default=None,
        help="sent with OTLP, for metrics alone",
    )
    timeout: int | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
        default=None,
        help="of one export, for metrics alone",
        validator=above_zero,
    )
    compression: Compression | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
        default=None,
        help="of what is sent, for metrics alone",
    )
    certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
        default=None,
        help="PEM file of trusted authorities, for metrics alone",
    )
    client_key: str | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
        default=None,
        help="PEM file of the client's key, for metrics alone",
    )
    client_certificate: str | None = lenient(
        "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
        default=None,
        help="PEM file of the client's certificate, for metrics alone",
    )
