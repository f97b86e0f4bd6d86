"""The hooks through which the runtime knows Sentry."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from msp_core.asgi import ASGIApp, ASGIMiddleware
from msp_core.config import load
from msp_core.contract import Contract, JobContract
from msp_core.deadline import closing
from msp_core.errors import ConfigError, Problem
from msp_core.execution import Execution
from msp_core.hookspecs import hookimpl
from msp_core.integration import FailedStart, Integration
from msp_sentry._check_in import CheckIn, check_in
from msp_sentry._config import SentryConfig
from msp_sentry._sentry import Sentry

# Seconds for sending what waits, at most; the shutdown budget may leave less.
FLUSH: Final = 5.0

# Seconds for reporting a start that failed; below what the runtime waits for.
LAST_WORDS: Final = 1.5


@asynccontextmanager
async def open_sentry(config: SentryConfig, contract: Contract) -> AsyncIterator[Sentry]:
    """Report errors until left; then send what waits, within the shutdown budget."""
    from sentry_sdk.client import NonRecordingClient  # noqa: PLC0415 - vendor library: opened here

    from msp_sentry._reporting import Reporting  # noqa: PLC0415 - imports the vendor library

    reporting = Reporting.of(config, contract.origin, scrub=contract.scrub)
    tracing = config.traces_sample_rate > 0
    if reporting is None:
        yield Sentry(NonRecordingClient(), tracing=tracing)
        return
    reporting.start()
    try:
        yield Sentry(reporting.client, tracing=tracing)
    finally:
        await reporting.close(closing(FLUSH))


def dev_receiver(folder: Path) -> AbstractAsyncContextManager[Mapping[str, str]]:
    """Give the receiver; production never imports what starts it."""
    from msp_sentry._dev import sentry_receiver  # noqa: PLC0415 - imported where it is started

    return sentry_receiver(folder)


@hookimpl
def msp_integration() -> Integration[SentryConfig, Sentry]:
    """Describe Sentry."""
    return Integration(
        name="sentry",
        config=SentryConfig,
        client=Sentry,
        open=open_sentry,
        telemetry=True,
        dev=dev_receiver,
    )


@hookimpl
def msp_asgi_middleware(contract: Contract) -> ASGIMiddleware:
    """Give each request a scope of its own."""
    if not contract.configured(Sentry) or not contract[Sentry].enabled:
        return _pass_through
    from msp_sentry._request_scope import (  # noqa: PLC0415 - imports the vendor library
        RequestScope,
        make_scopes,
    )

    tracing = contract[Sentry].tracing
    # The server wraps the application in the task whose connections inherit its scopes.
    return lambda app: RequestScope(app=app, tracing=tracing, forked=make_scopes())


@hookimpl
def msp_job_execution(contract: JobContract, execution: Execution) -> CheckIn | None:
    """Check in when the execution starts and, with its outcome, when it ends.

    The runtime logs start and outcome itself; None where there is nothing to send. A malformed DSN
    was warned of when the variables were read, and is not read again.
    """
    if not contract.configured(Sentry) or not contract[Sentry].enabled:
        return None
    made = check_in(
        contract.environ,
        service=contract.name,
        version=contract.version,
        execution_id=execution.id,
        instance_id=contract.instance_id,
        level=logging.DEBUG,
    )
    return made if made.monitored else None


@hookimpl
def msp_start_failed(failure: FailedStart) -> None:
    """Report a start that problems of the configuration have ended."""
    try:
        config = load(SentryConfig, failure.environ, on_ignored=_is_logged)
    except ConfigError:  # there is no DSN: nothing else of Sentry's is ever a problem
        return
    from msp_sentry._outgoing import make_event  # noqa: PLC0415 - same
    from msp_sentry._reporting import Reporting  # noqa: PLC0415 - imports the vendor library

    reporting = Reporting.of(config, failure.origin, scrub=failure.scrub)
    if reporting is not None:
        event, hint = make_event(failure.error, reporting.client, logger="msp.start")
        event["level"] = "fatal"
        reporting.client.capture_event(event, hint)
        reporting.client.close(LAST_WORDS)


def _is_logged(_: Problem) -> None:
    """Say nothing: what is ignored was logged before the problems that ended the start."""


def _pass_through(app: ASGIApp) -> ASGIApp:
    return app
