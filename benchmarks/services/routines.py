"""A service of a number of routines, named by the argument: start it, stop it when it is ready."""

import json
import os
import sys
import time

from msp_core import CombinedRoutine, NoopRoutine, Routine, ServiceContract, StopHandle, hookimpl
from msp_core.runtime import run


class Many:
    """Has many routines."""

    name = "many"
    version = "1"

    def __init__(self, many: int) -> None:
        self._many = many

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Return all of them as one."""
        del contract
        return CombinedRoutine(*(NoopRoutine() for _ in range(self._many)))


if __name__ == "__main__":
    stop = StopHandle()
    began, cpu = time.perf_counter(), time.process_time()
    code = run(
        Many(int(sys.argv[1])),
        environ=os.environ,
        plugins=(),
        on_ready=lambda _: stop.stop("the end of the measurement"),
        stop=stop,
    )
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))
    sys.exit(code)
