"""Diagnostics: the endpoints under `/-/`, and the secret that guards them."""

from __future__ import annotations

from msp_core.diagnostics._diagnostics import Diagnostics, Route

__all__ = ["Diagnostics", "Route"]
