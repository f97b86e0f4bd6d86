"""start(), execute_job(): the life of a process, top to bottom; run() is that without the exit."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import attrs

from msp_core import _budget
from msp_core._life.exit_code import exit_code
from msp_core._life.failed_start import tell_plugins
from msp_core._life.life import Life
from msp_core._life.process import Process
from msp_core._life.service import OnReady, ServiceLife
from msp_core._life.stop_handle import StopHandle
from msp_core._life.wakeup import wake_on_signals
from msp_core._logs.capture import log_loop_exception
from msp_core._logs.setup import Logs
from msp_core._plugins.service_hooks import ServiceHooks
from msp_core._start.collector import postpone_collections
from msp_core._text.failure import log_failure
from msp_core.assembly import Assembly, assemble
from msp_core.assembly._core_config import CoreConfig, ServiceVariables
from msp_core.errors import ConfigError, PortError, UsageError
from msp_core.services import find_service

logger: logging.Logger = logging.getLogger("msp.start")

HELP = frozenset({"-h", "-help", "--help"})


def start(
    service: object | str,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> NoReturn:
    """Run a service as this process, and leave with its exit code.

    Call it once, from the main thread, as the last line of `__main__.py`. Reads `os.environ` and
    the arguments `-h`, `-help`, `--help`; other arguments are the service's own.

    Args:
        service: with `name`, `version`, perhaps `config` and `needs`, and the hook
            `msp_initialize`; or the name it is installed under, or `module:Class`: then a declared
            plugin that is not installed is named in one sentence before the service's own import of
            it fails.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point names it.

    Raises:
        SystemExit: 0, 1, 2, 70 or 78; docs/reference/exit-codes.md says when.
    """
    postpone_collections()  # before the service is imported, if it is not yet
    arguments = sys.argv[1:]
    service = _find_or_exit(service, lambda _: None)
    raise SystemExit(
        run(service, plugins=plugins, distribution=distribution, argv=arguments, exits=True)
    )


def execute_job(
    job: object | str,
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
) -> NoReturn:
    """Execute a job as this process, and leave with its exit code.

    Call it as `start` is called, whose arguments it takes.

    Args:
        job: with `name`, `version`, perhaps `config` and `lock`, and the hook `msp_execute`; or
            its name, as for `start`. A service is refused.
        plugins: as for `start`.
        distribution: as for `start`.

    Raises:
        SystemExit: 0, 1, 2, 65, 70 or 78; docs/reference/exit-codes.md says when.
    """
    start(_find_or_exit(job, expect_job), plugins=plugins, distribution=distribution)


def expect_job(service: object) -> None:
    """Raise unless it is a job.

    Raises:
        UsageError: it is a service, or neither.
    """
    if not ServiceHooks(service).is_job:
        name = getattr(service, "name", type(service).__name__)
        raise UsageError(f"{name!r} is a service, expected a job: start it with start() or msp run")


def run(
    service: object,
    *,
    environ: Mapping[str, str] | None = None,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
    argv: Sequence[str] = (),
    on_ready: OnReady | None = None,
    stop: StopHandle | None = None,
    exits: bool = False,
) -> int:
    """Run a service until it is stopped, or a job until it is done, and return the exit code.

    Args:
        service: as for `start`.
        environ: the variables; default `os.environ`.
        plugins: as for `start`.
        distribution: as for `start`.
        argv: arguments; one of `-h`, `-help`, `--help` prints the help and returns 0.
        on_ready: (contract), called once when the service is ready; never for a job.
        stop: stops the run from outside, from any thread: `stop.stop("the end of the test")`.
        exits: whether the process exits next: then threads left behind are waited for, and log
            lines and signals stay with the runtime to the end. Default False, giving them back.

    Returns:
        0, 1, 2, 65 or 78. A process that must leave with 70 does so from here, because what hangs
        would keep it from returning.
    """
    given = dict(os.environ if environ is None else environ)
    if _sanity_check(service, given):
        return 0
    process = Process(service, given)
    try:
        return _run(process, service, given, plugins, distribution, argv, on_ready, stop)
    finally:
        if exits:
            process.finish()
        else:
            process.release()


def _run(
    process: Process,
    service: object,
    environ: Mapping[str, str],
    plugins: Sequence[str] | None,
    distribution: str | None,
    argv: Sequence[str],
    on_ready: OnReady | None,
    stop: StopHandle | None,
) -> int:
    """Turn every way to end, errors included, into an exit code and its log lines."""
    try:
        assembly = assemble(
            service,
            environ,
            plugins=plugins,
            distribution=distribution,
            instance_id=process.origin.instance_id,
        )
        if not HELP.isdisjoint(argv):
            return _print_help(assembly)
        return _live(assembly, process, on_ready, stop)
    except Exception as error:  # noqa: BLE001 - the last resort: logged, and an exit code
        log_failure(logger, "failed to start", error)
        return exit_code(error)


def _live(
    assembly: Assembly, process: Process, on_ready: OnReady | None, stop: StopHandle | None
) -> int:
    """Serve or execute, unless the environment has problems."""
    try:
        core = _check(assembly, process.logs)
        _try_port(assembly)
    except (ConfigError, PortError) as error:
        _log_early_failure(error)
        tell_plugins(assembly, error, process)
        return exit_code(error)
    # Before the handle is bound: a stop that it was asked for earlier gets its deadline there.
    process.stop.budget = core.shutdown_budget or process.stop.budget
    if stop is not None:
        stop.bind(process.stop)
    return _serve(_make_life(assembly, process, on_ready), process.logs)


def _log_early_failure(error: ConfigError | PortError) -> None:
    if isinstance(error, PortError):
        log_failure(logger, "failed to start", error)
        return
    for problem in error.problems:
        # One line each, without a traceback: the texts say all there is.
        logger.error("%s", problem, extra={"variable": problem.variable})


def _try_port(assembly: Assembly) -> None:
    """Find out that the port is taken before anything is opened; a job has none.

    Nobody knows yet what will listen: `HTTPServer`, which finds out by itself when the port is
    shared, a server that shares it, such as gRPC's, or nothing, which says `PORT=0`.
    """
    if isinstance(assembly.own, ServiceVariables):
        from msp_core.http._port import try_port  # noqa: PLC0415 - a job needs none of it

        try_port(assembly.own.port, shared=True)


def _find_or_exit(service: object | str, check: Callable[[object], None]) -> object:
    """Import and check the service; what is wrong with it ends the process with a log line."""
    try:
        found = find_service(service) if isinstance(service, str) else service
        check(found)
    except Exception as error:  # noqa: BLE001 - the service's own, such as an import of it
        known = _Unimported(service) if isinstance(service, str) else service
        process = Process(known, os.environ)
        log_failure(logger, "failed to start", error)
        process.finish()
        raise SystemExit(exit_code(error)) from None
    return found


@attrs.frozen(eq=False)
class _Unimported:
    """Stands for a service that could not be imported, in its log line."""

    name: str


def _sanity_check(service: object, environ: Mapping[str, str]) -> bool:
    """Print name and version when a test of an image asks for them, before anything else."""
    if environ.get("SANITY_CHECK") != "true":
        return False
    name, version = getattr(service, "name", ""), getattr(service, "version", "")
    print(json.dumps({"name": name, "version": version}))  # noqa: T201 - the answer
    sys.stderr.write("SANITY CHECK: the program starts and knows its name and version")
    return True


def _print_help(assembly: Assembly) -> int:
    from msp_core.config._formats import render_help  # noqa: PLC0415 - not needed to serve

    name, version = assembly.service.name, assembly.service.version
    print(render_help(name, version, assembly.kind, assembly.variables))  # noqa: T201 - the answer
    return 0


def _check(assembly: Assembly, logs: Logs) -> CoreConfig:
    """Log what is merely suspicious; raise what is wrong; return the core's variables."""
    logs.add_secrets(assembly.secrets)
    for suspicious in (*assembly.ignored, *assembly.near_misses):
        logger.warning("%s", suspicious)
    if assembly.problems or assembly.core is None:
        raise ConfigError(assembly.problems)
    return assembly.core


def _make_life(assembly: Assembly, process: Process, on_ready: OnReady | None) -> Life[Any]:
    if assembly.hooks.is_job:
        from msp_core._jobs.life import JobLife  # noqa: PLC0415 - not needed to serve

        return JobLife(assembly, process)
    return ServiceLife(assembly, process, on_ready)


def _serve(life: Life[Any], logs: Logs) -> int:
    """Live on an event loop; leave from here when something on it or beside it hangs."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(log_loop_exception)
        with wake_on_signals(loop):
            code = _run_to_end(life, loop)
        if life.stuck:
            logs.flush(_budget.flush_of_last_lines())
            os._exit(code)  # closing the loop would wait for what hangs
    return code


def _run_to_end(life: Life[Any], loop: asyncio.AbstractEventLoop) -> int:
    """Run the life to its end, although a task may raise what ends the loop before."""
    living = loop.create_task(life.live(), name="life")
    while not living.done():
        try:
            loop.run_until_complete(living)
        except (KeyboardInterrupt, SystemExit) as end:
            # `living` is not over: run again, the loop goes on where it was, to stop in order.
            life.interrupt(end)
    return living.result()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's when it is installed (extra `uvloop`)."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - optional

    return uvloop.new_event_loop
