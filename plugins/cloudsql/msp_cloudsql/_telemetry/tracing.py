"""Tracing: spans of what is done with a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import attrs

from msp_cloudsql._telemetry.arguments import argument_attributes
from msp_core.authoring import record_error, tracer

if TYPE_CHECKING:  # not a requirement
    from opentelemetry.trace import Span, Tracer

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


@attrs.frozen(kw_only=True)
class Tracing:
    """Makes spans.

    Attributes:
        tracer: of OpenTelemetry's API.
        arguments: whether values are shown: arguments of queries, and texts of errors, which
            repeat them.
        scrub: (text) -> the text without secrets, for both.
    """

    tracer: Tracer
    arguments: bool
    scrub: Callable[[str], str]

    @contextmanager
    def span(
        self,
        operation: str | None,
        attributes: Mapping[str, Any],
        *,
        arguments: object = None,
        telling: bool = False,
    ) -> Iterator[Span | None]:
        """Record what is done inside; None inside `without_trace()`.

        Args:
            operation: the span's name, together with the database.
            attributes: known beforehand; `db.namespace` among them.
            arguments: of the query.
            telling: whether the text of an error holds no values of anybody.
        """
        if _off.get():
            yield None
            return
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - there is a provider, so it is imported

        words = (operation or "postgresql", attributes.get("db.namespace"))
        span = self.tracer.start_span(
            " ".join(filter(None, words)), kind=SpanKind.CLIENT, attributes={**SYSTEM, **attributes}
        )
        try:
            if self.arguments and span.is_recording():
                span.set_attributes(argument_attributes(arguments, self.scrub))
            yield span
        except Exception as error:
            _fail(span, error, self.scrub(str(error)) if telling or self.arguments else None)
            raise
        finally:
            span.end()


def tracing(*, arguments: bool, scrub: Callable[[str], str]) -> Tracing | None:
    """Return what makes spans, None when nobody in this process has set a tracer provider."""
    found = tracer("msp.cloudsql")
    if found is None:
        return None
    return Tracing(tracer=found, arguments=arguments, scrub=scrub)


def _fail(span: Span, error: Exception, text: str | None) -> None:
    """Note the error, by the server's code for it where there is one."""
    record_error(span, error, text)
    code = getattr(error, "sqlstate", None)
    if code:
        span.set_attributes({"error.type": code, "db.response.status_code": code})
