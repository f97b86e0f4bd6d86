"""Spans of a start: the whole of it and its parts, in one trace. Imports the API."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from opentelemetry import context
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    Span,
    SpanContext,
    StatusCode,
    Tracer,
    set_span_in_context,
)


@contextlib.contextmanager
def start_span(tracer: Tracer, part: str) -> Iterator[None]:
    """Put what happens meanwhile into a span, below that of the part around it.

    Args:
        tracer: makes the span.
        part: of the start; names the span.
    """
    span = tracer.start_span(part)
    parent = _Parent(span)
    token = context.attach(set_span_in_context(parent))
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        context.detach(token)
        parent.over = True
        span.end()


class _Parent(NonRecordingSpan):
    """Stands for a span until that ends, and for none afterwards.

    A task that is created during the start, such as a pool's or the server's, keeps the context of
    the start for as long as it lives. What it does later is no part of the start.
    """

    def __init__(self, span: Span) -> None:
        super().__init__(span.get_span_context())
        self.over = False

    def get_span_context(self) -> SpanContext:
        """Return the span's, or one that is not valid."""
        return INVALID_SPAN_CONTEXT if self.over else super().get_span_context()
