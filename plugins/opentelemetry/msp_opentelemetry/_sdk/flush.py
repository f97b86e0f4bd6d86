"""Flushing at the end, in the time that is left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from msp_core.authoring import bounded
from msp_core.deadline import closing

logger = logging.getLogger("msp.opentelemetry")

_MOST = 10.0  # seconds


async def flush_in_parallel(shutdowns: Mapping[str, Callable[[], object]]) -> None:
    """Shut providers down, which exports what waits; one that is late is left behind.

    The SDK keeps to no timeout while it exports, hence the threads.

    Args:
        shutdowns: () -> anything, by what is flushed.
    """
    seconds = closing(_MOST).remaining()
    began = time.monotonic()
    flushes = (_flush(name, shutdown, seconds) for name, shutdown in shutdowns.items())
    await asyncio.gather(*flushes)
    logger.debug("telemetry flushed", extra={"seconds": round(time.monotonic() - began, 4)})


async def _flush(name: str, shutdown: Callable[[], object], seconds: float) -> None:
    try:
        await bounded(shutdown, name=f"flush {name}", seconds=seconds)
    except TimeoutError:
        logger.warning("%s were not flushed in %.1f s: the last of them are lost", name, seconds)
    except Exception as error:  # noqa: BLE001 - the SDK's own; the stop goes on
        logger.warning("%s were not flushed: %s: %s", name, type(error).__name__, error)
