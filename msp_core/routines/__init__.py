"""Routine: a long-running part of a service; and the ways to make one of several."""

from __future__ import annotations

from msp_core.routines._callback import CallbackRoutine, NoopRoutine
from msp_core.routines._go import go
from msp_core.routines._group import CombinedRoutine, FIFOStopRoutine, LIFOStopRoutine
from msp_core.routines._periodic import PeriodicRoutine
from msp_core.routines._routine import Routine

__all__ = [
    "CallbackRoutine",
    "CombinedRoutine",
    "FIFOStopRoutine",
    "LIFOStopRoutine",
    "NoopRoutine",
    "PeriodicRoutine",
    "Routine",
    "go",
]
