"""The service on lite-bootstrap: FastAPI, as its pages say."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fastapi
import uvicorn
from lite_bootstrap import FastAPIBootstrapper, FastAPIConfig
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor

from benchmarks.peers.resources import ask_both, make_bigquery, make_pool, make_redis, open_both

pool, redis, bigquery = make_pool(), make_redis(), make_bigquery()


@asynccontextmanager
async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
    """Open both."""
    async with open_both(pool, redis):
        yield


endpoint = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
config = FastAPIConfig(
    service_name="counter",
    service_debug=False,
    application_kwargs={"lifespan": lifespan},
    sentry_dsn=os.environ["SENTRY_DSN"],
    opentelemetry_exporter_protocol="http",
    opentelemetry_endpoint=f"{endpoint}/v1/traces",
    opentelemetry_metrics_endpoint=f"{endpoint}/v1/metrics",
    opentelemetry_instrumentors=[PsycopgInstrumentor(), RedisInstrumentor()],
    fastapi_logging_middleware_enabled=True,
)
app = FastAPIBootstrapper(config).bootstrap()


@app.get("/")
async def answer() -> Any:  # noqa: ANN401 - JSON
    """Answer one SELECT and one INCR."""
    return await ask_both(pool, redis)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - as in production
        port=int(os.environ["PORT"]),
        access_log=False,
        log_config=None,
    )
