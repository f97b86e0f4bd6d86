"""Who sends: what the platform tells, where it is asked and where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from msp_core import Platform
from msp_core.authoring import bounded
from msp_core.config import load
from msp_opentelemetry import OpenTelemetryConfig
from msp_opentelemetry._sdk import google_metadata as _google_metadata
from msp_opentelemetry._sdk.google_metadata import detect
from msp_opentelemetry._sdk.resource import resource_attributes
from tests.msp_core.http_service import contract
from tests.msp_opentelemetry.endpoint import Endpoint

METADATA = {
    "project": {"projectId": "garden", "numericProjectId": 7},
    "instance": {"id": "i-1", "region": "projects/7/regions/europe-west1"},
}
KNOWN = {"cloud.provider": "gcp", "cloud.platform": "gcp_cloud_run"}


def attributes(environ: dict[str, str], **given: Any) -> dict[str, str]:
    """Return the attributes of a service with these variables."""
    return resource_attributes(
        load(OpenTelemetryConfig, environ),
        contract(environ=environ),
        **{"detected": {}, "project": None, **given},
    )


def test_service_of_cloud_run() -> None:
    """A service names itself, its revision and what was detected."""
    found = attributes(
        {"K_SERVICE": "guestbook-prod", "K_REVISION": "guestbook-00007"}, detected=KNOWN
    )

    assert found == {
        "service.name": "guestbook",
        "service.version": "1.2.3",
        "service.instance.id": "instance",
        "deployment.environment.name": "test",
        "faas.name": "guestbook-prod",
        "faas.version": "guestbook-00007",
        **KNOWN,
    }


def test_job_of_cloud_run() -> None:
    """A job names its execution and task."""
    environ = {
        "CLOUD_RUN_JOB": "sweep",
        "CLOUD_RUN_EXECUTION": "sweep-x7",
        "CLOUD_RUN_TASK_INDEX": "2",
    }
    found = attributes(environ, project="garden")

    assert found["faas.name"] == "sweep"
    assert found["gcp.cloud_run.job.execution"] == "sweep-x7"
    assert found["gcp.cloud_run.job.task_index"] == "2"
    assert found["gcp.project_id"] == "garden"


def test_variables_win() -> None:
    """What an operator sets wins, the name's own variable most of all."""
    found = attributes({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a,x=1", "OTEL_SERVICE_NAME": "b"})

    assert (found["service.name"], found["x"]) == ("b", "1")


async def test_metadata(endpoint: Endpoint) -> None:
    """On Cloud Run the metadata server tells project, region and instance, in one request."""
    endpoint.answer = 200, json.dumps(METADATA).encode()
    host = endpoint.url.removeprefix("http://")
    found = await detect(contract(platform=Platform.CLOUD_RUN, environ={"GCE_METADATA_HOST": host}))

    (request,) = endpoint.received
    assert request.path == "/computeMetadata/v1/?recursive=true"
    assert request.headers["metadata-flavor"] == "Google"
    assert found == {
        **KNOWN,
        "cloud.account.id": "garden",
        "cloud.region": "europe-west1",
        "faas.instance": "i-1",
    }


@pytest.mark.parametrize(
    ("status", "answer"), [(500, b""), (200, b"nonsense"), (200, b"{}"), (200, b"7")]
)
async def test_metadata_that_does_not_tell(endpoint: Endpoint, status: int, answer: bytes) -> None:
    """A metadata server that is sick costs attributes, not the start."""
    endpoint.answer = status, answer
    host = endpoint.url.removeprefix("http://")
    found = await detect(contract(platform=Platform.CLOUD_RUN, environ={"GCE_METADATA_HOST": host}))

    assert found == KNOWN


async def test_metadata_that_hangs(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start waits a second for the metadata server, not longer."""
    endpoint.going.clear()
    waited = []

    async def noting(function: Callable[[], Any], *, name: str, seconds: float) -> Any:
        waited.append(seconds)
        return await bounded(function, name=name, seconds=seconds / 10)

    monkeypatch.setattr(_google_metadata, "bounded", noting)
    host = endpoint.url.removeprefix("http://")
    found = await detect(contract(platform=Platform.CLOUD_RUN, environ={"GCE_METADATA_HOST": host}))

    assert found == KNOWN
    assert waited == [1.0]


@pytest.mark.parametrize("platform", [Platform.LOCAL, Platform.KUBERNETES, Platform.KNATIVE])
async def test_metadata_is_not_asked_elsewhere(endpoint: Endpoint, platform: Platform) -> None:
    """Off Cloud Run the name of the metadata server is not even looked up."""
    host = endpoint.url.removeprefix("http://")
    found = await detect(contract(platform=platform, environ={"GCE_METADATA_HOST": host}))

    assert found == {}
    assert endpoint.received == []
