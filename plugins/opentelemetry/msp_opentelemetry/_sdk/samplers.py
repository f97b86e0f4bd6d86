"""Samplers by the specification's names, counted. Imports the SDK."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.metrics import Counter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

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


class CountedSampler(Sampler):
    """Asks a sampler, and counts the spans that are created.

    Args:
        sampler: is asked.
        created: gets one for each span.
    """

    def __init__(self, sampler: Sampler, created: Counter) -> None:
        self._sampler = sampler
        self._created = created

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the sampler's decision."""
        result = self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )
        self._created.add(
            1,
            {
                "recording": result.decision is not Decision.DROP,
                "sampled": result.decision is Decision.RECORD_AND_SAMPLE,
                "valid": True,  # the SDK makes no span without valid ids
            },
        )
        return result

    def get_description(self) -> str:
        """Return the sampler's description."""
        return self._sampler.get_description()
