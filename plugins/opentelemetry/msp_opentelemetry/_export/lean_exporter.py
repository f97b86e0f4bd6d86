"""LeanSpanExporter: the SDK's exporter, with spans encoded by us. Imports the SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from msp_opentelemetry._export.otlp_spans import encode


class LeanSpanExporter(OTLPSpanExporter):
    """Sends spans by OTLP over HTTP.

    The exporter has no place for an encoder, only a client of its own that takes bytes; where a
    release has none, or spans are strange, everything is left to the exporter.
    """

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans."""
        client: Any = getattr(self, "_client", None)
        data = None if client is None or self._shutdown else _encode_or_none(spans)
        if data is None:
            return super().export(spans)
        return SpanExportResult.SUCCESS if client.export(data).success else SpanExportResult.FAILURE


def _encode_or_none(spans: Sequence[ReadableSpan]) -> bytes | None:
    try:
        return encode(spans)
    except Exception:  # noqa: BLE001 - of any class; the exporter says what is wrong with them
        return None
