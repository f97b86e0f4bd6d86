"""Counted exporters: the SDK calls them as it calls its own."""

from __future__ import annotations

import inspect

import pytest
from opentelemetry.sdk.metrics.export import MetricExporter

from msp_opentelemetry._export.counted_exporters import CountedMetricExporter


@pytest.mark.parametrize("name", ["export", "force_flush", "shutdown"])
def test_what_is_left_out_means_the_same(name: str) -> None:
    """Arguments and their defaults are those of any exporter."""
    ours, theirs = (
        inspect.signature(getattr(kind, name)).parameters.values()
        for kind in (CountedMetricExporter, MetricExporter)
    )

    assert [(each.name, each.default) for each in ours] == [
        (each.name, each.default) for each in theirs
    ]
