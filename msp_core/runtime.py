"""start(): the life of a process, read from top to bottom; run() is the same without the exit."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from msp_core._core_config import CoreConfig
from msp_core._ledger import Ledger
from msp_core._life import LAST_LINES, Life, OnReady, log_failure
from msp_core._loading import Loading
from msp_core._log_config import LogConfig
from msp_core._logs import Logs, configure
from msp_core._stop_request import StopRequest
from msp_core._threads import await_threads
from msp_core._watchdog import Watchdog
from msp_core.assembly import Assembly, assemble
from msp_core.errors import ConfigError, MSPError, StopTimeoutError
from msp_core.platforms import Platform

logger: logging.Logger = logging.getLogger("msp.start")

HELP = frozenset({"-h", "-help", "--help"})


def start(
    service: object,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> NoReturn:
    """Run a service as this process, and leave with its exit code.

    Call it once, from the main thread, as the last line of `__main__.py`. Reads `os.environ` and
    the arguments `-h`, `-help`, `--help`; other arguments are the service's own.

    Args:
        service: with `name`, `version`, perhaps `config`, and the hook `msp_initialize`.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point tells.

    Raises:
        SystemExit: 0, 1, 2, 70 or 78; docs/reference/exit-codes.md says when.
    """
    code = run(service, plugins=plugins, distribution=distribution, argv=sys.argv[1:])
    await_threads(Platform.of(os.environ).shutdown_budget)
    raise SystemExit(code)


def run(
    service: object,
    *,
    environ: Mapping[str, str] | None = None,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
    argv: Sequence[str] = (),
    on_ready: OnReady | None = None,
) -> int:
    """Run a service until it is stopped, and return the exit code.

    Args:
        service: as for `start`.
        environ: the variables; default `os.environ`.
        plugins: as for `start`.
        distribution: as for `start`.
        argv: arguments; one of `-h`, `-help`, `--help` prints the help and returns 0.
        on_ready: (contract), called once when the service is ready.

    Returns:
        0, 1, 2 or 78. A process that must leave with 70 does so from here, because what hangs
        would keep it from returning.
    """
    given = dict(os.environ if environ is None else environ)
    if given.get("SANITY_CHECK") == "true":
        return _sanity_check(service)
    instance_id = uuid.uuid4().hex
    logs = _configure_logs(service, given, instance_id)
    ledger = Ledger()
    watchdog = Watchdog(logs, lambda: ledger.current)
    stop = StopRequest(Platform.of(given).shutdown_budget, watchdog)
    try:
        with stop.on_signals():
            assembly = assemble(
                service,
                given,
                plugins=plugins,
                distribution=distribution,
                instance_id=instance_id,
            )
            if not HELP.isdisjoint(argv):
                return _print_help(assembly)
            core = _checked(assembly, logs)
            stop.budget = core.shutdown_budget or stop.budget
            return _serve(Life(assembly, logs, stop, ledger, on_ready), logs)
    except ConfigError as error:
        for problem in error.problems:
            # One line each, without a traceback: the texts say all there is.
            logger.error("%s", problem, extra={"variable": problem.variable})  # noqa: TRY400
        return error.exit_code
    except MSPError as error:
        log_failure(logger, "failed to start", error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last resort: logged, and an exit code
        log_failure(logger, "failed to start", error)
        return 1
    finally:
        logs.close()
        watchdog.disarm()


def _sanity_check(service: object) -> int:
    """Print name and version, as tests of images ask for; nothing else has happened yet."""
    name, version = getattr(service, "name", ""), getattr(service, "version", "")
    print(json.dumps({"name": name, "version": version}))  # noqa: T201 - the answer
    sys.stderr.write("SANITY CHECK: the program starts and knows its name and version")
    return 0


def _print_help(assembly: Assembly) -> int:
    from msp_core._help import render_help  # noqa: PLC0415 - not needed to serve

    name, version = assembly.service.name, assembly.service.version
    print(render_help(name, version, assembly.kind, assembly.variables))  # noqa: T201 - the answer
    return 0


def _configure_logs(service: object, environ: Mapping[str, str], instance_id: str) -> Logs:
    """Set up logging before anything can fail; a bad variable is reported with the others."""
    config = Loading(environ).section(LogConfig, "core") or LogConfig()
    return configure(
        config,
        service=str(getattr(service, "name", "unknown")),
        version=str(getattr(service, "version", "unknown")),
        instance_id=instance_id,
        environment_id=environ.get("ENVIRONMENT_ID", "unknown"),
        platform=Platform.of(environ),
        project=environ.get("GOOGLE_CLOUD_PROJECT"),
    )


def _checked(assembly: Assembly, logs: Logs) -> CoreConfig:
    """Log what is merely suspicious; raise what is wrong; return the core's variables."""
    logs.add_secrets(assembly.secrets)
    for near_miss in assembly.near_misses:
        logger.warning("%s", near_miss)
    if assembly.problems or assembly.core is None:
        raise ConfigError(assembly.problems)
    return assembly.core


def _serve(life: Life, logs: Logs) -> int:
    """Live on an event loop; leave from here when something on it or beside it hangs."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(life.live())
        if code == StopTimeoutError.exit_code:
            logs.flush(LAST_LINES)
            os._exit(code)  # closing the loop would wait for what hangs
    return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's when it is installed (extra `uvloop`)."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - optional

    return uvloop.new_event_loop
