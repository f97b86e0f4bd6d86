"""Spans and metrics of a service, through the real SDK to a real receiver."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from opentelemetry import metrics, propagate, trace

from msp_core import MSPError, open_contract
from msp_opentelemetry import OpenTelemetry, _runtime_metrics
from msp_opentelemetry._receiver import Receiver
from msp_redis import Redis
from tests.msp_opentelemetry.conftest import Guestbook, Opened, points, spans, url
from tests.msp_opentelemetry.endpoint import Endpoint


async def test_everything_arrives_at_the_end(opened: Opened, receiver: Receiver) -> None:
    """What was measured up to the end arrives: closing flushes traces and metrics."""
    async with opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver)):
        tracer, meter = trace.get_tracer("probe"), metrics.get_meter("probe")
        with tracer.start_as_current_span("outer"):
            for number in range(3000):
                tracer.start_span(f"inner {number}").end()
        meter.create_counter("greetings").add(2, {"kind": "warm"})

    counts = receiver.store.counts()
    (greetings,) = points(receiver, "greetings")
    assert counts["spans"] == 3001
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


async def test_disabled(opened: Opened, endpoint: Endpoint) -> None:
    """`OTEL_SDK_DISABLED` leaves the API as it is without a runtime, and sends nothing."""
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


async def test_refused_protocol_leaves_nothing_behind(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GRPC without its extra is one sentence with the install command."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc", None)
    with pytest.raises(MSPError, match=r"pip install 'msp-opentelemetry\[grpc\]'"):
        async with opened(OTEL_EXPORTER_OTLP_PROTOCOL="grpc"):
            raise AssertionError("opened")


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
