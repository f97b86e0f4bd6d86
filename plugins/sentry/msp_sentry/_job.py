"""The runtime's hook around the execution of a job."""

from __future__ import annotations

import logging

from msp_core.contract import JobContract
from msp_core.execution import Execution
from msp_core.hookspecs import hookimpl
from msp_sentry._check_in import CheckIn, check_in
from msp_sentry._sentry import Sentry


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
