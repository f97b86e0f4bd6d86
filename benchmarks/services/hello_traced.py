"""Starlette's hello on the runtime, with traces, metrics, Sentry and the JSON access log."""

from benchmarks.services.starlette_hello import starlette_app
from msp_core import Routine, ServiceContract, hookimpl, start
from msp_core.http import HTTPServer


class Hello:
    """Answers a greeting."""

    name = "hello"
    version = "1"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract) -> Routine:
        """Serve."""
        return HTTPServer(starlette_app(), contract)


if __name__ == "__main__":
    start(Hello(), plugins=("opentelemetry", "sentry"))
