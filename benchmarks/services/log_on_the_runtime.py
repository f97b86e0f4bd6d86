"""The log of the runtime, to standard error."""

from benchmarks.services.blocks_routine import Blocks
from benchmarks.services.log_calls import log_calls
from msp_core import Routine, ServiceContract, hookimpl, start


class Log:
    """Logs when it is asked to."""

    name = "log"
    version = "1"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Answer blocks."""
        del contract
        return Blocks(log_calls)


if __name__ == "__main__":
    start(Log(), plugins=())
