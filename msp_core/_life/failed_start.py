"""Telling plugins about a start that failed too early for their integrations to be open."""

from __future__ import annotations

import logging
import threading

from msp_core._logs.setup import Logs
from msp_core.assembly import Assembly
from msp_core.errors import MSPError, PluginError
from msp_core.integration import FailedStart

logger = logging.getLogger("msp.start")

PATIENCE = 2.0
"""Seconds for all plugins together, which report to receivers that may be down."""


def tell_plugins(assembly: Assembly, error: MSPError, logs: Logs) -> None:
    """Call `msp_start_failed` of every plugin; never raises, and waits two seconds at most."""
    failure = FailedStart(
        name=assembly.service.name,
        version=assembly.service.version,
        instance_id=assembly.instance_id,
        environ=assembly.environ,
        error=error,
        scrub=logs.scrub,
    )

    def tell() -> None:
        try:
            assembly.plugins.start_failed(failure)
        except PluginError as refused:
            logger.warning("%s", refused, exc_info=refused.__cause__)

    thread = threading.Thread(target=tell, name="msp-start-failed", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        logger.warning("the failed start could not be reported in time")
