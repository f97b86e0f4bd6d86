"""Diagnostics: endpoints, the same through ASGI and WSGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import pytest

from msp_core.diagnostics import Route
from msp_core.errors import UsageError
from msp_core.health import Check, Health
from msp_core.request import current_request
from tests.msp_core.clock import clock_for_all
from tests.msp_core.diagnostics_interface import Interface
from tests.msp_core.http_service import (
    BEARER,
    asgi_app,
    diagnostics,
    started,
    wsgi_app,
)


@pytest.fixture(params=["asgi", "wsgi"])
def interface(request: pytest.FixtureRequest) -> Interface:
    """Give each protocol in turn."""
    return Interface(request.param)


def failing(text: str = "down") -> Callable[..., Awaitable[None]]:
    """Give a check, of a resource or of the service, that raises that text."""

    async def check(*_query: Mapping[str, str]) -> None:
        raise OSError(text)

    return check


class TestEndpoints:
    """Status and body of each path."""

    async def test_everything_else_is_the_applications(self, interface: Interface) -> None:
        """Paths diagnostics does not know are passed on, under `/-/` too."""
        responses = [await interface.endpoint(path) for path in ("/", "/-/", "/-/other")]

        assert [response.text for response in responses] == ["app", "app", "app"]

    async def test_version_is_open(self, interface: Interface) -> None:
        """Anybody may ask which version runs."""
        response = await interface.endpoint("/-/version")

        assert (response.status_code, response.text) == (200, "1.2.3")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"

    async def test_live_depends_on_nothing(self, interface: Interface) -> None:
        """A process with failing resources, not started or draining, is still live."""
        health = Health(cache=0)
        health.draining = True
        health.add(Check("postgres", failing()))

        response = await interface.endpoint("/-/live", of=diagnostics(health=health))

        assert (response.status_code, response.text) == (200, "live")

    async def test_ready(self, interface: Interface) -> None:
        """A started process with nothing failing takes traffic."""
        response = await interface.endpoint("/-/ready")

        assert (response.status_code, response.text) == (200, "ready")

    @pytest.mark.parametrize("state", ["starting", "draining", "unhealthy"])
    async def test_not_ready(self, interface: Interface, state: str) -> None:
        """The reason is one word, without any detail."""
        health = Health(cache=0)
        health.started = state != "starting"
        health.draining = state == "draining"
        health.add(Check("postgres", failing("postgres://me:pass@host")))

        response = await interface.endpoint("/-/ready", of=diagnostics(health=health))

        assert (response.status_code, response.text) == (503, state)

    async def test_healthz_needs_the_secret(self, interface: Interface) -> None:
        """Without the secret the service is not even asked."""
        health = started(Health(cache=0))
        health.service = failing("asked")

        response = await interface.endpoint("/-/healthz", of=diagnostics(health=health))

        assert (response.status_code, response.text) == (401, "unauthorized")

    async def test_healthz_ok(self, interface: Interface) -> None:
        """The upstream body, byte for byte."""
        response = await interface.endpoint("/-/healthz", headers=BEARER)

        assert (response.status_code, response.text) == (200, "healthz: ok")

    async def test_healthz_failing(self, interface: Interface) -> None:
        """500 and the service's own text."""
        health = started(Health(cache=0))
        health.service = failing("no quorum")

        response = await interface.endpoint(
            "/-/healthz", of=diagnostics(health=health), headers=BEARER
        )

        assert (response.status_code, response.text) == (500, "healthz: no quorum")

    async def test_healthz_passes_the_query(self, interface: Interface) -> None:
        """`msp_healthy` gets the last value of each name, empty ones included."""
        queries = []

        async def healthy(query: Mapping[str, str]) -> None:
            queries.append(query)

        health = started(Health(cache=0))
        health.service = healthy
        await interface.endpoint(
            "/-/healthz?deep=1&deep=2&empty=&sp%C3%A4t=a%20b",
            of=diagnostics(health=health),
            headers=BEARER,
        )

        assert queries == [{"deep": "2", "empty": "", "spät": "a b"}]

    async def test_health_tells_each_check(self, interface: Interface) -> None:
        """The JSON names every check; of an error only its class."""
        health = started(Health(cache=0))
        health.add(Check("postgres", failing("the text stays inside")))

        response = await interface.endpoint(
            "/-/health", of=diagnostics(health=health), headers=BEARER
        )
        report = response.json()
        (check,) = report.pop("checks")

        assert response.status_code == 503
        assert response.headers["content-type"] == "application/json"
        assert report == {"status": "failing", "started": True, "draining": False}
        assert isinstance(check.pop("duration"), float)
        assert check.pop("since").endswith("+00:00")
        assert check == {
            "name": "postgres",
            "status": "failing",
            "critical": True,
            "error": "OSError",
        }

    async def test_health_is_for_people(self) -> None:
        """The JSON is indented by two, and durations go to the microsecond."""

        async def pass_time() -> None:
            clock.now += 0.12345678

        health = started(Health(cache=0))
        health.add(Check("postgres", pass_time))
        with clock_for_all() as clock:
            response = await Interface("asgi").endpoint(
                "/-/health", of=diagnostics(health=health), headers=BEARER
            )

        assert response.text.startswith('{\n  "status": "ok"')
        assert response.json()["checks"][0]["duration"] == 0.123457

    async def test_health_of_a_service_that_can_do_without(self, interface: Interface) -> None:
        """A failing check that is not critical shows, and the whole is ok."""
        health = started(Health(cache=0))
        health.add(Check("cache", failing(), critical=False))

        response = await interface.endpoint(
            "/-/health", of=diagnostics(health=health), headers=BEARER
        )

        assert (response.status_code, response.json()["status"]) == (200, "ok")
        assert response.json()["checks"][0]["status"] == "failing"

    async def test_health_needs_the_secret(self, interface: Interface) -> None:
        """Names of resources are not for everybody."""
        response = await interface.endpoint("/-/health")

        assert response.status_code == 401

    async def test_head_has_the_headers_only(self, interface: Interface) -> None:
        """A probe by HEAD gets what GET gets, without the body."""
        response = await interface.endpoint("/-/version", "HEAD")

        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-length"] == "5"

    async def test_other_methods_are_refused(self, interface: Interface) -> None:
        """Diagnostics are for reading."""
        response = await interface.endpoint("/-/version", "POST", content=b"x")

        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


