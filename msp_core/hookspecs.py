"""The hooks of the contract: what a plugin, a service and a job may implement."""

# A specification has no body.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import pluggy

from msp_core.asgi import ASGIMiddleware
from msp_core.contract import Contract, JobContract, ServiceContract
from msp_core.diagnostics import Route
from msp_core.execution import Execution
from msp_core.integration import Command, FailedStart, Integration, LogProcessor
from msp_core.routines import Routine

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker("msp")

hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker("msp")
"""Marks an implementation of one of the hooks below, `@hookimpl`.

Where the order is declared order, `@hookimpl(tryfirst=True)` comes before all others, and
`@hookimpl(trylast=True)` after them.
"""

# Hooks that a service or a job implements; no plugin does.
SERVICE_HOOKS = ("msp_initialize", "msp_healthy", "msp_execute")

# Hooks that a plugin implements; no service does.
PLUGIN_HOOKS = (
    "msp_integration",
    "msp_log_processor",
    "msp_asgi_middleware",
    "msp_diagnostics_routes",
    "msp_job_execution",
    "msp_job_lock",
    "msp_start_part",
    "msp_start_failed",
    "msp_check_service",
    "msp_commands",
)


@hookspec
def msp_integration() -> Integration[Any, Any]:
    """Describe the resource this plugin provides.

    When: once per process, after the plugin was loaded and before the environment is read; also
    by `msp env`, `msp plugins` and `msp check`.
    With: nothing.
    Return: the `Integration` record; it must be cheap, with no vendor library imported.
    If it raises: the process ends with a `PluginError` that names the plugin.
    Order: declared order.
    """


@hookspec
def msp_log_processor(contract: Contract) -> LogProcessor:
    """Give a function that adds fields to every log record, such as trace ids.

    When: once, after the integrations were opened, before `msp_initialize` or `msp_execute`.
    With: the contract.
    Return: a function (record, fields) -> None, called in the thread and context that logs.
    If it raises: the start fails with a `PluginError`; what the returned function raises is
    dropped, the line is still written.
    Order: declared order; a later one sees and may replace what an earlier one added.
    """


@hookspec
def msp_asgi_middleware(contract: Contract) -> ASGIMiddleware:
    """Give a function that wraps the service's ASGI application.

    When: once, after the integrations were opened, for a job and `open_contract` too; each
    `HTTPServer` calls the function when it starts.
    With: the contract.
    Return: a function app -> app.
    If it raises: the start fails with a `PluginError`.
    Order: declared order, the first declared outermost; all lie inside diagnostics and access log.
    """


@hookspec
def msp_diagnostics_routes(contract: Contract) -> list[Route]:
    """Give extra endpoints for the diagnostics application, such as `/metrics`.

    When: once, after the integrations were opened.
    With: the contract.
    Return: a list of `Route` records.
    If it raises: the start fails with a `PluginError`.
    Order: declared order; a path that exists already is a `PluginError`.
    """


@hookspec
def msp_job_execution(
    contract: JobContract, execution: Execution
) -> AbstractAsyncContextManager[Any] | None:
    """Wrap the execution of a job, such as in a root span or between two check-ins.

    When: once per execution, after every integration was opened; the context manager is entered
    before `msp_execute` and left after it, while the integrations are still open.
    With: the contract and its execution.
    Return: an async context manager, or None. It has 5 seconds to be entered, and is left under a
    share of the shutdown budget (`close_deadline`). Context variables it sets are seen by the job.
    If it raises: a warning; the job goes on, and its exit code stays what it is. What the job
    raised goes through `__aexit__` and cannot be swallowed there: `JobDeadlineError` and
    `JobCancelledError` say that it was ended, `StopTimeoutError` that it would not end.
    Order: declared order, telemetry first; left in reverse. What others belong to, such as a root
    span, says `@hookimpl(tryfirst=True)`.
    """


@hookspec
def msp_job_lock(
    contract: JobContract, name: str
) -> AbstractAsyncContextManager[asyncio.Event] | None:
    """Give the lock that keeps a second execution of a job from running beside the first.

    When: once per execution of a job that has an attribute `lock`, around `msp_execute`.
    With: the contract and the lock's name; of a job with several tasks each has a lock of its own.
    Return: an async context manager whose target is an event, set when the lock is lost; or None
    when this plugin has no locks to give, as when it is not configured. Entering it must not wait
    for the lock.
    If it raises: `LockHeldError` while being entered says that another execution holds the lock,
    and the process leaves with 0; anything else fails the execution. What leaving it raises is a
    warning.
    Order: declared order; the first lock that is given counts.
    """


