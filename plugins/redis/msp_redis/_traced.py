"""Clients of redis-py whose commands are spans. Imports redis-py and OpenTelemetry's API.

Imported where telemetry is open: a service that declares none pays for none.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import redis
import redis.asyncio
from opentelemetry import trace
from opentelemetry.trace import Span
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.client import Pipeline

from msp_core.authoring import client_span

_TRACER = trace.get_tracer("msp.redis")


class TracedAsyncRedis(redis.asyncio.Redis):
    """The client for asyncio; one span per command or pipeline, without keys and values."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - redis-py's signature
        """Execute a command."""
        with _span(str(args[0]), self.connection_pool):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # of redis-py

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> AsyncPipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """Return a new pipeline."""
        return _TracedAsyncPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


class _TracedAsyncPipeline(AsyncPipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        with _span("PIPELINE", self.connection_pool, len(self.command_stack)):
            return await super().execute(raise_on_error)


class TracedRedis(redis.Redis):
    """The client for threads; else like `TracedAsyncRedis`."""

    def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - redis-py's signature
        """Execute a command."""
        with _span(str(args[0]), self.connection_pool):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # of redis-py

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's signature
        """Return a new pipeline."""
        return _TracedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


class _TracedPipeline(Pipeline):
    def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        with _span("PIPELINE", self.connection_pool, len(self.command_stack)):
            return super().execute(raise_on_error)


def _span(
    operation: str,
    pool: Any,  # noqa: ANN401 - of either kind
    size: int | None = None,
) -> AbstractContextManager[Span | None]:
    """Make a span named as the semantic conventions say.

    Args:
        operation: the command, or `PIPELINE`.
        pool: whose options name the server.
        size: of a pipeline, in commands.
    """
    options = pool.connection_kwargs
    attributes = _attributes(operation, options.get("db"), options.get("host"), options.get("port"))
    if size is not None:
        attributes = {**attributes, "db.operation.batch.size": size}
    return client_span(_TRACER, operation, attributes)


@functools.lru_cache(maxsize=256)  # a service has few commands, and sends them often
def _attributes(
    operation: str, database: object, host: object, port: str | int | None
) -> Mapping[str, str | int]:
    """Return what is known before the command; not to be changed."""
    return {
        "db.system.name": "redis",
        "db.operation.name": operation,
        "db.namespace": str(database or 0),
        "server.address": str(host or "localhost"),
        "server.port": int(port or 6379),
    }
