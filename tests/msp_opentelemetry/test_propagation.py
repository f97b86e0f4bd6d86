"""Traces that begin elsewhere, and go on elsewhere."""

from __future__ import annotations

import pytest
from opentelemetry import baggage, propagate, trace

from msp_opentelemetry._receiver.server import Receiver
from tests.msp_opentelemetry.conftest import Opened, asking, points, spans, url
from tests.msp_opentelemetry.test_http import fastapi, plain

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("headers", "trace_id", "parent"),
    [
        ({"traceparent": f"00-{TRACE}-{PARENT}-01"}, TRACE, PARENT),
        ({"uber-trace-id": f"{TRACE}:{PARENT}:0:1"}, TRACE, PARENT),
        (
            {
                "ot-tracer-traceid": TRACE,
                "ot-tracer-spanid": PARENT,
                "ot-tracer-sampled": "true",
            },
            TRACE,
            PARENT,
        ),
        ({"x-cloud-trace-context": f"{TRACE}/{int(PARENT, 16)};o=1"}, TRACE, PARENT),
        (
            {
                "traceparent": f"00-{TRACE}-{PARENT}-01",
                "x-cloud-trace-context": f"{'1' * 32}/{1};o=1",
                "uber-trace-id": f"{'2' * 32}:{'2' * 16}:0:1",
            },
            TRACE,
            PARENT,
        ),
    ],
    ids=["W3C", "Jaeger", "OpenTracing", "Google", "W3C wins"],
)
async def test_caller(
    opened: Opened,
    receiver: Receiver,
    headers: dict[str, str],
    trace_id: str,
    parent: str,
) -> None:
    """A span belongs to the trace of its caller, whichever header tells it."""
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.get("/", headers=headers)

    (span,) = spans(receiver)
    assert (span["trace_id"], span["parent_span_id"]) == (trace_id, parent)


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"traceparent": ""}])
async def test_nobody_calls(opened: Opened, receiver: Receiver, headers: dict[str, str]) -> None:
    """Without a caller, or with one that cannot be understood, each request is a new trace."""
    async with asking(plain, opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.get("/", headers=headers)
        await http.get("/", headers=headers)

    first, second = spans(receiver)
    assert first["parent_span_id"] is second["parent_span_id"] is None
    assert first["trace_id"] != second["trace_id"]


async def test_unsampled_caller(opened: Opened, receiver: Receiver) -> None:
    """A caller that does not sample its trace decides so for us."""
    async with asking(fastapi(), opened(OTEL_EXPORTER_OTLP_ENDPOINT=url(receiver))) as http:
        await http.get("/v1/users/1", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})

    (duration,) = points(receiver, "http.server.request.duration")
    assert spans(receiver) == []
    assert duration["attributes"]["http.route"] == "/v1/users/{user}"


async def test_outgoing_headers(opened: Opened) -> None:
    """Requests to others carry every header but Google's, and the baggage."""
    async with opened():
        carrier: dict[str, str] = {}
        context = baggage.set_baggage("tenant", "7")
        with trace.get_tracer("probe").start_as_current_span("out", context) as span:
            inside = trace.set_span_in_context(span, context)
            propagate.inject(carrier, inside)

    assert {"traceparent", "baggage", "uber-trace-id", "ot-tracer-traceid"} <= set(carrier)
    assert "x-cloud-trace-context" not in carrier
