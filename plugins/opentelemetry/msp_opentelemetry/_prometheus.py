"""Metrics in Prometheus' format, of the default registry. Imports the exporter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricReader
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest


def prometheus_reader() -> MetricReader:
    """Return what puts our metrics beside those of other users of the default registry."""
    return PrometheusMetricReader()


async def respond(_query: Mapping[str, str]) -> tuple[int, str, bytes]:
    """Answer with everything in the default registry."""
    return 200, CONTENT_TYPE_LATEST, await asyncio.to_thread(generate_latest, REGISTRY)
