"""Google: a fake of it that speaks the real protocols and refuses what the roles do not allow."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import Request
from opentelemetry import metrics, trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from msp_opentelemetry import OpenTelemetry
from msp_opentelemetry._export.google import LateCredentials
from msp_opentelemetry._export.google_refusal import read_refusal
from tests.google_roles import WORKLOAD
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_opentelemetry.endpoint import Endpoint, Received
from tests.msp_opentelemetry.google_apis import CLOUD_TRACE, TELEMETRY, GoogleAPIs

PLATFORM = {"MSP": "true", "DIAGNOSTICS_SECRET": "x", "GOOGLE_CLOUD_PROJECT": "garden"}
BATCH_WRITE = "/v2/projects/garden/traces:batchWrite"

Account = Callable[..., None]
"""(fields of the file) -> lets google-auth find that credential."""


@pytest.fixture
def google() -> Iterator[GoogleAPIs]:
    """Give Google, to which everybody has the roles of a workload."""
    google = GoogleAPIs()
    with google.serving():
        yield google


@pytest.fixture
def platform(google: GoogleAPIs) -> dict[str, str]:
    """Give the variables of a live platform whose Google that is."""
    return {
        "OTEL_GCP_ENDPOINT": google.url,
        "OTEL_GCP_TRACE_ENDPOINT": google.url,
        **PLATFORM,
    }


@pytest.fixture
def account(tmp_path: Path, google: GoogleAPIs, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Give a function that lets google-auth find an account that exists nowhere."""
    file = tmp_path / "account.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setattr(
        "google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{google.url}/token"
    )

    def write(**fields: str) -> None:
        file.write_text(json.dumps(fields))

    return write


@pytest.fixture
def workload(account: Account, google: GoogleAPIs) -> dict[str, str]:
    """Let google-auth find the account of a workload in the project `garden`; give its file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fields = {
        "type": "service_account",
        "project_id": "garden",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "guestbook@garden.example",
        "token_uri": f"{google.url}/token",
    }
    account(**fields)
    return fields


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the plugin warned of."""
    return [record.message for record in caplog.records if record.name == "msp.opentelemetry"]


def body(request: Received) -> bytes:
    """Return what was sent, unpacked."""
    assert request.headers["content-encoding"] == "gzip"

    return gzip.decompress(request.body)


