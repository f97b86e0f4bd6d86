"""The service on microbootstrap: FastAPI, as its README says."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import fastapi
import uvicorn
from microbootstrap import FastApiSettings
from microbootstrap.bootstrappers.fastapi import FastApiBootstrapper
from microbootstrap.config.fastapi import FastApiConfig

from benchmarks.peers.resources import ask_both, make_bigquery, make_pool, make_redis, open_both


class Settings(FastApiSettings):
    """Settings of all instruments."""

    service_debug: bool = False
    service_name: str = "counter"
    sentry_dsn: str | None = os.environ["SENTRY_DSN"]
    opentelemetry_endpoint: str | None = os.environ["OTLP_GRPC_ENDPOINT"]
    # Its middleware writes the access log.
    logging_unset_handlers: list[str] = ["uvicorn", "uvicorn.access"]  # noqa: RUF012 - of pydantic


pool, redis, bigquery = make_pool(), make_redis(), make_bigquery()


@asynccontextmanager
async def lifespan(_: fastapi.FastAPI) -> AsyncIterator[None]:
    """Open both."""
    async with open_both(pool, redis):
        yield


bootstrapper = FastApiBootstrapper(Settings())
app = bootstrapper.configure_application(FastApiConfig(lifespan=lifespan)).bootstrap()


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
