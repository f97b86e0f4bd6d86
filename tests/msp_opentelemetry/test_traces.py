"""Spans and metrics of a service, through the real SDK to a real receiver."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry import environment_variables as api_variables
from opentelemetry import metrics, propagate, trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.sdk import environment_variables as sdk_variables_module

from msp_core import open_contract
from msp_opentelemetry import OpenTelemetry
from msp_opentelemetry._receiver.server import Receiver
from msp_opentelemetry._sdk import runtime_metrics as _runtime_metrics
from msp_redis import Redis
from tests.msp_opentelemetry.conftest import Guestbook, Opened, points, spans, url
from tests.msp_opentelemetry.endpoint import Endpoint


async def test_everything_arrives_at_the_end(opened: Opened, receiver: Receiver) -> None:
    """What was measured up to the end arrives: closing flushes traces and metrics."""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)):
        tracer, meter = trace.get_tracer("probe"), metrics.get_meter("probe")
        with tracer.start_as_current_span("outer"):
            for number in range(2000):  # as many as may wait, in whatever time they are sent
                tracer.start_span(f"inner {number}").end()
        meter.create_counter("greetings").add(2, {"kind": "warm"})

    counts = receiver.store.counts()
    (greetings,) = points(receiver, "greetings")
    assert counts["spans"] == 2001
    assert (greetings["value"], greetings["attributes"]) == (2, {"kind": "warm"})


async def test_self_metrics(opened: Opened, receiver: Receiver) -> None:
    """Created and exported spans and exported metrics are counted, as a Go service does."""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)) as contract:
        tracer = trace.get_tracer("probe")
        for _ in range(3):
            tracer.start_span("span").end()
        provider = contract[OpenTelemetry].tracer_provider
        meters = contract[OpenTelemetry].meter_provider
        await asyncio.to_thread(provider.force_flush)  # type: ignore[attr-defined]  # the SDK's
        await asyncio.to_thread(meters.force_flush)  # type: ignore[attr-defined]  # the SDK's

    (created,) = points(receiver, "otel.trace.created_span.count")
    (exported,) = points(receiver, "otel.trace.exported_span.count")
    (pushed,) = points(receiver, "otel.metric.exported.count")
    assert created["value"] == exported["value"] == 3
    assert created["attributes"] == {"recording": True, "sampled": True, "valid": True}
    assert exported["attributes"] == pushed["attributes"] == {"succeeded": True}
    assert pushed["value"] > 3


async def test_spans_that_do_not_arrive_are_counted(
    opened: Opened, receiver: Receiver, endpoint: Endpoint
) -> None:
    """A span whose export failed is told apart from one that arrived."""
    endpoint.answer = 400, b""
    environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint.url}
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver), **environ) as contract:
        trace.get_tracer("probe").start_span("span").end()
        provider = contract[OpenTelemetry].tracer_provider
        await asyncio.to_thread(provider.force_flush)  # type: ignore[attr-defined]  # the SDK's

    (exported,) = points(receiver, "otel.trace.exported_span.count")
    assert (exported["value"], exported["attributes"]) == (1, {"succeeded": False})


async def test_metrics_that_do_not_arrive_are_counted(opened: Opened, endpoint: Endpoint) -> None:
    """Metrics whose export failed are told, once there is somebody to tell."""
    endpoint.answer = 400, b""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint.url) as contract:
        meters = contract[OpenTelemetry].meter_provider
        await asyncio.to_thread(meters.force_flush)  # type: ignore[attr-defined]  # the SDK's
        endpoint.answer = 200, b""

    body = [request.body for request in endpoint.received if request.path == "/v1/metrics"][-1]
    request = ExportMetricsServiceRequest.FromString(body)
    counted = [
        {pair.key: pair.value.bool_value for pair in point.attributes}
        for scope in request.resource_metrics[0].scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
        if metric.name == "otel.metric.exported.count"
    ]
    assert counted == [{"succeeded": False}]


async def test_spans_that_are_not_sampled_are_counted(opened: Opened, receiver: Receiver) -> None:
    """A span that nobody keeps is created all the same."""
    environ = {"OTEL_TRACES_SAMPLER": "always_off"}
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver), **environ):
        trace.get_tracer("probe").start_span("span").end()

    (created,) = points(receiver, "otel.trace.created_span.count")
    assert created["attributes"] == {"recording": False, "sampled": False, "valid": True}


async def test_runtime_metrics(opened: Opened, receiver: Receiver) -> None:
    """The process measures itself."""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)):
        pass

    modes = {point["attributes"]["cpu.mode"] for point in points(receiver, "process.cpu.time")}
    assert modes == {"user", "system"}
    assert points(receiver, "process.thread.count")[0]["value"] >= 1
    assert len(points(receiver, "cpython.gc.collections")) == 3


async def test_without_proc(
    opened: Opened, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the system does not tell the memory in use, everything else is measured."""
    monkeypatch.setattr(_runtime_metrics, "_MEMORY", tmp_path / "statm")
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)):
        pass

    assert points(receiver, "process.memory.usage") == []
    assert points(receiver, "process.thread.count")


