"""Spans: those of real queries are the ones that the README's table promises."""

from __future__ import annotations

import asyncio
import functools
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg_pool import PoolTimeout

from msp_cloudsql import CloudSQL, CloudSQLConfig, without_trace
from msp_cloudsql._check import select_one
from msp_cloudsql._plugin import open_cloudsql
from msp_cloudsql._telemetry import waiting as _waiting
from msp_cloudsql._telemetry.pool_metrics import pool_metrics
from msp_cloudsql._telemetry.tracing import tracing
from msp_core import Contract
from msp_core.config import load

README = Path(__file__).parents[2] / "plugins" / "cloudsql" / "README.md"
PLACE = {"db.system.name", "db.namespace", "server.address", "server.port"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Give what ends up in a backend; the process has a tracer provider meanwhile."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@pytest.fixture
async def cloudsql(
    spans: InMemorySpanExporter, postgresql_environ: Mapping[str, str], contract: Contract
) -> AsyncIterator[CloudSQL]:
    """Give a client that is traced."""
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as opened:
        yield opened


@pytest.fixture
async def telling(
    spans: InMemorySpanExporter, postgresql_environ: Mapping[str, str], contract: Contract
) -> AsyncIterator[CloudSQL]:
    """Give a client that is traced with values."""
    environ = {**postgresql_environ, "PG_TRACE_ARGUMENTS": "true"}
    async with open_cloudsql(load(CloudSQLConfig, environ), contract) as opened:
        yield opened


def table() -> dict[str, set[str]]:
    """Return the README's table of spans: name without database -> attributes."""
    (text,) = re.findall(r"^\| span \|.*?\n\n", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    rows = [line.split("|")[1:-1] for line in text.strip().splitlines()[2:]]
    return {
        re.findall(r"`([A-Z ]+?) primary`", row[0])[0]: set(re.findall(r"`([a-z._]+)`", row[2]))
        for row in rows
    }


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Return the finished spans by name."""
    return {span.name: span for span in spans.get_finished_spans()}


async def use(cloudsql: CloudSQL) -> None:
    """Do everything that has a span."""
    async with cloudsql.pool("primary").connection() as connection, connection.cursor() as cursor:
        await cursor.execute("CREATE TEMPORARY TABLE t (n int)")
        await cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
        async with cursor.copy("COPY t TO STDOUT") as copy:
            assert [bytes(data) async for data in copy] == [b"1\n", b"2\n"]
        rows = [row async for row in cursor.stream("SELECT n FROM t WHERE n < %s", (9,))]
        async with connection.pipeline():
            await connection.execute("UPDATE t SET n = 0")
        async with connection.cursor("named") as server_cursor:
            await server_cursor.execute("SELECT * FROM t")
    assert rows == [(1,), (2,)]


def sync_use(cloudsql: CloudSQL) -> None:
    """Do the same in a thread."""
    with cloudsql.sync_pool("primary").connection() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE t (n int)")
        cursor.executemany("INSERT INTO t VALUES (%s)", [(1,), (2,)])
        with cursor.copy("COPY t TO STDOUT") as copy:
            assert [bytes(data) for data in copy] == [b"1\n", b"2\n"]
        rows = list(cursor.stream("SELECT n FROM t WHERE n < %s", (9,)))
        with connection.pipeline():
            connection.execute("UPDATE t SET n = 0")
        with connection.cursor("named") as server_cursor:
            server_cursor.execute("SELECT * FROM t")
    assert rows == [(1,), (2,)]


@pytest.mark.parametrize("threads", [False, True])
async def test_spans_are_those_of_the_readme(
    threads: bool,  # noqa: FBT001 - a parameter of the test
    cloudsql: CloudSQL,
    spans: InMemorySpanExporter,
) -> None:
    """Names, attributes and kind are what people build dashboards on."""
    await (asyncio.to_thread(sync_use, cloudsql) if threads else use(cloudsql))
    found = named(spans)
    told = {name: set(span.attributes or ()) for name, span in found.items()}
    queries = table()["SELECT"]

    assert {span.kind for span in found.values()} == {trace.SpanKind.CLIENT}
    for operation in ("CREATE", "SELECT", "UPDATE"):
        assert told.pop(f"{operation} primary") <= queries
    told["WAIT primary"] = table()["WAIT"]  # seen or not, by how long connecting takes
    assert told == {f"{name} primary": names for name, names in table().items() if name != "SELECT"}
    insert = dict(found["BATCH INSERT primary"].attributes or {})
    assert insert["db.query.text"] == "INSERT INTO t VALUES (%s)"
    assert insert["db.operation.batch.size"] == 2
    assert insert["server.address"] == "127.0.0.1"


async def test_a_failed_query_is_an_error_without_values(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """Status, code and event are there; the server's text, which repeats values, is not."""
    async with await cloudsql.connect("primary", autocommit=True) as connection:
        await connection.execute("CREATE TEMPORARY TABLE t (n int PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation, match="already exists"):
            await connection.execute("INSERT INTO t VALUES (%s), (%s)", (4711, 4711))

    span = named(spans)["INSERT primary"]
    attributes = dict(span.attributes or {})
    (event,) = span.events
    assert span.status.status_code == trace.StatusCode.ERROR
    assert attributes["error.type"] == attributes["db.response.status_code"] == "23505"
    assert dict(event.attributes or {})["exception.type"] == "psycopg.errors.UniqueViolation"
    assert "4711" not in span.to_json()


async def test_a_failed_connection_tells_why(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """The text of such an error holds nobody's values."""
    with pytest.raises(psycopg.OperationalError):
        await cloudsql.connect("missing")

    span = named(spans)["CONNECT missing"]
    (event,) = span.events
    assert 'database "missing" does not exist' in str((event.attributes or {})["exception.message"])


@pytest.mark.parametrize(
    ("seconds", "told", "span"),
    [(0.0009, None, False), (0.001, 0.001, False), (0.0099, 0.0099, False), (0.01, 0.01, True)],
)
def test_a_short_wait_is_no_span(
    seconds: float,
    told: float | None,
    span: bool,  # noqa: FBT001 - a parameter of the test
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The numbers of the README: from 1 ms on the query says it, from 10 ms on there is a span."""
    clock = iter([0.0, seconds])
    monkeypatch.setattr(_waiting, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    found = tracing(arguments=False, scrub=str)
    waiting = _waiting.Waiting(database="primary", tracing=found, metrics=None)
    connection = SimpleNamespace()
    with waiting.measure() as wait:
        wait.connection = connection

    assert connection.waited == told
    assert [each.name for each in spans.get_finished_spans()] == ["WAIT primary"] * span
    for each in spans.get_finished_spans():
        assert each.start_time is not None
        assert each.end_time is not None
        assert each.end_time - each.start_time == seconds * 1e9
    said = re.findall(r"(\d+) ms", README.read_text("utf-8").partition("`msp.db.wait_time`")[2])
    assert [float(number) / 1e3 for number in said[:2]] == [_waiting._TOLD, _waiting._SPAN]


async def test_the_first_query_tells_the_wait(
    cloudsql: CloudSQL, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those after it on the same connection waited for nothing."""
    monkeypatch.setattr(_waiting, "_TOLD", 0.0)
    for _ in range(2):
        async with cloudsql.pool("primary").connection() as connection:
            await connection.execute("SELECT 1")
            await connection.execute("SHOW port")

    names = [span.name for span in spans.get_finished_spans() if _told(span)]
    assert names == ["SELECT primary"] * 2


def _told(span: ReadableSpan) -> bool:
    return "msp.db.wait_time" in (span.attributes or {})


async def test_a_wait_in_vain_is_an_error(cloudsql: CloudSQL, spans: InMemorySpanExporter) -> None:
    """It shows how long, and why."""
    pool, sync_pool = (
        cloudsql.pool("primary", max_size=1),
        cloudsql.sync_pool("primary", max_size=1),
    )
    await pool.wait()
    await asyncio.to_thread(sync_pool.wait)
    async with pool.connection():
        with pytest.raises(PoolTimeout):
            await pool.getconn(0.05)
    waited = named(spans)["WAIT primary"]
    assert set(waited.attributes or ()) == {*table()["WAIT"], "error.type"}
    assert waited.kind is trace.SpanKind.CLIENT
    assert waited.status.status_code == trace.StatusCode.ERROR
    (event,) = waited.events  # the pool's own words hold nothing of anybody
    assert "couldn't get a connection" in str((event.attributes or {})["exception.message"])

    spans.clear()
    with sync_pool.connection(), pytest.raises(PoolTimeout):
        sync_pool.getconn(0.05)
    assert named(spans)["WAIT primary"].status.status_code == trace.StatusCode.ERROR


async def test_a_wait_in_vain_in_a_trace_that_is_not_kept(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """The pool's error is the service's all the same; there is no span."""
    pool = cloudsql.pool("primary", max_size=1)
    await pool.wait()
    spans.clear()
    context = trace.SpanContext(1, 1, is_remote=False, trace_flags=trace.TraceFlags(0))
    with trace.use_span(trace.NonRecordingSpan(context)):
        async with pool.connection():
            with pytest.raises(PoolTimeout):
                await pool.getconn(0.05)

    assert spans.get_finished_spans() == ()


async def test_values_do_not_appear(cloudsql: CloudSQL, spans: InMemorySpanExporter) -> None:
    """Neither arguments nor literals, however they were put into the query."""
    query = psycopg.sql.SQL(
        "SELECT {}, %s::text, 'a''4711', E'\\'4711', $$4711$$, $a$4711$a$, 4711"
    )
    async with await cloudsql.connect("primary") as connection:
        await connection.execute(query.format(psycopg.sql.Literal("4711")), ("4711",))
        await connection.execute(b"/* 4711 */ SELECT 1 -- 4711")

    first, second = (span for span in spans.get_finished_spans() if span.name == "SELECT primary")
    assert (first.attributes or {})["db.query.text"] == "SELECT ?, %s::text, ?, ?, ?, ?, ?"
    assert (second.attributes or {})["db.query.text"] == "SELECT ?"
    assert not any("4711" in span.to_json() for span in spans.get_finished_spans())


async def test_what_is_no_command_names_no_span(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """A mistyped query does not become a name, of which a backend keeps every one."""
    async with await cloudsql.connect("primary", autocommit=True) as connection:
        for text in ("hunter2 me", "1"):
            with pytest.raises(psycopg.errors.SyntaxError):
                await connection.execute(text)

    assert set(named(spans)) == {"CONNECT primary", "postgresql primary"}


async def test_arguments_appear_on_request(telling: CloudSQL, spans: InMemorySpanExporter) -> None:
    """Within the limits of 24 arguments and 240 bytes each, without known secrets."""
    values: list[Any] = [None, True, 7, 1.5, "x" * 500, b"\xff" * 500, "hunter2", {}]
    marks = ", ".join(["%s::text"] * 7)
    async with await telling.connect("primary") as connection:
        with pytest.raises(psycopg.ProgrammingError, match="dict"):
            await connection.execute(f"SELECT {marks}, %s", values)
    async with await telling.connect("primary") as connection:
        await connection.execute("SELECT %(day)s::date", {"day": "2026-01-02"})
        await connection.execute(f"VALUES ({', '.join(['%s'] * 25)})", list(range(25)))

    failed, named_one = (
        span for span in spans.get_finished_spans() if span.name == "SELECT primary"
    )
    told = dict(failed.attributes or {})
    assert [told[f"db.query.parameter.{at}"] for at in (0, 1, 2, 3)] == ["NULL", True, 7, 1.5]
    assert told["db.query.parameter.4"] == "x" * 240
    assert len(str(told["db.query.parameter.5"])) <= 240
    assert told["db.query.parameter.6"] == "***"
    assert told["db.query.parameter.7"] == "unhandled type dict"
    assert "cannot adapt" in str((failed.events[0].attributes or {})["exception.message"])
    assert dict(named_one.attributes or {})["db.query.parameter.day"] == "2026-01-02"
    assert dict(named(spans)["VALUES primary"].attributes or {})["msp.db.parameters_omitted"] == 25


async def test_nothing_inside_without_trace(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """A query that runs each second, and the health check, are nothing to look at."""
    with without_trace():
        await use(cloudsql)
        await asyncio.to_thread(sync_use, cloudsql)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await use_missing(cloudsql)
    await select_one(cloudsql)

    assert set(named(spans)) == {"CONNECT primary"}  # made in the background, for everybody


async def use_missing(cloudsql: CloudSQL) -> None:
    """Fail."""
    async with cloudsql.pool("primary").connection() as connection:
        await connection.execute("SELECT * FROM missing")


async def test_a_pool_s_own_connections_belong_to_no_request(
    cloudsql: CloudSQL, spans: InMemorySpanExporter
) -> None:
    """The request that happens to use a pool first is not shown everything it does later."""
    tracer = trace.get_tracer_provider().get_tracer("test")
    with tracer.start_as_current_span("request"):
        async with cloudsql.pool("primary").connection() as connection:
            await connection.execute("SELECT 1")

    found = named(spans)
    assert found["CONNECT primary"].parent is None
    parent = found["SELECT primary"].parent
    assert parent is not None
    assert parent.span_id == found["request"].context.span_id


async def test_own_cursors_are_traced_too(cloudsql: CloudSQL, spans: InMemorySpanExporter) -> None:
    """Whatever kind of cursor the service chose; only functions that make them are left alone."""

    class Mine(psycopg.AsyncClientCursor):
        pass

    async with await cloudsql.connect("primary", cursor_factory=Mine) as connection:
        cursor = await connection.execute("SELECT %s", (1,))
        assert isinstance(cursor, Mine)
        await connection.cursor().executemany("SELECT %s", (one for one in [(1,)]))
    made = functools.partial(psycopg.AsyncCursor)
    async with await cloudsql.connect("primary", cursor_factory=made) as connection:
        await connection.execute("SHOW port")

    assert {"SELECT primary", "BATCH SELECT primary"} <= set(named(spans))
    assert "SHOW primary" not in named(spans)


async def test_logs_and_traces_together(
    spans: InMemorySpanExporter,
    postgresql_environ: Mapping[str, str],
    contract: Contract,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The query log takes nothing from the spans."""
    caplog.set_level("DEBUG", "msp.cloudsql.query")
    config = load(CloudSQLConfig, {**postgresql_environ, "PG_QUERY_LOGGING": "true"})
    async with open_cloudsql(config, contract) as cloudsql:
        await use(cloudsql)
        await asyncio.to_thread(sync_use, cloudsql)

    assert {"SELECT primary", "CONNECT primary"} <= set(named(spans))
    assert any(record.getMessage() == "query end" for record in caplog.records)


@pytest.mark.parametrize(
    "provider", [None, trace.NoOpTracerProvider(), trace.ProxyTracerProvider()]
)
async def test_costs_nothing_without_a_provider(
    provider: trace.TracerProvider | None,
    postgresql_environ: Mapping[str, str],
    contract: Contract,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Connections are then psycopg's own classes, and nothing is imported."""
    if provider is None:
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
        monkeypatch.delitem(sys.modules, "opentelemetry.metrics")
    else:
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    async with (
        open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql,
        await cloudsql.connect("primary") as connection,
    ):
        assert type(connection) is psycopg.AsyncConnection
        assert cloudsql.pool("primary").connection_class is psycopg.AsyncConnection
        assert cloudsql.sync_pool("primary").connection_class is psycopg.Connection
        await use(cloudsql)
        await asyncio.to_thread(sync_use, cloudsql)
        assert provider or "opentelemetry.trace" not in sys.modules


async def test_logs_without_tracing(
    postgresql_environ: Mapping[str, str],
    contract: Contract,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The query log needs no OpenTelemetry."""
    caplog.set_level("DEBUG", "msp.cloudsql.query")
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    config = load(CloudSQLConfig, {**postgresql_environ, "PG_QUERY_LOGGING": "true"})
    async with open_cloudsql(config, contract) as cloudsql:
        await use(cloudsql)

    assert any(record.getMessage() == "query end" for record in caplog.records)


async def test_traces_without_metrics(
    spans: InMemorySpanExporter,
    postgresql_environ: Mapping[str, str],
    contract: Contract,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Either half of OpenTelemetry may be in use alone."""
    monkeypatch.delitem(sys.modules, "opentelemetry.metrics")
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        await use(cloudsql)

    assert "SELECT primary" in named(spans)


async def test_metrics_tell_how_full_pools_are(
    postgresql_environ: Mapping[str, str], contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use, limit, those who wait and how long; nothing more once the pools are gone."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    async with open_cloudsql(load(CloudSQLConfig, postgresql_environ), contract) as cloudsql:
        pool, sync_pool = cloudsql.pool("primary", max_size=2), cloudsql.sync_pool("postgres")
        await pool.wait()
        async with pool.connection():
            with pytest.raises(PoolTimeout):
                sync_pool.getconn(-1.0)
            found = collected(reader)
    after = collected(reader)
    documented = set(
        re.findall(r"^\| `(db\.client\.[a-z_.]+)` \|", README.read_text("utf-8"), re.MULTILINE)
    )

    assert found["db.client.connection.count"]["primary", "used"] == 1
    assert found["db.client.connection.count"]["primary", "idle"] == 0
    assert found["db.client.connection.max"] == {("primary", None): 2, ("postgres", None): 10}
    assert found["db.client.connection.timeouts"]["postgres", None] == 0
    assert set(found) == documented
    assert after.keys() <= {"db.client.connection.wait_time"}
    provider.shutdown()


def test_waits_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are seconds, most of them far below one: the buckets are those of the conventions."""
    now = 100.0
    monkeypatch.setattr(_waiting, "time", SimpleNamespace(perf_counter=lambda: now))
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    waiting = _waiting.Waiting(database="primary", tracing=None, metrics=pool_metrics())
    for bound in (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10):
        for seconds in (0.99 * bound, 1.01 * bound):
            with waiting.measure():
                now += seconds
    data: Any = reader.get_metrics_data()
    (histogram,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert list(histogram.bucket_counts) == [1, 2, 2, 2, 2, 2, 2, 2, 2, 1]
    provider.shutdown()


def collected(reader: InMemoryMetricReader) -> dict[str, dict[Any, Any]]:
    """Return the values by metric and state."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: {
            (
                (point.attributes or {})["db.client.connection.pool.name"],
                (point.attributes or {}).get("db.client.connection.state"),
            ): getattr(point, "value", None)
            for point in metric.data.data_points
        }
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
