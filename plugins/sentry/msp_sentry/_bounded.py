"""Bounded: running what may hang in a thread, under a hard deadline.

The SDK promises to keep its timeouts, and waits for a lock before it starts to count.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable

from msp_core.deadline import Deadline

logger = logging.getLogger("msp.sentry")


async def finish(call: Callable[[], object], deadline: Deadline) -> bool:
    """Return whether the call was over by the deadline; never raises what it raises."""
    future = asyncio.wrap_future(_started(call))
    done, _ = await asyncio.wait({future}, timeout=deadline.remaining())
    return bool(done)


def finish_plain(call: Callable[[], object], deadline: Deadline) -> bool:
    """Do the same where there is no event loop, or where it may stand still."""
    done, _ = concurrent.futures.wait({_started(call)}, deadline.remaining())
    return bool(done)


def _started(call: Callable[[], object]) -> concurrent.futures.Future[None]:
    """Run the call in a thread that does not keep the process from ending."""
    future = concurrent.futures.Future[None]()
    future.set_running_or_notify_cancel()  # from now on nobody can cancel it

    def run() -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - somebody else's library; it must not matter
            logger.warning("Sentry's SDK failed", extra={"error": type(error).__name__})
        future.set_result(None)

    threading.Thread(target=run, name="msp-sentry", daemon=True).start()
    return future