async def test_who_sends(opened: Opened, receiver: Receiver) -> None:
    """Everything says which service, version, instance and environment it comes from."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver),
        "ENVIRONMENT_ID": "staging",
        "OTEL_RESOURCE_ATTRIBUTES": "team=a%20b,service.version=9",
    }
    async with opened(**environ) as contract:
        trace.get_tracer("probe").start_span("span").end()

    (span,) = spans(receiver)
    resource = span["resource"]
    assert resource["service.name"] == "guestbook"
    assert resource["service.version"] == "9"
    assert resource["service.instance.id"] == contract.instance_id
    assert resource["deployment.environment.name"] == "staging"
    assert resource["team"] == "a b"
    assert resource["telemetry.sdk.language"] == "python"


@pytest.mark.parametrize(
    ("sampler", "ratio", "received"),
    [
        ("always_on", "0", 4),
        ("always_off", "1", 0),
        ("traceidratio", "0", 0),
        ("traceidratio", "1", 4),
        ("parentbased_always_on", "0", 4),
        ("parentbased_always_off", "1", 0),
        ("parentbased_traceidratio", "0", 0),
    ],
)
async def test_samplers(
    opened: Opened, receiver: Receiver, sampler: str, ratio: str, received: int
) -> None:
    """The specification's names choose the sampler."""
    environ = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": ratio}
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver), **environ) as contract:
        for _ in range(4):
            trace.get_tracer("probe").start_span("span").end()
        provider = contract[OpenTelemetry].tracer_provider
        description = provider.sampler.get_description()  # type: ignore[attr-defined]  # the SDK's

    assert receiver.store.counts()["spans"] == received
    assert ("ParentBased" in description) is sampler.startswith("parentbased")


async def test_headers_are_sent(opened: Opened, endpoint: Endpoint) -> None:
    """Headers, compression and paths are those of the specification."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{endpoint.url}/base",
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%3Db",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    async with opened(**environ):
        trace.get_tracer("probe").start_span("span").end()

    assert set(endpoint.paths()) == {"/base/v1/traces", "/base/v1/metrics"}
    assert {request.headers["api-key"] for request in endpoint.received} == {"a=b"}
    assert {request.headers["content-encoding"] for request in endpoint.received} == {"gzip"}


async def test_disabled(
    opened: Opened, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """`OTEL_SDK_DISABLED` leaves the API as it is without a runtime; sends and says nothing."""
    caplog.set_level(logging.INFO)
    before = propagate.get_global_textmap()
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint.url, "OTEL_SDK_DISABLED": "true"}
    async with opened(**environ) as contract:
        telemetry = contract[OpenTelemetry]
        span = trace.get_tracer("probe").start_span("span")
        span.end()
        own = telemetry.tracer_provider.get_tracer("probe").start_span("span")

        assert not telemetry.enabled
        assert not span.is_recording()
        assert not own.is_recording()
        assert propagate.get_global_textmap() is before

        async def app(*_: object) -> None: ...

        assert telemetry.asgi(app) is app
    assert endpoint.received == []
    assert not [line for line in caplog.records if line.name == "msp.opentelemetry"]


async def test_telemetry_that_goes_nowhere(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """A live platform that names no receiver is told so once; the service runs."""
    async with opened(MSP="true", DIAGNOSTICS_SECRET="x"):
        trace.get_tracer("probe").start_span("span").end()

    warnings = [record.message for record in caplog.records if record.name == "msp.opentelemetry"]
    assert warnings == [
        "telemetry is sent nowhere: set GOOGLE_CLOUD_PROJECT or OTEL_EXPORTER_OTLP_ENDPOINT"
    ]


async def test_opened_again(opened: Opened, receiver: Receiver) -> None:
    """Tracers outlive a runtime: one made in the first sends to the receiver of the second."""
    async with opened():
        tracer = trace.get_tracer("probe")
    tracer.start_span("between").end()
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)):
        with tracer.start_as_current_span("second"):
            pass
        tracer.start_span("third").end()
    metrics.get_meter("after").create_counter("unheard").add(1)

    assert [span["name"] for span in spans(receiver)] == ["second", "third"]


async def test_foreign_providers_stay(
    opened: Opened, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's global providers are left alone, with a warning for each."""
    async with opened():  # sets ours, for this process
        pass
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    monkeypatch.setattr(metrics, "get_meter_provider", metrics.NoOpMeterProvider)
    caplog.set_level(logging.WARNING)
    async with opened():
        pass

    told = [record.message for record in caplog.records if record.name == "msp.opentelemetry"]
    assert len(told) == 2
    assert all("Overriding of current" in message for message in told)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the plugin warned of."""
    return [record.message for record in caplog.records if record.name == "msp.opentelemetry"]


async def test_exporter_that_cannot_be_made(
    opened: Opened,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GRPC without its extra is a warning with the install command; the other signal is sent."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", None)
    endpoint = url(receiver)
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
    }
    async with opened(**environ):
        trace.get_tracer("probe").start_span("span").end()

    (text,) = told(caplog)
    assert text.startswith("traces are sent nowhere: ")
    assert "pip install 'msp-opentelemetry[grpc]'" in text
    assert points(receiver, "otel.trace.created_span.count")


async def test_file_that_is_not_there(
    opened: Opened, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A file of the variables that cannot be read is a warning, without its path."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://127.0.0.1:1",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "nothing.pem"),
    }
    async with opened(**environ):
        pass

    assert told(caplog) == [
        f"{signal} are sent nowhere: FileNotFoundError" for signal in ("metrics", "traces")
    ]


def sdk_variables() -> list[str]:
    """Return the names of all variables that OpenTelemetry's packages read."""
    names = {**vars(api_variables), **vars(sdk_variables_module)}.values()
    return [name for name in names if isinstance(name, str) and name.startswith("OTEL_")]


