"""Routine: a long-running part of a service; and the ways to make one of several."""

from __future__ import annotations

from msp_core._callback_routine import CallbackRoutine, NoopRoutine
from msp_core._periodic_routine import PeriodicRoutine
from msp_core._routine import Routine
from msp_core._routine_group import CombinedRoutine, FIFOStopRoutine, LIFOStopRoutine
from msp_core._spawn import go

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
