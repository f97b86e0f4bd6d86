"""EmbeddedServer: uvicorn without its signals, sockets and drain; those are ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn

from msp_core.asgi import ASGIApp
from msp_core.errors import RoutineError

# Seconds an idle connection is kept. Load balancers keep theirs up to 600 s and lose a request
# when the server closes first.
_KEEP_ALIVE = 620


class EmbeddedServer(uvicorn.Server):
    """Speaks HTTP on connections it is given, and runs the application's lifespan.

    Args:
        app: the ASGI application.
        name: of the routine, for errors.
        trust_proxy: whether client address and scheme come from `X-Forwarded-*`.
        listen: called once the application is up; begins to bring connections.
    """

    def __init__(
        self, app: ASGIApp, *, name: str, trust_proxy: bool, listen: Callable[[], None]
    ) -> None:
        self._name = name
        self._listen = listen
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                loop="none",
                workers=1,  # else uvicorn reads WEB_CONCURRENCY
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=trust_proxy,
                forwarded_allow_ips="*",
                timeout_keep_alive=_KEEP_ALIVE,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the runtime."""
        yield

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return self.config.http_protocol_class(  # type: ignore[call-arg] # as uvicorn does
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def startup(
        self,
        sockets: list[socket.socket] | None = None,  # noqa: ARG002 - uvicorn's signature
    ) -> None:
        """Run the application's lifespan startup, then let connections in."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise self._failure("the application refused its lifespan startup")
        try:
            self._listen()
        except RoutineError:
            await self.lifespan.shutdown()  # the application is up by now
            raise
        self.started = True

    async def shutdown(
        self,
        sockets: list[socket.socket] | None = None,  # noqa: ARG002 - uvicorn's signature
    ) -> None:
        """Run the application's lifespan shutdown; connections were ended before."""
        await self.lifespan.shutdown()
        if self.lifespan.should_exit:
            raise self._failure("the application failed in its lifespan shutdown")

    def _failure(self, what: str) -> RoutineError:
        return RoutineError(f'routine "{self._name}": {what}', routine=self._name)
