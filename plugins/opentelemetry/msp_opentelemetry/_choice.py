"""Choice: where traces and metrics go, decided from configuration alone."""

from __future__ import annotations

from typing import Any

import attrs

from msp_core.config import Secret
from msp_opentelemetry._config import OpenTelemetryConfig
from msp_opentelemetry._otlp_config import MetricsConfig, OTLPConfig, TracesConfig

# One export may take so long: a flush of what waits has to fit into the end of a process.
MOST_SECONDS = 3.0

_LOCAL = {"http/protobuf": "http://localhost:4318", "grpc": "http://localhost:4317"}


@attrs.frozen(kw_only=True)
class Destination:
    """A receiver of OTLP for one signal.

    Attributes:
        url: complete for HTTP; of the server for gRPC.
        protocol: `http/protobuf` or `grpc`.
        timeout: of one export, seconds.
        headers: as the variable holds them; None for none.
        gzip: whether what is sent is compressed.
        certificate: PEM file of trusted authorities; None for the system's.
        client_key: PEM file, or None.
        client_certificate: PEM file, or None.
    """

    url: str
    protocol: str = "http/protobuf"
    timeout: float = MOST_SECONDS
    headers: Secret | None = None
    gzip: bool = False
    certificate: str | None = None
    client_key: str | None = None
    client_certificate: str | None = None


@attrs.frozen(kw_only=True)
class Google:
    """Google, as the destination of one signal.

    Attributes:
        url: of the Telemetry API, complete.
        cloud_trace: base URL of the Cloud Trace API, for traces that the Telemetry API refuses.
        project: Google Cloud project that receives it.
        timeout: of one export, seconds.
    """

    url: str
    cloud_trace: str
    project: str
    timeout: float = MOST_SECONDS


@attrs.frozen(kw_only=True)
class Choice:
    """What is exported.

    Attributes:
        traces: None to send none.
        metrics: None to send none.
        console: of `traces` and `metrics`, what is printed on standard output.
        prometheus: whether `/metrics` is served.
        unsent: whether a live platform gives no destination for anything.
    """

    traces: Destination | Google | None
    metrics: Destination | Google | None
    console: frozenset[str]
    prometheus: bool
    unsent: bool


def choose(config: OpenTelemetryConfig, *, msp: bool, project: str | None) -> Choice:
    """Return where telemetry goes.

    1. A signal whose exporters are named goes to those, which are none for `none`.
    2. An OTLP endpoint, protocol or exporter that the variables name gets it, on every platform.
    3. On a live platform with a Google Cloud project, Google's Telemetry API gets it.
    4. Otherwise it is not sent.

    Metrics are served at `/metrics` unless the platform is live, or their exporter is `none`.

    Args:
        config: of the plugin.
        msp: whether the platform is live.
        project: from `GOOGLE_CLOUD_PROJECT`; sends nothing to Google by itself.
    """
    google = (config.project or project) if msp else None
    traces = _destination(config, config.traces, "traces", google)
    metrics = _destination(config, config.metrics, "metrics", google)
    named = {"traces": config.traces.exporters, "metrics": config.metrics.exporters}
    measured = named["metrics"] or ()
    return Choice(
        traces=traces,
        metrics=metrics,
        console=frozenset(signal for signal, to in named.items() if to and "console" in to),
        prometheus="prometheus" in measured or (not msp and "none" not in measured),
        unsent=msp and not all(named.values()) and traces is None and metrics is None,
    )


def _destination(
    config: OpenTelemetryConfig,
    own: TracesConfig | MetricsConfig,
    signal: str,
    google: str | None,
) -> Destination | Google | None:
    if own.exporters is not None and "otlp" not in own.exporters:
        return None
    otlp = (own.exporters, own.endpoint, own.protocol, config.otlp.endpoint, config.otlp.protocol)
    if any(otlp):
        return _otlp(config.otlp, own, signal)
    if google is None:
        return None
    base = config.google_endpoint.rstrip("/")
    cloud_trace = config.google_trace_endpoint.rstrip("/")
    return Google(url=f"{base}/v1/{signal}", cloud_trace=cloud_trace, project=google)


def _otlp(shared: OTLPConfig, own: TracesConfig | MetricsConfig, signal: str) -> Destination:
    def setting(name: str) -> Any:  # noqa: ANN401 - of the field's type
        value = getattr(own, name)
        return getattr(shared, name) if value is None else value

    protocol = setting("protocol") or "http/protobuf"
    base = (shared.endpoint or _LOCAL[protocol]).rstrip("/")
    path = f"/v1/{signal}" if protocol == "http/protobuf" else ""
    return Destination(
        url=own.endpoint or f"{base}{path}",
        protocol=protocol,
        timeout=min((setting("timeout") or MOST_SECONDS * 1000) / 1000, MOST_SECONDS),
        headers=setting("headers"),
        gzip=setting("compression") == "gzip",
        certificate=setting("certificate"),
        client_key=setting("client_key"),
        client_certificate=setting("client_certificate"),
    )
