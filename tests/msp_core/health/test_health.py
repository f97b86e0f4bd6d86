"""Health: what a round of checks promises to those who ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest

from msp_core.health import Check, Health
from msp_core.request import RequestContext, current_request
from tests.msp_core.health_checks import PATIENT, Resource, broken, health_of, says
from tests.msp_core.log_lines import recorded


class TestResults:
    """The results of one round."""

    async def test_tell_each_check_in_order(self) -> None:
        """A result names its check, whether it passed, and the class of what it raised."""
        health = health_of(
            Check("redis", Resource().ping), Check("postgres", broken().ping, critical=False)
        )
        health.service = says()

        redis, postgres, service = await health.results()

        assert (redis.name, redis.healthy, redis.critical) == ("redis", True, True)
        assert (redis.error, redis.detail) == (None, None)
        assert (postgres.name, postgres.healthy, postgres.critical) == ("postgres", False, False)
        assert (postgres.error, postgres.detail) == ("ConnectionError", "connection refused")
        assert (service.name, service.healthy, service.critical) == ("service", True, True)
        assert redis.duration >= 0

    async def test_come_from_checks_run_in_parallel(self) -> None:
        """A round takes as long as its slowest check, not as long as all together."""
        both = asyncio.Barrier(2)

        async def meet() -> None:
            await both.wait()

        results = await health_of(Check("one", meet), Check("two", meet)).results()

        assert [result.healthy for result in results] == [True, True]

    async def test_remember_since_when(self) -> None:
        """`since` is the time of the turn, not of the latest round."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping))

        first = (await health.results())[0]
        second = (await health.results())[0]
        resource.error = OSError("gone")
        third = (await health.results())[0]

        assert second.since == first.since
        assert third.since > first.since

    async def test_survive_what_is_not_an_ordinary_exception(self) -> None:
        """A check that ends by cancelling itself fails; it does not take the round with it."""

        async def cancel_itself() -> None:
            raise asyncio.CancelledError

        (result,) = await health_of(Check("odd", cancel_itself)).results()

        assert (result.healthy, result.error) == (False, "CancelledError")

    async def test_name_an_error_without_text(self) -> None:
        """An exception with no text is told by its class."""
        (result,) = await health_of(Check("odd", Resource(ValueError()).ping)).results()

        assert result.detail == "ValueError"


class TestReadiness:
    """Whether the process can take traffic."""

    async def test_needs_a_start(self) -> None:
        """Before every routine is up nothing is asked and the answer is no."""
        resource = Resource()
        health = health_of(Check("redis", resource.ping))
        health.started = False

        assert await health.readiness() == "starting"
        assert resource.asked == 0

    async def test_ends_with_the_drain(self) -> None:
        """A draining process wants no traffic, however healthy it is."""
        health = health_of(Check("redis", Resource().ping))
        health.draining = True

        assert await health.readiness() == "draining"

    async def test_needs_every_critical_check(self) -> None:
        """One failing critical check is enough."""
        health = health_of(Check("redis", broken().ping), Check("postgres", Resource().ping))

        assert await health.readiness() == "unhealthy"

    async def test_does_not_need_the_others(self) -> None:
        """A resource the service can do without does not take it out of traffic."""
        health = health_of(Check("cache", broken().ping, critical=False))

        assert await health.readiness() == "ready"

    async def test_needs_the_services_own_check(self) -> None:
        """`msp_healthy` counts as critical, asked with an empty query."""
        health = health_of()
        health.service = says(RuntimeError("no quorum"))

        assert await health.readiness() == "unhealthy"


