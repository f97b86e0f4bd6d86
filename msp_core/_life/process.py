"""Process: what a running service has of its process: log lines, signals, a watchdog."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Mapping

from msp_core import _budget
from msp_core._life.ledger import Ledger
from msp_core._life.stop_request import StopRequest
from msp_core._life.watchdog import Watchdog
from msp_core._logs.config import LogConfig
from msp_core._logs.setup import Logs, configure
from msp_core._text.stacks import thread_stacks
from msp_core._text.terminal import is_coloured
from msp_core.config._loading import Loading, is_msp
from msp_core.contract import Origin
from msp_core.deadline import Deadline
from msp_core.platforms import Platform


class Process:
    """Takes over logging and signals of the process, before anything else can fail.

    Args:
        service: whose name and version the log lines carry.
        environ: the variables; those of logging are read here.

    Attributes:
        origin: which process this is, for log lines, telemetry and events.
        logs: where every line goes.
        ledger: of the stop.
        stop: asked for by signals from now on.
    """

    def __init__(self, service: object, environ: Mapping[str, str]) -> None:
        self.origin = _make_origin(service, environ)
        self.logs = _set_up_logs(self.origin, environ)
        self.ledger = Ledger()
        self._watchdog = Watchdog(self.logs, lambda: self.ledger.current)
        self.stop = StopRequest(Platform.of(environ).shutdown_budget, self._watchdog)
        # Last: from here on a handler may need all of the above.
        self._restore_signals = self.stop.take_signals()

    def release(self) -> None:
        """Give back what was taken; for a caller that lives on."""
        # In this order: while the last lines are written, the watchdog and a second signal can
        # still end a process in which that hangs.
        self.logs.close()
        self._watchdog.disarm()
        self._restore_signals()

    def finish(self) -> None:
        """Wait for threads the service left behind; the process is to exit next.

        Log lines and signals stay with us until the interpreter is gone: what is logged, or warned
        of, at exit has the same format as everything else. A thread that does not end within what
        is left of the shutdown budget is named, and the process leaves with 70. The watchdog stays
        armed for what comes after: functions of `atexit`, and a log that nobody reads.
        """
        self.stop.watch_signals()
        # That of the stop, so that nothing is counted twice; of a run that ended before there was
        # one, it begins now.
        deadline = self.stop.ask()
        deadline = Deadline(deadline.when - _budget.last_lines(deadline.remaining()))
        own = threading.current_thread()
        for thread in threading.enumerate():
            if thread is own or thread.daemon:  # the interpreter does not wait for those either
                continue
            thread.join(deadline.remaining())
            if thread.is_alive():
                stack = thread_stacks(without=frozenset({threading.get_ident()}))
                self._watchdog.exit(70, f"thread {thread.name} did not end in time", stack=stack)


def _make_origin(service: object, environ: Mapping[str, str]) -> Origin:
    """Name this process, before it is known whether the service has a name at all."""
    return Origin(
        name=str(getattr(service, "name", "unknown")),
        version=str(getattr(service, "version", "unknown")),
        environment_id=environ.get("ENVIRONMENT_ID", "unknown"),
        instance_id=uuid.uuid4().hex,
    )


def _set_up_logs(origin: Origin, environ: Mapping[str, str]) -> Logs:
    """Set up logging; a bad variable of its own is reported later, with all the others."""
    config = Loading(environ).section(LogConfig, "core") or LogConfig()
    return configure(
        config,
        origin=origin,
        platform=Platform.of(environ),
        project=environ.get("GOOGLE_CLOUD_PROJECT"),
        colour=is_coloured(sys.stderr, environ),
        watched=_is_watched(environ),
    )


def _is_watched(environ: Mapping[str, str]) -> bool:
    """Return whether a person reads along: on a laptop, when stderr is a terminal."""
    laptop = Platform.of(environ) is Platform.LOCAL and not is_msp(environ)
    return laptop and sys.stderr is not None and sys.stderr.isatty()
