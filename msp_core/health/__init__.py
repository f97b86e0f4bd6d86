"""Health: asks resources and service how they are, at a bounded cost however many ask."""

from __future__ import annotations

from msp_core.health._checks import Check, CheckResult
from msp_core.health._health import Health, HealthzResources, Readiness, ServiceCheck

__all__ = ["Check", "CheckResult", "Health", "HealthzResources", "Readiness", "ServiceCheck"]
