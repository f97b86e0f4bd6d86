"""StopHandle: stops a run from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msp_core._life.stop_request import StopRequest, check_reason, stop_early


class StopHandle:
    """Stops, in order and from any thread, what `run(service, stop=handle)` runs; for one run."""

    def __init__(self) -> None:
        self._reason = ""
        self._ask: Callable[[str], object] = _do_nothing

    def stop(self, reason: str) -> None:
        """Ask for the stop and return at once; the first request counts, a signal's included.

        Before `run` it ends the run as soon as that has begun; after it nothing happens. A service
        stops with 0, a job that is not done is ended early.

        Args:
            reason: why, as it completes "stopped by …": `the end of the test`. Not empty.

        Raises:
            UsageError: the reason is empty.
        """
        self._reason = self._reason or check_reason(reason)
        self._ask(self._reason)

    def bind(self, request: StopRequest) -> None:
        """Pass requests on, those of before included; called by the runtime."""
        # In this order a request from another thread is passed on by one of the two, or by both.
        self._ask = partial(stop_early, request)
        if self._reason:
            self._ask(self._reason)


def _do_nothing(_reason: str) -> None:
    """Stand in until `bind`: the handle itself keeps the reason until the run begins."""
