"""`/metrics`, for everybody on a laptop and for nobody on a platform."""

from __future__ import annotations

from opentelemetry import metrics

from msp_opentelemetry import msp_diagnostics_routes
from tests.msp_core.http_service import client, serving
from tests.msp_opentelemetry.conftest import Opened
from tests.msp_opentelemetry.test_http import starlette


async def test_metrics_page(opened: Opened) -> None:
    """Our metrics are served beside those of the default registry, without the secret."""
    async with opened(DIAGNOSTICS_SECRET="x") as contract:
        metrics.get_meter("probe").create_counter("greetings").add(3)
        async with serving(starlette(), contract) as server, client(server) as http:
            await http.get("/users/1")
            page = await http.get("/metrics")

    lines = page.text.splitlines()
    assert page.headers["content-type"].startswith("text/plain")
    assert any(line.startswith("greetings_total{") and line.endswith(" 3.0") for line in lines)
    assert 'http_route="/users/{id}"' in page.text
    assert "python_info" in page.text


async def test_on_a_platform_for_holders_of_the_secret(opened: Opened) -> None:
    """Where it is asked for a live platform has the endpoint, behind the secret."""
    environ = {"MSP": "true", "DIAGNOSTICS_SECRET": "x", "OTEL_METRICS_EXPORTER": "prometheus"}
    async with (
        opened(**environ) as contract,
        serving(starlette(), contract) as server,
        client(server) as http,
    ):
        refused = await http.get("/metrics")
        page = await http.get("/metrics", headers={"authorization": "Bearer x"})

    assert refused.status_code == 401
    assert "otel_trace_created_span_count" in page.text or "process_cpu_time" in page.text


async def test_not_on_a_platform(opened: Opened) -> None:
    """A live platform has no such endpoint."""
    async with opened(MSP="true", DIAGNOSTICS_SECRET="x") as contract:
        assert msp_diagnostics_routes(contract) == []