class TestHealthz:
    """The upstream endpoint's verdict."""

    async def test_is_good_without_a_service_check(self) -> None:
        """A service that says nothing about itself is healthy."""
        assert await health_of().healthz({}) is None

    async def test_does_not_depend_on_resources(self) -> None:
        """A platform that restarts on it must not restart for a database that is down."""
        health = health_of(Check("postgres", broken().ping))
        health.service = says()

        assert await health.healthz({}) is None

    async def test_counts_resources_at_the_start(self) -> None:
        """With `start` a critical resource that never answered keeps a revision out, once."""
        postgres, redis = broken("no route"), broken()
        health = health_of(
            Check("postgres", postgres.ping),
            Check("cache", broken().ping, critical=False),
            Check("redis", redis.ping),
        )
        health.healthz_resources = "start"

        assert await health.healthz({}) == "postgres: no route; redis: connection refused"
        redis.error = None
        assert await health.healthz({}) == "postgres: no route"
        postgres.error = None
        assert await health.healthz({}) is None
        postgres.error = OSError("outage")
        assert await health.healthz({}) is None

    async def test_counts_resources_always(self) -> None:
        """With `always` an outage later counts too; what the service says comes first."""
        resource = Resource()
        health = health_of(Check("postgres", resource.ping))
        health.healthz_resources = "always"
        health.service = says()

        assert await health.healthz({}) is None
        resource.error = OSError("outage")
        assert await health.healthz({}) == "postgres: outage"
        health.service = says(OSError("stuck"))
        assert await health.healthz({"deep": "1"}) == "stuck"

    async def test_service_is_no_resource(self) -> None:
        """A query that the service passes is not failed by its answer to another one."""

        async def healthy(query: Mapping[str, str]) -> None:
            if not query:
                raise OSError("no query")

        health = health_of(Check("postgres", Resource().ping))
        health.healthz_resources = "always"
        health.service = healthy

        assert await health.healthz({"deep": "1"}) is None

    async def test_passes_the_query_on(self) -> None:
        """An operator's query reaches the service; each query has its own answer."""
        queries = []

        async def healthy(query: Mapping[str, str]) -> None:
            queries.append(dict(query))
            if query.get("deep"):
                raise RuntimeError("replica lags")

        health = health_of(cache=PATIENT)
        health.service = healthy

        assert await health.healthz({}) is None
        assert await health.healthz({"deep": "1"}) == "replica lags"
        assert await health.healthz({"deep": "1"}) == "replica lags"
        assert queries == [{}, {"deep": "1"}]

    async def test_remembers_32_queries(self) -> None:
        """Whoever invents queries cannot fill the memory: the least recently asked goes first."""
        asked = []

        async def healthy(query: Mapping[str, str]) -> None:
            asked.append(int(query["n"]))

        health = health_of(cache=PATIENT)
        health.service = healthy

        for number in [*range(32), 0, 32, 0, 1]:
            await health.healthz({"n": str(number)})

        assert asked == [*range(32), 32, 1]

    async def test_hides_secrets(self) -> None:
        """Known secrets go through `scrub`; credentials in URLs and DSNs are masked as such."""
        health = Health(cache=0, scrub=lambda text: text.replace("hunter2", "***"))
        text = "hunter2 postgres://me:pass@host/db password=abc host=h token='a b'"
        health.service = says(OSError(text))

        assert (
            await health.healthz({}) == "*** postgres://***@host/db password=*** host=h token=***"
        )


class TestLog:
    """What is written about health."""

    async def test_one_line_per_turn(self, caplog: pytest.LogCaptureFixture) -> None:
        """A check is logged when it begins to fail and when it recovers, not at every probe."""
        caplog.set_level(logging.INFO, logger="msp.health")
        resource = Resource()
        health = health_of(Check("redis", resource.ping))

        for error in (None, None, OSError("down"), OSError("down"), None, None):
            resource.error = error
            await health.results()

        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
            ("WARNING", "check 'redis' turned failing: down"),
            ("INFO", "check 'redis' recovered"),
        ]

    async def test_carries_the_query_keys(self, caplog: pytest.LogCaptureFixture) -> None:
        """The line about the service's own check says which query was asked, without its values."""
        health = health_of()
        health.service = says(OSError("down"))

        await health.healthz({"deep": "value", "area": "value"})

        (record,) = caplog.records
        assert record.__dict__["query"] == ["area", "deep"]
        assert record.__dict__["error"] == "OSError"
        assert "value" not in record.getMessage()

    async def test_belongs_to_the_trace_of_the_probe(self) -> None:
        """The line about a failure is found by the trace of whoever asked first."""
        health = health_of()
        health.service = says(OSError("down"))
        context = RequestContext(request_id="r-1", trace_id="ab" * 16, span_id="cd" * 8)
        token = current_request.set(context)
        with recorded() as record:
            await health.healthz({"deep": "1"})
            line = record.line()
        current_request.reset(token)

        assert (line["SeverityText"], line["Body"]) == (
            "WARN",
            "check 'service' turned failing: down",
        )
        assert (line["TraceId"], line["SpanId"]) == ("ab" * 16, "cd" * 8)
        assert line["Attributes"]["query"] == ["deep"]