async def test_variables_of_the_sdk_that_are_empty(
    opened: Opened, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set to nothing is not set, also where the SDK reads a variable itself."""
    empty = dict.fromkeys(sdk_variables(), "")
    for name in empty:
        monkeypatch.setenv(name, "")
    async with opened(**{**empty, "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver)}) as contract:
        trace.get_tracer("probe").start_span("span").end()

        assert contract[OpenTelemetry].enabled
        assert os.environ["OTEL_METRICS_EXEMPLAR_FILTER"] == ""

    assert [span["name"] for span in spans(receiver)] == ["span"]


async def test_telemetry_that_cannot_be_opened(
    opened: Opened, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes the SDK raise is one warning, without its value, and the service goes on."""
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "s3cr3t")
    async with opened() as contract:
        enabled = contract[OpenTelemetry].enabled

    assert not enabled
    assert told(caplog) == ["there is no telemetry: opening it raised ValueError"]


async def test_console(opened: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    """The exporter `console` prints spans and metrics."""
    environ = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console"}
    async with opened(**environ):
        trace.get_tracer("probe").start_span("a span for people").end()
        metrics.get_meter("probe").create_counter("greetings").add(1)

    printed = capsys.readouterr().out
    assert '"name": "a span for people"' in printed
    assert '"name": "greetings"' in printed


async def test_value_that_is_ignored_is_told(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """A program with a main of its own hears of it too."""
    async with opened(OTEL_TRACES_SAMPLER="sometimes"):
        pass

    (record,) = [each for each in caplog.records if each.name == "msp.start"]
    assert record.message.startswith("OTEL_TRACES_SAMPLER is not one of its choices")


@pytest.mark.parametrize("name", ["OTEL_PROPAGATORS", "OTEL_PYTHON_TRACER_PROVIDER"])
def test_named_propagators_and_providers(name: str) -> None:
    """What is not installed may be named where the runtime uses its own."""
    code = """if True:
        import asyncio, sys
        from msp_core import open_contract
        from msp_opentelemetry import OpenTelemetry
        from tests.msp_opentelemetry.conftest import Guestbook

        async def main():
            plugins = ("opentelemetry",)
            async with open_contract({"PORT": "0"}, Guestbook(), plugins=plugins) as contract:
                sys.exit(contract[OpenTelemetry].enabled * 7)

        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, name: "b3"}, check=False)  # noqa: S603 - code of this file

    assert done.returncode == 7


async def test_redis_commands_belong_to_their_trace(
    receiver: Receiver, redis_environ: Mapping[str, str]
) -> None:
    """Spans of another plugin, which knows only the API, are part of the service's trace."""
    environ = {"PORT": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": url(receiver), **redis_environ}
    plugins = ("redis", "opentelemetry")
    async with open_contract(environ, Guestbook(), plugins=plugins) as contract:
        with trace.get_tracer("probe").start_as_current_span("outer"):
            await contract[Redis].client().set("greeting", "hello")

    outer, command = spans(receiver)
    assert (command["name"], command["kind"]) == ("SET", "CLIENT")
    assert command["parent_span_id"] == outer["span_id"]
