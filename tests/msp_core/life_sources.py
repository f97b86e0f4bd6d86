"""Services to run from outside."""

from __future__ import annotations

from msp_core import NoopRoutine, Routine, hookimpl

IDLE = """
@hookimpl
async def msp_initialize(self, contract):
    return NoopRoutine("idle")
"""


class Waiting:
    """A service that waits to be stopped."""

    name, version = "waiting", "1"

    @hookimpl
    def msp_initialize(self) -> Routine:
        return NoopRoutine()
