"""A job whose distribution declares its plugins: find them, open them, do nothing, close them."""

import json
import os
import sys
import time

from msp_core import JobContract, hookimpl
from msp_core.runtime import run


class Declared:
    """Does nothing."""

    name = "declared"
    version = "1"

    @hookimpl
    async def msp_execute(self, contract: JobContract) -> None:
        """Be done."""


if __name__ == "__main__":
    began, cpu = time.perf_counter(), time.process_time()
    code = run(Declared(), environ=os.environ, distribution="declared")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu}))
    sys.exit(code)
