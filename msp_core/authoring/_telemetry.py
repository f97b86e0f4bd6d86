"""Telemetry of a plugin: spans and instruments, where the program has OpenTelemetry.

OpenTelemetry's API is no requirement of a plugin. Only somebody who imported it can have set a
provider, so without that import there is nothing to look for, and nothing is paid.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # not a requirement
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Span, SpanKind, Tracer

_UNTRACED = nullcontext()


def tracer(scope: str) -> Tracer | None:
    """Return what makes spans; None when nobody in this process has set a tracer provider.

    Asked anew where spans begin: a service may set a provider up itself, later.

    Args:
        scope: `msp.` and the name of the plugin, as its logger.
    """
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - imported already

    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return provider.get_tracer(scope)


def meter(scope: str) -> Meter | None:
    """Return what makes instruments; None when nobody in this process has imported metrics.

    Instruments are made once. Those that are made before a provider is set measure from then on.

    Args:
        scope: `msp.` and the name of the plugin, as its logger.
    """
    if "opentelemetry.metrics" not in sys.modules:
        return None
    from opentelemetry import metrics  # noqa: PLC0415 - imported already

    return metrics.get_meter_provider().get_meter(scope)


def client_span(
    tracer: Tracer | None,
    name: str,
    attributes: Mapping[str, Any],
    *,
    error_text: Callable[[Exception], str | None] = lambda _: None,
) -> AbstractContextManager[Span | None]:
    """Record a call of a resource, and the error that ends it; None where nobody traces.

    The span is not the current one: a call of a client has no parts, and what a generator does
    between two of its values belongs to its consumer.

    Args:
        tracer: makes it; None for none.
        name: of the span.
        attributes: known beforehand, as OpenTelemetry's semantic conventions name them; not copied,
            so that those that calls have in common are made once.
        error_text: (error) -> what its span says in words; see `record_error`. Default none.
    """
    return _UNTRACED if tracer is None else _ClientSpan(tracer, name, attributes, error_text)


class _ClientSpan:
    # A class and not a generator, which takes three times as long: calls are many.

    __slots__ = ("_attributes", "_error_text", "_name", "_span", "_tracer")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        attributes: Mapping[str, Any],
        error_text: Callable[[Exception], str | None],
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._attributes = attributes
        self._error_text = error_text

    def __enter__(self) -> Span:
        kind = _client_kind()
        self._span = self._tracer.start_span(self._name, kind=kind, attributes=self._attributes)
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and self._span.is_recording():
            record_error(self._span, error, self._error_text(error))
        self._span.end()


@functools.cache
def _client_kind() -> SpanKind:
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - there is a tracer, so it is imported

    return SpanKind.CLIENT


def record_error(span: Span, error: BaseException, text: str | None) -> None:
    """Note the error that ended what the span is about: its class and where it was raised.

    Which text may be recorded: an error's own repeats what it is about, as in `Key (email)=
    (ada@example.com) already exists`, and a backend keeps it for months. So it is recorded only
    where it cannot hold a value of anybody, such as that of a refused connection, or where the
    operator asked for values; without the secrets (`contract.scrub`), in both cases.

    Args:
        span: that is still open.
        error: that ended it.
        text: of the error by that rule; None for none.
    """
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - there is a span

    module, name = type(error).__module__, type(error).__qualname__
    kind = name if module == "builtins" else f"{module}.{name}"
    event = {
        "exception.type": kind,
        "exception.stacktrace": "".join(traceback.format_tb(error.__traceback__)),
    }
    if text is not None:
        event["exception.message"] = text
    span.set_attribute("error.type", kind)
    span.add_event("exception", event)
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))
