"""Samplers by the specification's names. Imports the SDK."""

from __future__ import annotations

from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from msp_opentelemetry._config import OpenTelemetryConfig


def make_sampler(config: OpenTelemetryConfig) -> Sampler:
    """Return the configured sampler."""
    name = config.sampler.removeprefix("parentbased_")
    roots: dict[str, Sampler] = {
        "always_on": ALWAYS_ON,
        "always_off": ALWAYS_OFF,
        "traceidratio": TraceIdRatioBased(config.ratio),
    }
    root = roots[name]
    return root if name == config.sampler else ParentBased(root)
