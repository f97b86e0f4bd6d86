"""Assembly: a service with its plugins loaded and its variables read, nothing opened yet."""

from __future__ import annotations

from msp_core.assembly._assembly import Assembly, assemble
from msp_core.assembly._fragments import Environment, Schedule
from msp_core.assembly._integrations import AssembledIntegration

__all__ = ["AssembledIntegration", "Assembly", "Environment", "Schedule", "assemble"]
