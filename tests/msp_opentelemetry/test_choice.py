"""Where telemetry goes: the whole table."""

from __future__ import annotations

import pytest

from msp_core.config import load
from msp_opentelemetry import OpenTelemetryConfig
from msp_opentelemetry._choice import Choice, Destination, Google, choose

GOOGLE = "https://telemetry.googleapis.com"
BASE = "http://collector:4318"
NOWHERE = (None, None)


def decide(environ: dict[str, str], *, msp: bool, project: str | None) -> Choice:
    """Return the choice for these variables."""
    return choose(load(OpenTelemetryConfig, environ), msp=msp, project=project)


@pytest.mark.parametrize(
    ("environ", "msp", "project", "urls"),
    [
        pytest.param({}, False, None, NOWHERE, id="laptop"),
        pytest.param({}, False, "p", NOWHERE, id="laptop of somebody with a project"),
        pytest.param({"OTEL_GCP_PROJECT_ID": "p"}, False, "q", NOWHERE, id="and with another"),
        pytest.param({}, True, None, NOWHERE, id="platform without project"),
        pytest.param({}, True, "p", (f"{GOOGLE}/v1/traces", f"{GOOGLE}/v1/metrics"), id="platform"),
        pytest.param(
            {"OTEL_GCP_PROJECT_ID": "p"},
            True,
            None,
            (f"{GOOGLE}/v1/traces", f"{GOOGLE}/v1/metrics"),
            id="project of telemetry alone",
        ),
        pytest.param(
            {"OTEL_GCP_ENDPOINT": "https://eu.example/"},
            True,
            "p",
            ("https://eu.example/v1/traces", "https://eu.example/v1/metrics"),
            id="another endpoint of Google",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{BASE}/"},
            True,
            "p",
            (f"{BASE}/v1/traces", f"{BASE}/v1/metrics"),
            id="OTLP wins on the platform",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": BASE},
            False,
            None,
            (f"{BASE}/v1/traces", f"{BASE}/v1/metrics"),
            id="OTLP on a laptop",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x"},
            True,
            "p",
            ("http://t:1/x", f"{GOOGLE}/v1/metrics"),
            id="OTLP for traces alone",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1/x"},
            False,
            None,
            (None, "http://m:1/x"),
            id="OTLP for metrics alone",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            False,
            None,
            ("http://localhost:4317", "http://localhost:4317"),
            id="gRPC asked for",
        ),
        pytest.param(
            {"OTEL_TRACES_EXPORTER": "otlp"},
            False,
            None,
            ("http://localhost:4318/v1/traces", None),
            id="OTLP asked for",
        ),
        pytest.param(
            {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": BASE},
            False,
            None,
            (None, f"{BASE}/v1/metrics"),
            id="no traces",
        ),
        pytest.param(
            {"OTEL_METRICS_EXPORTER": "none"},
            True,
            "p",
            (f"{GOOGLE}/v1/traces", None),
            id="no metrics",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_TIMEOUT": "500", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"},
            True,
            "p",
            (f"{GOOGLE}/v1/traces", f"{GOOGLE}/v1/metrics"),
            id="a setting of OTLP names no receiver",
        ),
    ],
)
def test_destinations(
    environ: dict[str, str], *, msp: bool, project: str | None, urls: tuple[str | None, str | None]
) -> None:
    """Google gets telemetry of a live platform only, and of nobody who named a receiver."""
    choice = decide(environ, msp=msp, project=project)

    assert tuple(to and to.url for to in (choice.traces, choice.metrics)) == urls


@pytest.mark.parametrize(
    ("traces", "metrics", "urls", "console"),
    [
        ("console", "console", (None, None), {"traces", "metrics"}),
        ("otlp,console", "otlp", (f"{BASE}/v1/traces", f"{BASE}/v1/metrics"), {"traces"}),
        ("otlp", "prometheus", (f"{BASE}/v1/traces", None), set()),
        ("none", "console,prometheus", (None, None), {"metrics"}),
    ],
)
def test_exporters_that_are_named(
    traces: str, metrics: str, urls: tuple[str | None, str | None], console: set[str]
) -> None:
    """Named exporters replace what would get the signal by itself."""
    environ = {
        "OTEL_TRACES_EXPORTER": traces,
        "OTEL_METRICS_EXPORTER": metrics,
        "OTEL_EXPORTER_OTLP_ENDPOINT": BASE,
    }
    choice = decide(environ, msp=True, project="p")

    assert tuple(to and to.url for to in (choice.traces, choice.metrics)) == urls
    assert choice.console == console


@pytest.mark.parametrize(
    ("environ", "msp", "served"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"OTEL_METRICS_EXPORTER": "none"}, False, False),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, False, True),
        ({"OTEL_METRICS_EXPORTER": "prometheus"}, True, True),
        ({"OTEL_METRICS_EXPORTER": "otlp,prometheus"}, True, True),
    ],
)
def test_prometheus(environ: dict[str, str], *, msp: bool, served: bool) -> None:
    """`/metrics` is served where the platform is not live, and where it is asked for."""
    assert decide(environ, msp=msp, project="p").prometheus is served


@pytest.mark.parametrize(
    ("environ", "msp", "project", "unsent"),
    [
        ({}, True, None, True),
        ({}, True, "p", False),
        ({}, False, None, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}, True, None, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True, None, True),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none"}, True, None, False),
    ],
)
def test_unsent(environ: dict[str, str], *, msp: bool, project: str | None, unsent: bool) -> None:
    """A platform that sends nothing anywhere is an oversight, unless that was asked for."""
    assert decide(environ, msp=msp, project=project).unsent is unsent


def test_google_needs_its_project() -> None:
    """Google is told which project receives it: the one for telemetry, when there are two."""
    traces = decide({"OTEL_GCP_PROJECT_ID": "p"}, msp=True, project="q").traces

    assert isinstance(traces, Google)
    assert traces.project == "p"
    assert traces.cloud_trace == "https://cloudtrace.googleapis.com"


def test_settings_of_a_signal_win() -> None:
    """A variable for traces wins over the one for both signals; the rest is shared."""
    choice = decide(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": BASE,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "9000",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1500",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        },
        msp=False,
        project=None,
    )

    assert isinstance(choice.traces, Destination)
    assert isinstance(choice.metrics, Destination)
    assert (choice.traces.timeout, choice.traces.gzip) == (1.5, False)
    assert (choice.metrics.timeout, choice.metrics.gzip) == (3.0, True)
    assert choice.traces.certificate == choice.metrics.certificate == "ca.pem"
