"""What the tests of msp_bigquery share."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import cast

import pytest

from msp_bigquery import BigQuery, BigQueryConfig
from msp_bigquery._plugin import open_bigquery
from msp_bigquery._rows import json_text
from msp_core import Contract
from msp_core.config import load

Opening = Callable[..., AbstractAsyncContextManager[BigQuery]]
"""(REST URL, gRPC address or None) -> opened BigQuery of project p, dataset d."""


@pytest.fixture
def contract() -> Contract:
    """Give a contract; this plugin reads nothing of it."""
    return cast("Contract", SimpleNamespace(name="guest book"))


@pytest.fixture
def opened(contract: Contract) -> Opening:
    """Give a function that opens BigQuery at a test's own server."""

    @contextlib.asynccontextmanager
    async def opening(url: str, grpc: str | None = None) -> AsyncIterator[BigQuery]:
        environ = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
        environ["BIGQUERY_EMULATOR_HOST"] = url
        if grpc is not None:
            environ["BIGQUERY_EMULATOR_GRPC_HOST"] = grpc
        async with open_bigquery(load(BigQueryConfig, environ), contract) as bigquery:
            yield bigquery

    return opening


@pytest.fixture(params=["orjson", "json"])
def json_library(request: pytest.FixtureRequest) -> Iterator[str]:
    """Do a test twice: with orjson, and as where it is not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "json":
            patch.setitem(sys.modules, "orjson", None)
        json_text._load_orjson.cache_clear()
        yield request.param
    json_text._load_orjson.cache_clear()
