"""Diagnostics: which endpoint answers what, and to whom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl
from wsgiref.types import WSGIApplication

import attrs

from msp_core._text.records import render_json
from msp_core.asgi import ASGIApp
from msp_core.diagnostics._answer import Answer
from msp_core.diagnostics._asgi import Endpoints, Guard
from msp_core.diagnostics._auth import refusal
from msp_core.diagnostics._report import HealthCheck, HealthReport
from msp_core.diagnostics._wsgi import WSGIEndpoints, WSGIGuard
from msp_core.errors import UsageError
from msp_core.health import Health
from msp_core.secret import Secret

logger: logging.Logger = logging.getLogger("msp.diagnostics")


@attrs.frozen(kw_only=True, eq=False)
class Route:
    """One extra endpoint of the diagnostics application.

    Attributes:
        path: absolute, such as `/metrics`.
        respond: (query parameters) -> awaitable of (status, content type, body).
        secret: whether the diagnostics secret is needed. Default True.
    """

    path: str
    respond: Callable[[Mapping[str, str]], Awaitable[tuple[int, str, bytes]]]
    secret: bool = True


class Diagnostics:
    """Endpoints, health and the auth middleware.

    | path | secret | answer |
    |---|---|---|
    | `/-/version` | no | the version |
    | `/-/live` | no | 200 `live` while the process answers; asks no resource |
    | `/-/ready` | no | 200 `ready`; 503 `starting`, `draining` or `unhealthy` |
    | `/-/healthz` | yes | 200 `healthz: ok`; 500 `healthz: …`; the query reaches `msp_healthy` |
    | `/-/health` | yes | every check as JSON; 200, or 503 when a critical one fails |

    Attributes:
        health: what is asked.
        inflight: functions that return how many requests a server is serving now; each
            `HTTPServer` adds its own. The first line of a stop says the sum.
        loop: () -> where WSGI applications have checks run. Default None, for the event loop that
            they are made on; set by the runtime.

    Args:
        version: of the service.
        secret: from `DIAGNOSTICS_SECRET`; None leaves the endpoints open, which is logged.
        health: what is asked.
        msp: whether this is a live platform.
    """

    def __init__(self, *, version: str, secret: Secret | None, health: Health, msp: bool) -> None:
        self.health = health
        self.inflight: list[Callable[[], int]] = []
        self.loop: Callable[[], asyncio.AbstractEventLoop] | None = None
        self._version = version
        self._secret = secret
        self._msp = msp
        self._warned = False
        self._routes: dict[str, tuple[bool, _Respond]] = {
            "/-/version": (False, self._answer_version),
            "/-/live": (False, self._answer_live),
            "/-/ready": (False, self._answer_ready),
            "/-/healthz": (True, self._answer_healthz),
            "/-/health": (True, self._answer_health),
        }

    @property
    def paths(self) -> frozenset[str]:
        """What is answered."""
        return frozenset(self._routes)

    def add_route(self, route: Route) -> None:
        """Answer one more path.

        Raises:
            UsageError: the path is taken already.
        """
        if route.path in self._routes:
            raise UsageError(f"diagnostics route {route.path!r} exists already: use another path")
        self._routes[route.path] = (route.secret, _make_respond(route))

    def asgi(self, app: ASGIApp) -> Endpoints:
        """Return the ASGI application that answers diagnostics itself and passes the rest on."""
        self._warn_when_open()
        return Endpoints(self._routes, self._respond, app)

    def wsgi(self, app: WSGIApplication) -> WSGIApplication:
        """Return the WSGI application that answers diagnostics itself and passes the rest on.

        Call it on the event loop that the contract's clients belong to: the threads of the WSGI
        server then have the checks run there. A contract of `open_contract_sync` knows its own.
        """
        self._warn_when_open()
        return WSGIEndpoints(self._routes, self._respond, app, self.loop)

    def require_secret(self, app: ASGIApp) -> ASGIApp:
        """Guard a service's own ASGI routes with the diagnostics secret.

        It is one secret shared by everybody who operates the service, and guesses are not
        limited: never guard sensitive data with it.
        """
        self._warn_when_open()
        return Guard(self._check_caller, app)

    def require_secret_wsgi(self, app: WSGIApplication) -> WSGIApplication:
        """Guard a service's own WSGI routes; see `require_secret`."""
        self._warn_when_open()
        return WSGIGuard(self._check_caller, app)

    async def _respond(
        self, method: str, path: str, query: str, authorization: bytes | None
    ) -> Answer:
        if method not in {"GET", "HEAD"}:
            return Answer.text(405, "method not allowed: expected GET or HEAD", _ALLOW)
        guarded, respond = self._routes[path]
        refused = self._check_caller(authorization) if guarded else None
        return refused or await respond(dict(parse_qsl(query, keep_blank_values=True)))

    def _check_caller(self, authorization: bytes | None) -> Answer | None:
        return refusal(self._secret, authorization)

    async def _answer_version(self, _query: Mapping[str, str]) -> Answer:
        return Answer.text(200, self._version)

    async def _answer_live(self, _query: Mapping[str, str]) -> Answer:
        return Answer.text(200, "live")

    async def _answer_ready(self, _query: Mapping[str, str]) -> Answer:
        readiness = await self.health.readiness()
        return Answer.text(200 if readiness == "ready" else 503, readiness)

    async def _answer_healthz(self, query: Mapping[str, str]) -> Answer:
        wrong = await self.health.healthz(query)
        return Answer.text(200 if wrong is None else 500, f"healthz: {wrong or 'ok'}")

    async def _answer_health(self, _query: Mapping[str, str]) -> Answer:
        results = await self.health.results()
        ok = all(result.healthy or not result.critical for result in results)
        report = HealthReport(
            status="ok" if ok else "failing",
            started=self.health.started,
            draining=self.health.draining,
            checks=[HealthCheck.of(result) for result in results],
        )
        # The first one imports cattrs, some 12 ms: operators ask for it, no platform's probe does.
        body = render_json(report).encode()
        return Answer(status=200 if ok else 503, body=body, content_type="application/json")

    def _warn_when_open(self) -> None:
        """Say once that everybody may see diagnostics; not for a job, which has no endpoints."""
        if self._secret is None and not self._warned:
            self._warned = True
            level = logging.ERROR if self._msp else logging.WARNING
            logger.log(level, "DIAGNOSTICS_SECRET is not set: diagnostics are open to everybody")


_Respond = Callable[[Mapping[str, str]], Awaitable[Answer]]
_ALLOW = ("allow", "GET, HEAD")


def _make_respond(route: Route) -> _Respond:
    async def respond(query: Mapping[str, str]) -> Answer:
        status, content_type, body = await route.respond(query)
        return Answer(status=status, content_type=content_type, body=body)

    return respond
