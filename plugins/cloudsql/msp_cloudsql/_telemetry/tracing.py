"""Tracing: spans of what is done with a database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

import attrs

from msp_cloudsql._telemetry.arguments import argument_attributes
from msp_cloudsql._telemetry.pool_metrics import POOL_NAME
from msp_core.authoring import record_error, tracer

if TYPE_CHECKING:  # not a requirement
    from opentelemetry.trace import Span, SpanKind, Tracer

_off: ContextVar[bool] = ContextVar("msp_cloudsql_without_trace", default=False)

SYSTEM = {"db.system.name": "postgresql"}


@contextmanager
def without_trace() -> Iterator[None]:
    """Leave no spans of what is done with the database inside, in this task or thread.

    What a pool does in the background is not inside: it connects for everybody.
    """
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


@attrs.frozen(kw_only=True, eq=False)
class Tracing:
    """Makes spans.

    Attributes:
        tracer: of OpenTelemetry's API.
        kind: of all spans.
        arguments: whether values are shown: arguments of queries, and texts of errors, which
            repeat them.
        scrub: (text) -> the text without secrets, for both.
    """

    tracer: Tracer
    kind: SpanKind
    arguments: bool
    scrub: Callable[[str], str]

    def span(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        arguments: object = None,
        telling: bool = False,
    ) -> TracedWork:
        """Return what records the work done inside; its span is None inside `without_trace()`.

        Args:
            name: of the span.
            attributes: known beforehand; not copied.
            arguments: of the query.
            telling: whether the text of an error holds no values of anybody.
        """
        return TracedWork(self, name, attributes, arguments, telling=telling)

    def note_wait(self, database: str, seconds: float, error: BaseException | None) -> None:
        """Record a wait for a connection of a pool that is over.

        Args:
            database: name of the pool.
            seconds: it took.
            error: that it ended with; None for a connection.
        """
        if _off.get():
            return
        now = time.time_ns()
        began = now - int(seconds * 1e9)
        attributes = {**SYSTEM, "db.namespace": database, POOL_NAME: database}
        name = f"WAIT {database}"
        span = self.tracer.start_span(name, kind=self.kind, attributes=attributes, start_time=began)
        if isinstance(error, Exception):
            self.fail(span, error, telling=True)
        span.end(now)

    def fail(self, span: Span, error: Exception, *, telling: bool) -> None:
        """Note the error, by the server's code for it where there is one."""
        if not span.is_recording():
            return
        told = telling or self.arguments
        record_error(span, error, self.scrub(str(error)) if told else None)
        code = getattr(error, "sqlstate", None)
        if code:
            span.set_attributes({"error.type": code, "db.response.status_code": code})


class TracedWork:
    """Records what is done inside as one span, and the error that ends it.

    A class and not a generator, which takes three times as long: queries are many.
    """

    __slots__ = ("_arguments", "_attributes", "_name", "_telling", "_tracing", "span")

    def __init__(
        self,
        tracing: Tracing,
        name: str,
        attributes: Mapping[str, Any],
        arguments: object,
        *,
        telling: bool,
    ) -> None:
        self._tracing = tracing
        self._name = name
        self._attributes = attributes
        self._arguments = arguments
        self._telling = telling
        self.span: Span | None = None

    def __enter__(self) -> Span | None:
        if _off.get():
            return None
        tracing = self._tracing
        self.span = span = tracing.tracer.start_span(
            self._name, kind=tracing.kind, attributes=self._attributes
        )
        if tracing.arguments and span.is_recording():
            span.set_attributes(argument_attributes(self._arguments, tracing.scrub))
        return span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.span is not None:
            if isinstance(error, Exception):
                self._tracing.fail(self.span, error, telling=self._telling)
            self.span.end()


def tracing(*, arguments: bool, scrub: Callable[[str], str]) -> Tracing | None:
    """Return what makes spans, None when nobody in this process has set a tracer provider."""
    found = tracer("msp.cloudsql")
    if found is None:
        return None
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - there is a provider, so it is imported

    return Tracing(tracer=found, kind=SpanKind.CLIENT, arguments=arguments, scrub=scrub)
