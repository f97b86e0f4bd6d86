"""Telling plugins about a start that failed too early for their integrations to be open."""

from __future__ import annotations

import logging
from functools import partial

from msp_core._life.process import Process
from msp_core.assembly import Assembly
from msp_core.errors import MSPError, PluginError
from msp_core.integration import FailedStart

logger = logging.getLogger("msp.start")

# Seconds for all plugins together, which report to receivers that may be down.
PATIENCE = 2.0


def tell_plugins(assembly: Assembly, error: MSPError, process: Process) -> None:
    """Call `msp_start_failed` of every plugin; never raises, and waits two seconds at most."""
    failure = FailedStart(
        origin=process.origin,
        environ=assembly.environ,
        error=error,
        scrub=process.logs.scrub,
    )

    from msp_core.authoring import bounded_sync  # noqa: PLC0415 - only a start that fails needs it

    try:
        call_plugins = partial(assembly.plugins.start_failed, failure)
        bounded_sync(call_plugins, name="msp-start-failed", seconds=PATIENCE)
    except PluginError as refused:
        logger.warning("%s", refused, exc_info=refused.__cause__)
    except TimeoutError:
        logger.warning("the failed start could not be reported in time")