class TestRoutes:
    """Endpoints that plugins add."""

    @pytest.mark.parametrize(("secret", "expected"), [(True, 401), (False, 202)])
    async def test_are_served_as_given(
        self, interface: Interface, *, secret: bool, expected: int
    ) -> None:
        """Status, content type and body are the route's; the secret only where it asks for it."""

        async def respond(query: Mapping[str, str]) -> tuple[int, str, bytes]:
            return 202, "text/x-metrics", query["name"].encode()

        given = diagnostics()
        given.add_route(Route(path="/metrics", respond=respond, secret=secret))

        open_ = await interface.endpoint("/metrics?name=up", of=given)
        known = await interface.endpoint("/metrics?name=up", of=given, headers=BEARER)

        assert open_.status_code == expected
        assert (known.status_code, known.text) == (202, "up")
        assert known.headers["content-type"] == "text/x-metrics"

    async def test_are_guarded_unless_they_say_so(self, interface: Interface) -> None:
        """A route that says nothing about the secret needs it."""

        async def respond(_query: Mapping[str, str]) -> tuple[int, str, bytes]:
            return 200, "text/plain", b"inside"

        given = diagnostics()
        given.add_route(Route(path="/metrics", respond=respond))

        assert (await interface.endpoint("/metrics", of=given)).status_code == 401
        assert (await interface.endpoint("/metrics", of=given, headers=BEARER)).text == "inside"

    def test_a_path_is_given_once(self) -> None:
        """Two plugins cannot silently replace each other's endpoint."""

        async def respond(_query: Mapping[str, str]) -> tuple[int, str, bytes]:
            raise NotImplementedError

        with pytest.raises(UsageError, match="'/-/ready' exists already"):
            diagnostics().add_route(Route(path="/-/ready", respond=respond))


class TestTrace:
    """The request's identity while a check runs."""

    async def test_reaches_the_check(self, interface: Interface) -> None:
        """What a check logs carries the probe's trace."""
        seen = []

        async def healthy(_query: Mapping[str, str]) -> None:
            seen.append(current_request.get())

        health = started(Health(cache=0))
        health.service = healthy
        await interface.endpoint(
            "/-/healthz",
            of=diagnostics(health=health),
            headers={**BEARER, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
        )

        assert seen[0] is not None
        assert (seen[0].trace_id, seen[0].span_id) == ("a" * 32, "b" * 16)
        assert current_request.get() is None


class TestWarning:
    """What is said when there is no secret."""

    @pytest.mark.parametrize(("msp", "level"), [(True, "ERROR"), (False, "WARNING")])
    def test_once_and_louder_on_a_live_platform(
        self, caplog: pytest.LogCaptureFixture, *, msp: bool, level: str
    ) -> None:
        """Open endpoints are logged when they come into being, once."""
        given = diagnostics(secret=None, msp=msp)
        given.asgi(asgi_app)
        given.wsgi(wsgi_app)
        given.require_secret(asgi_app)
        given.require_secret_wsgi(wsgi_app)

        assert [record.levelname for record in caplog.records] == [level]

    def test_silence_with_a_secret(self, caplog: pytest.LogCaptureFixture) -> None:
        """A guarded process has nothing to say."""
        diagnostics().asgi(asgi_app)

        assert caplog.records == []
