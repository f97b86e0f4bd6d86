"""The root span of a job's execution. Imports the API."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from opentelemetry.trace import SpanKind, Tracer

from msp_core.authoring import record_error
from msp_core.execution import Execution


@contextlib.asynccontextmanager
async def execution_span(tracer: Tracer, job: str, execution: Execution) -> AsyncIterator[None]:
    """Put everything the job does into one trace.

    Args:
        tracer: makes the span.
        job: name of the job.
        execution: of it.
    """
    attributes: dict[str, str | int] = {
        "msp.job.name": job,
        "msp.job.execution.id": execution.id,
        "msp.job.task.index": execution.task_index,
        "msp.job.task.count": execution.task_count,
        "msp.job.attempt": execution.attempt,
    }
    if execution.platform_execution is not None:
        attributes["gcp.cloud_run.job.execution"] = execution.platform_execution
    name = f"execute {job}"
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.INTERNAL,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BaseException as error:
            record_error(span, error, None)
            raise
