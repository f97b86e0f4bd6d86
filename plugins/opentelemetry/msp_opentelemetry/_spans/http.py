"""TracedHTTP: one span and one measurement per request. Imports the API."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from opentelemetry import context, propagate, trace
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.trace import Span, SpanKind, StatusCode

from msp_core.asgi import CRASHED, ASGIApp, Message, Receive, Scope, Send, shown_path
from msp_core.authoring import record_error
from msp_opentelemetry._spans.request_flush import RequestFlush
from msp_opentelemetry._spans.route import route_of

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class HTTPTelemetry:
    """What the requests of one service are traced and measured with.

    Args:
        tracer: makes the spans.
        meter: makes `http.server.request.duration` and `http.server.active_requests`.
        flush: counts every request; None where a CPU is always given.
    """

    def __init__(self, tracer: trace.Tracer, meter: Meter, flush: RequestFlush | None) -> None:
        self.tracer = tracer
        self.flush = flush
        self.duration = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        meter.create_observable_up_down_counter(
            "http.server.active_requests",
            [self._observe_active],
            unit="{request}",
            description="Number of active HTTP server requests.",
        )
        self._active: dict[tuple[str, str], int] = {}  # by method and scheme

    def count(self, method: str, scheme: str, change: int) -> None:
        """Count a request in or out."""
        key = method, scheme
        self._active[key] = self._active.get(key, 0) + change

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Return the application with telemetry around it."""
        return _TracedHTTP(self, app)

    def _observe_active(self, _: CallbackOptions) -> Iterator[Observation]:
        for (method, scheme), number in tuple(self._active.items()):
            yield Observation(number, {"http.request.method": method, "url.scheme": scheme})


@attrs.define(eq=False)
class _Exchange:
    """One request and its answer.

    Attributes:
        scope: of the request.
        method: as the specification allows it in names.
        root_path: the scope's before the application ran.
        span: of the request.
        began: seconds on the monotonic clock.
        status: of the answer; 0 before it.
    """

    scope: Scope
    method: str
    root_path: str
    span: Span
    began: float
    status: int = 0

    def finish(self, failure: BaseException | None) -> Mapping[str, Any]:
        """End the span; return the attributes of the measurement."""
        status = self.status or CRASHED
        error = None
        if failure is not None:
            error = type(failure).__qualname__
        elif status >= CRASHED:
            error = str(status)
        route = route_of(self.scope, self.root_path, getattr(self.span, "attributes", None))
        measured = _describe(self.method, self.scope["scheme"], status, error, route)
        if self.span.is_recording():
            if route:
                self.span.update_name(f"{_name(self.method)} {route}")
            if isinstance(failure, Exception):
                record_error(self.span, failure, None)
            self.span.set_attributes(measured)
            if error is not None:
                self.span.set_status(StatusCode.ERROR)
            self.span.end()
        return measured


@attrs.frozen(eq=False)
class _TracedHTTP:
    """ASGI application: traces HTTP requests, passes everything else on."""

    telemetry: HTTPTelemetry
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange, token = self._begin(scope)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)

        failure: BaseException | None = None
        try:
            await self.app(scope, receive, send_noted)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._end(exchange, token, failure)

    def _begin(self, scope: Scope) -> tuple[_Exchange, Any]:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        headers = _headers(scope)
        caller = propagate.extract(headers, context=context.Context())
        span = self.telemetry.tracer.start_span(_name(method), caller, SpanKind.SERVER)
        if span.is_recording():  # no sampler of ours asks for them
            span.set_attributes(_attributes(scope, method, headers))
        # FastAPI would make a span and measurements of its own, in a trace of their own.
        scope.setdefault("fastapi.telemetry", None)
        inside_another = trace.get_current_span().get_span_context().is_valid
        token = context.attach(trace.set_span_in_context(span, caller))
        self.telemetry.count(method, scope["scheme"], 1)
        if self.telemetry.flush is not None:
            self.telemetry.flush.count_in()
        root_path = scope.get("root_path", "")
        exchange = _Exchange(scope, method, root_path, span, time.monotonic())
        # Else the span stays the current one of the request's task: what is still to come, the line
        # of the access log and the report of an error, belongs to it.
        return exchange, token if inside_another else None

    def _end(self, exchange: _Exchange, token: Any, failure: BaseException | None) -> None:  # noqa: ANN401 - the API's
        measured = exchange.finish(failure)
        self.telemetry.duration.record(time.monotonic() - exchange.began, measured)
        self.telemetry.count(exchange.method, exchange.scope["scheme"], -1)
        if token is not None:
            context.detach(token)
        if self.telemetry.flush is not None:
            self.telemetry.flush.count_out()


def _name(method: str) -> str:
    return "HTTP" if method == "_OTHER" else method


@functools.lru_cache(maxsize=1024)  # a service has few routes, and is asked for them often
def _describe(
    method: str, scheme: str, status: int, error: str | None, route: str | None
) -> Mapping[str, Any]:
    """Return the attributes of a request that is over; not to be changed."""
    measured: dict[str, Any] = {
        "http.request.method": method,
        "url.scheme": scheme,
        "http.response.status_code": status,
    }
    if error is not None:
        measured["error.type"] = error
    if route:
        measured["http.route"] = route
    return measured


def _headers(scope: Scope) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return headers


def _attributes(scope: Scope, method: str, headers: dict[str, list[str]]) -> dict[str, Any]:
    """Return the span's attributes; no query, which may hold what nobody else shall see."""
    attributes: dict[str, Any] = {
        "http.request.method": method,
        "url.path": shown_path(scope),
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
    }
    if method == "_OTHER":
        attributes["http.request.method_original"] = scope["method"]
    if scope.get("server"):
        attributes["server.address"], attributes["server.port"] = scope["server"]
    if host := headers.get("host"):
        attributes["server.address"] = host[0].rpartition(":")[0] or host[0]
    if scope.get("client"):
        attributes["client.address"] = scope["client"][0]
    if agent := headers.get("user-agent"):
        attributes["user_agent.original"] = agent[0]
    return attributes
