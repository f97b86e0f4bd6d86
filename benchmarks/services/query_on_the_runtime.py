"""Queries through a pool of the runtime, with the plugins that arguments name."""

import sys

from benchmarks.services.blocks_routine import Blocks
from benchmarks.services.query_calls import query_calls
from msp_cloudsql import CloudSQL
from msp_core import Routine, ServiceContract, hookimpl, start


class Query:
    """Queries when it is asked to."""

    name = "query"
    version = "1"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Answer blocks."""
        return Blocks(query_calls(contract[CloudSQL].pool("primary")))


if __name__ == "__main__":
    start(Query(), plugins=tuple(sys.argv[1:]))
