"""The application of the bare server on the runtime."""

from benchmarks.services.bare import app
from msp_core import Routine, ServiceContract, hookimpl, start
from msp_core.http import HTTPServer


class Hello:
    """Answers an empty object."""

    name = "hello"
    version = "1"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Serve."""
        return HTTPServer(app, contract)


if __name__ == "__main__":
    start(Hello(), plugins=())