@hookspec
def msp_start_part(contract: Contract, part: str) -> AbstractContextManager[Any] | None:
    """Wrap a part of the start, such as in a span.

    When: once the telemetry integrations are open: for `start`, which is around all other parts,
    for `open NAME` of each other integration, and for `initialize`. Not by `open_contract`.
    With: the contract, in which the integrations of telemetry are open, and the name of the part.
    Return: a context manager, or None. It is entered and left on the event loop, and must not wait.
    If it raises: the start fails with a `PluginError`.
    Order: declared order; left in reverse.
    """


@hookspec
def msp_start_failed(failure: FailedStart) -> None:
    """Report a start that failed before the integrations were opened.

    When: once, after the problems of the configuration, or a port that is taken, were logged and
    before the process ends. What fails later is logged while telemetry is open.
    With: what is known by then; there is no contract.
    Return: nothing, within 2 seconds: it runs in a thread of its own, which is not waited for any
    longer. The plugin loads its own config, which may be one of those that are wrong.
    If it raises: one warning; plugins declared later are not asked any more.
    Order: declared order, one after the other.
    """


@hookspec
def msp_check_service(service: Any) -> list[str]:  # noqa: ANN401 - the user's own object
    """Judge what is installed of the service, without its variables.

    When: by `msp check`, with and without `--image`; never by a start.
    With: the service or job, which is not started.
    Return: problems, one clause in lower case each, with what to do and without any variable's
    value; an empty list when all is well. Nothing may be connected to.
    If it raises: the check fails with a `PluginError`, exit code 1.
    Order: declared order.
    """


@hookspec
def msp_commands() -> list[Command]:
    """Give the sub-commands this distribution adds to `msp`.

    When: once per `msp` call, and only when the command asked for is one that the distribution
    lists under its `msp.commands` entry points.
    With: nothing.
    Return: a list of `Command` records.
    If it raises: `msp` ends with a `PluginError`.
    Order: none; two distributions that list one name are a `PluginError`.
    """


@hookspec(firstresult=True)
def msp_initialize(
    contract: ServiceContract,
    config: Any,  # noqa: ANN401 - the service's own config class
) -> Routine | Awaitable[Routine]:
    """Build the service: take clients from the contract, return what runs.

    When: once, after every integration was opened.
    With: the contract and the service's own config (None when it declares none).
    Return: the routine to run; `CombinedRoutine` makes one of several. May be `async def`; a plain
    `def` runs in a worker thread.
    If it raises: everything opened is closed again, the cause is logged, exit code 1, or what an
    `MSPError` says: 2 for `UsageError`, 78 for `ConfigError`.
    Order: one service, one implementation.
    """


@hookspec(firstresult=True)
def msp_healthy(contract: Contract, query: Mapping[str, str]) -> Awaitable[None] | None:
    """Say whether the service is healthy by raising when it is not.

    When: on `/-/healthz` with the caller's query, and on `/-/ready` and `/-/health` with an empty
    one; cached and single-flight, so far less often than probes arrive.
    With: the contract and the query parameters, the last value of each name.
    Return: nothing. May be `async def`; a plain `def` runs in a worker thread. Must answer within
    the check timeout. Judge what a restart mends: where the platform's liveness probe is
    `/-/healthz`, pinging a database means restarts while it is away. Plugins check resources.
    If it raises: unhealthy; the text, scrubbed of secrets, is shown to holders of the secret.
    Order: one service, one implementation.
    """


@hookspec(firstresult=True)
def msp_execute(
    contract: JobContract,
    config: Any,  # noqa: ANN401 - the job's own config class
) -> Any:  # noqa: ANN401 - a result summary of the job's own shape
    """Do the job's work, once.

    When: once per execution, after every integration was opened.
    With: the contract and the job's own config (None when it declares none).
    Return: nothing, or a summary that is logged. May be `async def`, which is cancelled when the
    execution is to end early; a plain `def` runs in a worker thread and looks at
    `contract.execution.cancelled`.
    If it raises: the execution failed, exit code 1, or what an `MSPError` says: 65 for
    `PermanentError`, 78 for `ConfigError`.
    Order: one job, one implementation.
    """
