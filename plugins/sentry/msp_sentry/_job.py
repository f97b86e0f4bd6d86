"""The runtime's hook around the execution of a job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from msp_core.contract import Contract
from msp_sentry._check_in import check_in


class Execution(Protocol):
    """What is needed of an execution."""

    @property
    def id(self) -> str:
        """UUIDv7 of the execution."""
        ...


@asynccontextmanager
async def msp_job_execution(contract: Contract, execution: Execution) -> AsyncIterator[None]:
    """Check in when the execution starts and, with its outcome, when it ends."""
    started = check_in(
        contract.environ,
        service=contract.name,
        version=contract.version,
        execution_id=str(execution.id),
        instance_id=contract.instance_id,
    )
    async with started:
        yield
