"""Commands of Redis as spans, where telemetry is open; nothing of it elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from msp_core import Contract
from msp_core.config import load
from msp_redis import Redis, RedisConfig, _traced
from msp_redis._plugin import open_redis


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Give what gets the plugin's spans."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(_traced, "_TRACER", provider.get_tracer("probe"))
    return exporter


@pytest.fixture
async def opened(redis_environ: Mapping[str, str], contract: Contract) -> AsyncIterator[Redis]:
    """Give clients of the real server."""
    config = load(RedisConfig, {"REDIS_ENDPOINT": redis_environ["REDIS_ENDPOINT"]})
    async with open_redis(config, contract) as opened:
        yield opened


def told(exporter: InMemorySpanExporter) -> list[tuple[str, Any]]:
    """Return name and size of each span."""
    return [
        (span.name, (span.attributes or {}).get("db.operation.batch.size"))
        for span in exporter.get_finished_spans()
    ]


async def test_commands(exporter: InMemorySpanExporter, opened: Redis) -> None:
    """A command is one span with the attributes of the conventions, without key and value."""
    await opened.client().set("secret-key", "secret-value")
    await asyncio.to_thread(opened.sync_client().get, "secret-key")

    first, second = exporter.get_finished_spans()
    assert (first.name, second.name) == ("SET", "GET")
    assert first.kind is trace.SpanKind.CLIENT
    for span in (first, second):
        attributes = dict(span.attributes or {})
        assert attributes.pop("server.port")
        assert attributes == {
            "db.system.name": "redis",
            "db.operation.name": span.name,
            "db.namespace": "0",
            "server.address": "127.0.0.1",
        }


async def test_pipelines(exporter: InMemorySpanExporter, opened: Redis) -> None:
    """A pipeline is one span that counts its commands."""
    async with opened.client().pipeline() as pipeline:
        pipeline.set("a", 1)
        pipeline.get("a")
        answers = await pipeline.execute()
    with opened.sync_client().pipeline(transaction=False) as sync_pipeline:
        sync_pipeline.get("a")
        sync_answers = await asyncio.to_thread(sync_pipeline.execute)

    assert (answers, sync_answers) == ([True, b"1"], [b"1"])
    assert told(exporter) == [("PIPELINE", 2), ("PIPELINE", 1)]


async def test_pipelines_are_those_of_the_library(
    exporter: InMemorySpanExporter, opened: Redis
) -> None:
    """By default they are transactions, and raise what a command in them failed with."""
    async with opened.client().pipeline() as pipeline:
        assert pipeline.is_transaction is True
        pipeline.set("text", "x")
        pipeline.incr("text")
        with pytest.raises(redis.ResponseError):
            await pipeline.execute()
    with opened.sync_client().pipeline() as sync_pipeline:
        assert vars(sync_pipeline)["transaction"] is True
        sync_pipeline.incr("text")
        with pytest.raises(redis.ResponseError):
            await asyncio.to_thread(sync_pipeline.execute)


async def test_place(
    exporter: InMemorySpanExporter, redis_environ: Mapping[str, str], contract: Contract
) -> None:
    """A span names port and number of the database, the protocol's where the URL names none."""
    url = urlsplit(redis_environ["REDIS_ENDPOINT"])
    for endpoint, place in (
        (f"redis://127.0.0.1:{url.port}/3", (url.port, "3")),
        ("redis://127.0.0.1?socket_connect_timeout=0.001", (6379, "0")),
    ):
        async with open_redis(load(RedisConfig, {"REDIS_ENDPOINT": endpoint}), contract) as opened:
            with contextlib.suppress(redis.RedisError):
                await opened.client().get("a")
        attributes = exporter.get_finished_spans()[-1].attributes or {}

        assert (attributes["server.port"], attributes["db.namespace"]) == place


async def test_failure(exporter: InMemorySpanExporter, opened: Redis) -> None:
    """A command that is refused is an error in its span, and raises."""
    await opened.client().set("text", "x")
    with pytest.raises(redis.ResponseError):
        await opened.client().incr("text")

    span: ReadableSpan = exporter.get_finished_spans()[-1]
    assert not span.status.is_ok
    assert (span.attributes or {})["error.type"] == "redis.exceptions.ResponseError"


async def test_a_failed_pipeline_tells_no_values(
    exporter: InMemorySpanExporter, opened: Redis
) -> None:
    """The library's text repeats the command that failed, with its keys and values."""
    async with opened.client().pipeline() as pipeline:
        pipeline.set("text", "x")
        pipeline.incrby("text", 4711)
        with pytest.raises(redis.ResponseError, match="4711"):
            await pipeline.execute()

    span = exporter.get_finished_spans()[-1]
    assert [event.name for event in span.events] == ["exception"]
    assert "4711" not in span.to_json()


async def test_many_at_once(exporter: InMemorySpanExporter, opened: Redis) -> None:
    """Commands at the same time are children of who sent them, not of each other."""
    tracer = _traced._TRACER

    async def ask(number: int) -> int:
        with tracer.start_as_current_span(f"asker {number}") as span:
            await opened.client().get("a")
            return span.get_span_context().span_id

    askers = await asyncio.gather(*(ask(number) for number in range(100)))

    parents = [span.parent for span in exporter.get_finished_spans() if span.name == "GET"]
    assert sorted(askers) == sorted(parent.span_id for parent in parents if parent)


async def test_checks_are_no_spans(exporter: InMemorySpanExporter, opened: Redis) -> None:
    """A health check every few seconds would drown what users do."""
    await opened.ping()

    assert told(exporter) == []


def test_nothing_without_telemetry() -> None:
    """Where nobody makes spans the clients are the library's own, of its own class."""
    code = """
import sys
from msp_core.config import Secret
from msp_redis._endpoint import Endpoint

endpoint = Endpoint(url=Secret("redis://127.0.0.1:1"), trust=None, name="x")
clients = endpoint.client(), endpoint.sync_client()
import redis, redis.asyncio
assert [type(client) for client in clients] == [redis.asyncio.Redis, redis.Redis]
assert "msp_redis._traced" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)  # noqa: S603 - code of this file

    assert done.returncode == 0, done.stderr
