"""Google's Telemetry API: a fake of it that speaks the real protocol, with a fake credential."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
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

from msp_opentelemetry._google import LateCredentials
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_opentelemetry.endpoint import Endpoint, Received

PLATFORM = {"MSP": "true", "DIAGNOSTICS_SECRET": "x", "GOOGLE_CLOUD_PROJECT": "garden"}


@pytest.fixture
def tokens() -> Iterator[Endpoint]:
    """Give a server that hands out a token."""
    answer = {"access_token": "fake-token", "expires_in": 3600, "token_type": "Bearer"}
    with Endpoint(200, json.dumps(answer).encode()).serving() as tokens:
        yield tokens


@pytest.fixture
def credential(tmp_path: Path, tokens: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let google-auth find the key of a service account that exists nowhere."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "garden",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "guestbook@garden.example",
        "token_uri": f"{tokens.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def body(request: Received) -> bytes:
    """Return what was sent, unpacked."""
    assert request.headers["content-encoding"] == "gzip"

    return gzip.decompress(request.body)


@pytest.mark.usefixtures("credential")
async def test_traces_and_metrics_arrive(
    opened: Opened, endpoint: Endpoint, tokens: Endpoint
) -> None:
    """On a live platform telemetry reaches Google by OTLP, with a token and for our project."""
    async with opened(OTEL_GCP_ENDPOINT=endpoint.url, **PLATFORM):
        trace.get_tracer("probe").start_span("span").end()
        metrics.get_meter("probe").create_counter("greetings").add(1)

    by_path = {request.path: request for request in endpoint.received}
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
    for request in endpoint.received:
        assert request.headers["authorization"] == "Bearer fake-token"
        assert request.headers["x-goog-user-project"] == "garden"
    assert tokens.paths()[0] == "/token"


@pytest.mark.usefixtures("credential")
async def test_laptop_sends_nothing(opened: Opened, endpoint: Endpoint, tokens: Endpoint) -> None:
    """A developer's project and credential send nothing to Google."""
    environ = {"GOOGLE_CLOUD_PROJECT": "garden", "OTEL_GCP_PROJECT_ID": "garden", "MSP": "false"}
    async with opened(OTEL_GCP_ENDPOINT=endpoint.url, **environ):
        trace.get_tracer("probe").start_span("span").end()

    assert endpoint.received == []
    assert tokens.received == []


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


@pytest.mark.usefixtures("credential")
def test_token_is_renewed(tokens: Endpoint) -> None:
    """A token that has expired is replaced; the credential is looked for once."""
    late = LateCredentials()
    late.refresh(Request())
    found = late._found
    late.refresh(Request())

    assert late._found is found
    assert late.token == "fake-token"
    assert late.expiry is not None
    assert tokens.paths() == ["/token", "/token"]