@pytest.mark.usefixtures("workload")
async def test_works_with_exactly_these_roles(
    opened: Opened,
    google: GoogleAPIs,
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The roles that the platform grants are enough, and nothing is said."""
    caplog.set_level(logging.WARNING)
    async with opened(**platform):
        trace.get_tracer("probe").start_span("span").end()
        metrics.get_meter("probe").create_counter("greetings").add(1)

    assert set(google.taken) == {"/v1/traces", "/v1/metrics"}
    assert not [each for each in google.received if "x-goog-user-project" in each.headers]
    assert warnings(caplog) == []


@pytest.mark.usefixtures("workload")
async def test_traces_and_metrics_arrive(
    opened: Opened, google: GoogleAPIs, platform: dict[str, str]
) -> None:
    """Traces and metrics reach the Telemetry API by OTLP, and say which project they belong to."""
    async with opened(**platform):
        trace.get_tracer("probe").start_span("span").end()
        metrics.get_meter("probe").create_counter("greetings").add(1)

    by_path = {request.path: request for request in google.received}
    sent = ExportTraceServiceRequest.FromString(body(by_path["/v1/traces"]))
    measured = ExportMetricsServiceRequest.FromString(body(by_path["/v1/metrics"]))
    resource = {
        pair.key: pair.value.string_value for pair in sent.resource_spans[0].resource.attributes
    }
    names = {
        metric.name
        for scope in measured.resource_metrics[0].scope_metrics
        for metric in scope.metrics
    }
    assert sent.resource_spans[0].scope_spans[0].spans[0].name == "span"
    assert resource["gcp.project_id"] == "garden"
    assert {"greetings", "otel.trace.created_span.count"} <= names


@pytest.mark.usefixtures("workload")
async def test_api_that_is_not_enabled(
    opened: Opened,
    google: GoogleAPIs,
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without the Telemetry API traces reach the Cloud Trace API; one line each says why."""
    google.enabled = (CLOUD_TRACE,)
    async with opened(**platform) as contract:
        for name in ("first", "second"):
            with trace.get_tracer("probe").start_as_current_span(name):
                pass
            provider = contract[OpenTelemetry].tracer_provider
            await asyncio.to_thread(provider.force_flush)  # type: ignore[attr-defined]  # the SDK's
            meters = contract[OpenTelemetry].meter_provider
            await asyncio.to_thread(meters.force_flush)  # type: ignore[attr-defined]  # the SDK's

    sent = [json.loads(each.body) for each in google.received if each.path == BATCH_WRITE]
    names = [span["displayName"]["value"] for each in sent for span in each["spans"]]
    missing = (
        "the API telemetry.googleapis.com is not enabled, "
        "run `gcloud services enable telemetry.googleapis.com`"
    )
    assert names == ["first", "second"]
    assert google.paths().count("/v1/traces") == 1
    assert sorted(warnings(caplog)) == [
        f"metrics are refused by Google: {missing}",
        f"traces go to the Cloud Trace API, as the Telemetry API refuses them: {missing}",
    ]


@pytest.mark.usefixtures("workload")
async def test_no_api_is_enabled(
    opened: Opened,
    google: GoogleAPIs,
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without either API traces are lost, and a line names the second one as well."""
    google.enabled = ()
    async with opened(OTEL_METRICS_EXPORTER="none", **platform):
        trace.get_tracer("probe").start_span("span").end()

    assert [text.partition(":")[2] for text in warnings(caplog)] == [
        f" the API {api} is not enabled, run `gcloud services enable {api}`"
        for api in (TELEMETRY, CLOUD_TRACE)
    ]


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize(
    ("role", "signal"),
    [("roles/cloudtrace.agent", "traces"), ("roles/monitoring.metricWriter", "metrics")],
)
async def test_role_that_is_missing(
    opened: Opened,
    google: GoogleAPIs,
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    role: str,
    signal: str,
) -> None:
    """A role that the account lacks is named in the line about what it refuses."""
    google.roles = WORKLOAD - {role}
    async with opened(**platform):
        trace.get_tracer("probe").start_span("span").end()

    told = [text for text in warnings(caplog) if text.startswith(f"{signal} are refused")]
    assert len(told) == 1
    assert told[0].endswith(f"grant it {role}")
    assert all(role in text for text in warnings(caplog))


@pytest.mark.usefixtures("workload")
@pytest.mark.parametrize("status", [500, None])
async def test_cloud_trace_that_is_sick(
    opened: Opened,
    google: GoogleAPIs,
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
    status: int | None,
) -> None:
    """A Cloud Trace API that fails, or is not there, is one more line."""
    google.enabled = (CLOUD_TRACE,)
    platform["OTEL_METRICS_EXPORTER"] = "none"
    if status is None:
        platform["OTEL_GCP_TRACE_ENDPOINT"] = "http://127.0.0.1:1"
    else:
        google.sick = {BATCH_WRITE: status}
    async with opened(**platform) as contract:
        for _ in range(2):
            trace.get_tracer("probe").start_span("span").end()
            provider = contract[OpenTelemetry].tracer_provider
            await asyncio.to_thread(provider.force_flush)  # type: ignore[attr-defined]  # the SDK's

    instead, failed = warnings(caplog)
    assert instead.startswith("traces go to the Cloud Trace API")
    assert failed.startswith("telemetry: Failed to export spans")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"nonsense"),
        ("application/json", b"[]"),
        ("application/json", b'{"error": {"code": 403, "message": "no"}}'),
        ("application/x-protobuf", b"\xff"),
        ("application/x-protobuf", b""),
        ("", b"<html>"),
    ],
)
def test_refusal_without_a_reason(content_type: str, body: bytes) -> None:
    """A refusal of which Google does not say why is taken for a role that is missing."""
    advice = read_refusal(content_type, body).advice(role="roles/x", api="y.googleapis.com")

    assert advice == "the account may not use y.googleapis.com, grant it roles/x"


PERSON = {
    "type": "authorized_user",
    "client_id": "1",
    "client_secret": "2",
    "refresh_token": "3",
}


@pytest.mark.parametrize(
    ("fields", "charged"),
    [
        ({}, {None}),
        ({"project_id": "orchard"}, {"garden"}),
        (PERSON, {"garden"}),
        ({**PERSON, "quota_project_id": "orchard"}, {"orchard"}),
    ],
    ids=["workload", "foreign", "person", "person with a project"],
)
async def test_who_is_charged(
    opened: Opened,
    google: GoogleAPIs,
    account: Account,
    workload: dict[str, str],
    platform: dict[str, str],
    fields: dict[str, str],
    charged: set[str | None],
) -> None:
    """A project is named where Google cannot know it: for a person, or a foreign account."""
    account(**(fields if "type" in fields else {**workload, **fields}))
    google.roles = [*WORKLOAD, "roles/serviceusage.serviceUsageConsumer"]
    async with opened(**platform):
        trace.get_tracer("probe").start_span("span").end()

    sent = [each for each in google.received if each.path != "/token"]
    assert {each.headers.get("x-goog-user-project") for each in sent} == charged
    assert set(google.taken) == {"/v1/traces", "/v1/metrics"}


async def test_project_that_may_not_be_charged(
    opened: Opened,
    google: GoogleAPIs,
    account: Account,
    workload: dict[str, str],
    platform: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account of another project needs one more role, which the lines name."""
    account(**{**workload, "project_id": "orchard"})
    async with opened(**platform):
        trace.get_tracer("probe").start_span("span").end()

    assert google.taken == []
    assert len(warnings(caplog)) == 3  # traces twice, metrics
    assert all("roles/serviceusage.serviceUsageConsumer" in text for text in warnings(caplog))
    assert not [text for text in warnings(caplog) if "garden" in text]


@pytest.mark.usefixtures("workload")
async def test_laptop_sends_nothing(
    opened: Opened, google: GoogleAPIs, platform: dict[str, str]
) -> None:
    """A developer's project and credential send nothing to Google."""
    environ = {**platform, "OTEL_GCP_PROJECT_ID": "garden", "MSP": "false"}
    async with opened(**environ):
        trace.get_tracer("probe").start_span("span").end()

    assert google.received == []


async def test_no_credential_is_one_warning(
    opened: Opened,
    endpoint: Endpoint,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Without a credential the service runs, and the log says what is missing, once."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    async with opened(OTEL_GCP_ENDPOINT=endpoint.url, **PLATFORM):
        trace.get_tracer("probe").start_span("span").end()

    told = [record.message for record in caplog.records if record.name == "msp.opentelemetry"]
    assert len(told) == 1
    assert "nothing.json" in told[0]
    assert endpoint.received == []


@pytest.mark.usefixtures("workload")
def test_token_is_renewed(google: GoogleAPIs) -> None:
    """A token that has expired is replaced; the credential is looked for once."""
    late = LateCredentials("garden")
    late.refresh(Request())
    found = late._found
    late.refresh(Request())

    assert late._found is found
    assert late.token == "fake-token"
    assert late.expiry is not None
    assert google.paths() == ["/token", "/token"]
