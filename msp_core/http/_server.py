"""HTTPServer: the routine that listens, serves and drains."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from msp_core import _budget
from msp_core.asgi import ASGIApp
from msp_core.contract import ServiceContract
from msp_core.deadline import Deadline
from msp_core.errors import MSPError, RoutineError, StopTimeoutError
from msp_core.http._front import Front
from msp_core.http._inflight import Inflight
from msp_core.http._interface import interface_of
from msp_core.http._listener import Listener
from msp_core.http._port import port_error
from msp_core.platforms import Platform

if TYPE_CHECKING:
    from msp_core.http._uvicorn import EmbeddedServer
    from msp_core.http._wsgi import ThreadedWSGI


logger: logging.Logger = logging.getLogger("msp.http")

# What the extra `http` installs.
_EXTRA = frozenset({"uvicorn", "a2wsgi"})


class HTTPServer:
    """Serves one application on all interfaces at the contract's port.

    Diagnostics answer first, so probes meet neither the access log nor any middleware; then come
    access log and request identity, the contract's middleware, and the application.

    On Cloud Run, which lets no request in past its own proxy, client address and scheme are taken
    from `X-Forwarded-For` and `X-Forwarded-Proto`; a client may still forge the address.

    Attributes:
        name: `http`.

    Args:
        app: FastAPI, Starlette, Flask, Django or any other ASGI 3 or WSGI application, unchanged.
        contract: gives port, diagnostics and middleware.
        interface: `asgi` or `wsgi` where `auto` cannot tell from the application's signature.
            A WSGI application is served in up to 40 threads.
    """

    name = "http"

    def __init__(
        self,
        app: Callable[..., Any],
        contract: ServiceContract,
        *,
        interface: Literal["auto", "asgi", "wsgi"] = "auto",
    ) -> None:
        self._app = app
        self._contract = contract
        self._interface = interface_of(app) if interface == "auto" else interface
        self._inflight = Inflight()
        contract.diagnostics.inflight.append(self._inflight.__len__)
        self._listener: Listener | None = None
        self._server: EmbeddedServer | None = None
        self._threads: ThreadedWSGI | None = None
        self._serving: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._failure: BaseException | None = None
        self._up = False
        self._stopping = False

    @property
    def port(self) -> int | None:
        """The port listened on; None before `start` has bound it and after `stop` closed it."""
        return self._listener.port if self._listener else None

    async def wait_started(self) -> None:
        """Wait until requests are served.

        Raises:
            RoutineError: it could not start, or was stopped before it had.
        """
        await self._settled.wait()
        if self._failure is not None:
            raise self._failure
        if not self._up:
            raise RoutineError(
                f'routine "{self.name}" was stopped before it started', routine=self.name
            )

    async def start(self) -> None:
        """Serve until stopped.

        Raises:
            MSPError: the extra `http` is not installed.
            PortError: the port cannot be had.
            RoutineError: the application refused its lifespan startup.
        """
        # A task of its own, for `stop` to cancel while the application is not up yet.
        self._serving = asyncio.create_task(self._serve(), name="serve http")
        try:
            await self._serving
        except asyncio.CancelledError:
            if not self._stopping:  # else `stop` did it, and this is a normal end
                raise
        except Exception as error:
            self._failure = error
            if not self._stopping:  # else `stop` raises it
                raise
        finally:
            self._settled.set()
            self._release()

    async def stop(self, deadline: Deadline) -> None:
        """Answer every request that was accepted, then end the application.

        Raises:
            StopTimeoutError: a request was still being served at the deadline, its stack was
                logged; or the application did not end.
            RoutineError: the application failed while it ended.
        """
        # First: from here on every answer says that its connection closes.
        self._stopping = True
        serving = self._serving
        if serving is None or serving.done():
            return
        if not self._up or self._server is None or self._listener is None:
            serving.cancel()
            await asyncio.wait({serving}, timeout=deadline.remaining())
            return
        # No new connections, then the last answers, then the application: each needs the next.
        await self._listener.finish()
        late = await self._drain(self._server, deadline)
        self._server.should_exit = True
        failure = await self._end(serving, deadline)
        if late:
            raise self._timeout(f"did not stop in time, still serving {', '.join(late)}")
        if failure is not None:
            raise failure

    async def _serve(self) -> None:
        server = _import_server()
        if self._stopping:  # before it was started
            return
        # Bound now, so that a taken port is noticed before the application starts; it listens once
        # that is up, and refuses clients until then.
        self._listener = self._bind()
        self._server = server(
            self._stack(),
            name=self.name,
            trust_proxy=self._contract.platform is Platform.CLOUD_RUN,
            listen=self._listen,
        )
        await self._server.serve()

    def _stack(self) -> ASGIApp:
        """Return the application with everything around it, the outermost last."""
        app: ASGIApp = self._app
        if self._interface == "wsgi":
            app = self._threads = _import_wsgi()(self._app)
        for wrap in reversed(self._contract.middleware):
            app = wrap(app)
        endpoints = self._contract.diagnostics.asgi(app)
        return Front(
            app, endpoints=endpoints, inflight=self._inflight, is_draining=self._is_draining
        )

    def _is_draining(self) -> bool:
        return self._stopping or self._contract.diagnostics.health.draining

    def _bind(self) -> Listener:
        try:
            return Listener(self._contract.port)
        except OSError as error:
            raise port_error(self._contract.port, error) from None

    def _listen(self) -> None:
        if self._listener is None or self._server is None:
            raise AssertionError("bound before the application is up")
        try:
            self._listener.listen(self._server.protocol)
        except OSError as error:
            raise port_error(self._contract.port, error) from None
        self._up = True
        self._settled.set()
        logger.info("serving on all interfaces", extra={"port": self._listener.port})

    async def _drain(self, server: EmbeddedServer, deadline: Deadline) -> list[str]:
        """Wait for requests in flight; return which had to be abandoned."""
        from msp_core.http._drain import Drain  # noqa: PLC0415 - vendor library: needs uvicorn

        reserve = _budget.requests_reserve(deadline.remaining())
        drain = Drain(server.server_state)
        if await drain.wait(Deadline.after(deadline.remaining() - reserve)):
            return []
        # Before they are abandoned: cancelled, they would no longer be where they hang.
        late = list(self._inflight)
        for request in late:
            logger.error(
                "request still being served at the end of the stop: %s",
                request,
                extra={"method": request.method, "path": request.path, "stack": request.stack()},
            )
        names = [str(request) for request in late] or ["a connection that does not close"]
        await drain.abandon(reserve / 4)
        return names

    async def _end(self, serving: asyncio.Task[None], deadline: Deadline) -> BaseException | None:
        """Wait for the application's own end; return what went wrong with it."""
        await asyncio.wait({serving}, timeout=_budget.until_return(deadline.remaining()))
        if not serving.done():
            serving.cancel()
            return self._timeout("the application's lifespan shutdown did not end in time")
        return None if serving.cancelled() else serving.exception()

    def _timeout(self, what: str) -> StopTimeoutError:
        return StopTimeoutError(f'routine "{self.name}": {what}', routine=self.name)

    def _release(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._threads is not None:
            self._threads.close()


def _import_server() -> type[EmbeddedServer]:
    try:
        from msp_core.http._uvicorn import EmbeddedServer  # noqa: PLC0415 - vendor library: uvicorn
    except ModuleNotFoundError as error:
        raise _explain(error) from error
    return EmbeddedServer


def _import_wsgi() -> type[ThreadedWSGI]:
    try:
        from msp_core.http._wsgi import ThreadedWSGI  # noqa: PLC0415 - vendor library: a2wsgi
    except ModuleNotFoundError as error:
        raise _explain(error) from error
    return ThreadedWSGI


def _explain(error: ModuleNotFoundError) -> Exception:
    """Return the error with the install command, or itself when something else is missing."""
    if error.name in _EXTRA:
        return MSPError(f"HTTPServer needs {error.name}: pip install 'msp-core[http]'")
    return error
