"""The Storage Write API: rows that fit get there, exactly once where that is asked for."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import logging
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from msp_bigquery import (
    BigQuery,
    BigQueryConfig,
    DeadLetters,
    Row,
    RowsRefusedError,
    RowValueError,
    WriteError,
    WriteTimeoutError,
)
from msp_bigquery._google import Google
from msp_bigquery._storage.append_connection import AppendConnection, BrokenConnectionError
from msp_bigquery._storage.streams import CommittedStream, Payload
from msp_bigquery._storage.table_proto import TableProto
from msp_core.config import load
from msp_core.errors import ConfigError, UsageError
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import RestServer
from tests.msp_bigquery.write_server import (
    INVALID,
    OUT_OF_RANGE,
    Done,
    Say,
    WriteServer,
    cut,
    cut_after,
    hang,
    saying,
)

SCHEMA = [{"name": "name", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]
ONCE = pytest.mark.parametrize("once", [False, True], ids=["default", "committed"])


@pytest.fixture
def rest() -> Iterator[RestServer]:
    """Give a server that knows the table's schema."""
    with RestServer() as server:
        server.schema = SCHEMA
        yield server


def rows(*numbers: int) -> list[dict[str, Any]]:
    """Return rows that fit."""
    return [{"name": "good", "n": number} for number in numbers]


def numbers(server: WriteServer) -> list[int]:
    """Return what was written, sorted."""
    return sorted(row.n for row in server.rows)


@ONCE
async def test_writes_over_one_connection(opened: Opening, rest: RestServer, *, once: bool) -> None:
    """Calls one after the other share connection and stream."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            await writer.write(*rows(1, 2))
            await asyncio.gather(*(writer.write(*rows(number)) for number in range(3, 9)))

    assert numbers(server) == list(range(1, 9))
    assert server.connections == 1
    assert len(server.streams) == once


@ONCE
async def test_survives_a_lost_connection(opened: Opening, rest: RestServer, *, once: bool) -> None:
    """Rows that were lost with the connection are sent again over a new one."""
    with WriteServer(None, cut) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            await writer.write(*rows(1))
            await writer.write(*rows(2, 3))

    assert numbers(server) == [1, 2, 3]


async def test_a_lost_answer_duplicates_nothing(opened: Opening, rest: RestServer) -> None:
    """Whether rows got there before the connection broke is looked up, not guessed."""
    with WriteServer(None, cut_after, None, cut_after) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=True)
            for number in range(1, 6):
                await writer.write(*rows(number, number + 10))

    assert numbers(server) == [1, 2, 3, 4, 5, 11, 12, 13, 14, 15]
    assert len(server.finalized) == 2


async def test_a_stream_that_is_gone_is_made_anew(opened: Opening, rest: RestServer) -> None:
    """A table that was made anew has lost its streams, and what was in them."""

    def forget(server: WriteServer, request: object) -> None:
        server.streams.clear()
        cut(server, request)

    with WriteServer(forget) as server:
        async with opened(rest.url, server.address) as bigquery:
            await bigquery.table_writer("t", storage=True, insert_ids=True).write(*rows(1))

    assert numbers(server) == [1]


@ONCE
async def test_refused_rows_keep_no_other_out(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """BigQuery takes a request as a whole; the good rows of it are sent again without the bad."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            bad = {"name": "bad", "n": 9}
            with pytest.raises(RowsRefusedError) as caught:
                await writer.write(*rows(1), bad, *rows(2), {"n": "hunter2"}, {"m": 1})

    said = "row 2: FIELDS_ERROR; row 4: expected INTEGER (column 'n'); row 5: no such column"
    assert said in str(caught.value)
    assert caught.value.refused[0].details == ("quotes hunter2",)
    assert "hunter2" not in f"{caught.value}{caught.value.refused}"
    assert numbers(server) == [1, 2]


@ONCE
async def test_a_row_that_spoils_its_request_keeps_no_other_out(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """A request that is invalid, nobody says why, is halved, and each good row written once."""

    def spoil(server: WriteServer, request: Any) -> None:
        if any(b"spoiler" in row for row in request.proto_rows.rows.serialized_rows):
            raise Say(INVALID)

    with WriteServer(*[spoil] * 100) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            bad = {"name": "spoiler", "n": 9}
            with pytest.raises(RowsRefusedError, match=r"1 of 41 rows refused: row 31: Invalid"):
                await writer.write(*rows(*range(30)), bad, *rows(*range(30, 40)))

    assert numbers(server) == list(range(40))


async def test_only_bad_rows_send_nothing(opened: Opening, rest: RestServer) -> None:
    """When no row fits, there is nothing to send."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            with pytest.raises(RowsRefusedError):
                await bigquery.table_writer("t", storage=True).write({"n": "x"})

    assert not server.requests


async def test_many_at_once_with_refused_rows_between(
    opened: Opening, rest: RestServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused request makes those behind it miss their offset; they are not to blame."""
    caplog.set_level(logging.INFO, "msp.bigquery")

    async def write(bigquery: BigQuery, number: int) -> None:
        writer = bigquery.table_writer("t", storage=True, insert_ids=True)
        if number % 5:
            await writer.write(*rows(number))
        else:
            with pytest.raises(RowsRefusedError):
                await writer.write({"name": "bad"}, *rows(number))

    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            await asyncio.gather(*(write(bigquery, number) for number in range(40)))

    assert numbers(server) == list(range(40))
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_exactly_once_through_chaos(opened: Opening, rest: RestServer) -> None:
    """Lost requests, lost answers and refused rows, with many on their way: each row once."""
    chance = random.Random(7)  # noqa: S311 - the same chaos each time
    happenings = [None, None, None, cut, cut_after, saying(OUT_OF_RANGE)]
    buried: list[DeadLetters] = []
    with WriteServer(*(chance.choice(happenings) for _ in range(40))) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer(
                "t", storage=True, insert_ids=True, dead_letter=buried.append
            )
            buffered = writer.buffered(max_rows=20, interval=0.01, senders=6)
            for number in range(1200):
                name = "good" if number % 100 else "bad"
                await buffered.write({"name": name, "n": number})
            await buffered.flush()

    assert numbers(server) == [number for number in range(1200) if number % 100]
    lost = sorted(row.values["n"] for letters in buried for row in letters.rows)
    assert lost == list(range(0, 1200, 100))


@ONCE
async def test_a_hanging_connection_is_given_up(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """Without an answer in time the call fails, and the next one has a new connection."""
    with WriteServer(hang) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once, timeout=0.5)
            with pytest.raises(WriteTimeoutError):
                await writer.write(*rows(1))
            await writer.write(*rows(2))

    assert 2 in numbers(server)


@ONCE
async def test_an_idle_connection_may_end(opened: Opening, rest: RestServer, *, once: bool) -> None:
    """BigQuery ends connections that nobody uses; the next call opens another, without a word."""

    def last(server: WriteServer, _: object) -> None:
        raise Done

    with WriteServer(None, last) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            await writer.write(*rows(1))
            await writer.write(*rows(2))

    assert numbers(server) == [1, 2]
    assert server.connections == 2


def test_a_closed_connection_takes_nothing(rest: RestServer) -> None:
    """Whoever comes too late learns it from the call, not from a silence."""
    with WriteServer() as server:
        environ = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
        environ |= {"BIGQUERY_EMULATOR_HOST": rest.url}
        environ |= {"BIGQUERY_EMULATOR_GRPC_HOST": server.address}
        google = Google(load(BigQueryConfig, environ))
        connection = AppendConnection(google.write_client(), "s", TableProto.of([]))
        connection.close()
        with pytest.raises(BrokenConnectionError):
            connection.send([b""], None)
        google.close()


async def test_unused_writers_close_with_ease(opened: Opening, rest: RestServer) -> None:
    """A writer that never wrote has no connection to close."""
    async with opened(rest.url, "127.0.0.1:1") as bigquery:
        bigquery.table_writer("t", storage=True)
        bigquery.table_writer("t", storage=True, insert_ids=True)


def test_a_payload_without_a_place_breaks_no_stream(rest: RestServer) -> None:
    """What was refused before it was sent has displaced nothing."""
    environ = {"BIGQUERY_PROJECT_ID": "p", "BIGQUERY_DATASET_ID": "d"}
    stream = CommittedStream(Google(load(BigQueryConfig, environ)), "t")
    payload = Payload(TableProto.of([]), [])
    stream.note_refused(payload)

    assert payload.place is None


async def test_whoever_waits_for_a_stream_has_a_deadline(opened: Opening, rest: RestServer) -> None:
    """Making a stream may take long; who stands in line gives up in time."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=True, timeout=0.3)
            await writer.write(*rows(1))
            stream: Any = writer._delivery().transport
            with stream.stream._lock, pytest.raises(WriteTimeoutError):
                await writer.write(*rows(2))


async def test_follows_a_changed_schema(opened: Opening, rest: RestServer) -> None:
    """A row with a new column makes the writer look at the schema again, before it is refused."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=True)
            await writer.write(*rows(1))
            rest.schema = [*SCHEMA, {"name": "more", "type": "FLOAT"}]
            await writer.write({"name": "good", "n": 2, "more": 0.5})

    assert [row.n for row in server.rows] == [1, 2]
    assert server.rows[1].more == 0.5
    assert server.connections == 2


@ONCE
async def test_rows_encoded_for_a_schema_outlive_it(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """Rows that wait in a buffer while a column is added are written with those that have it."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            buffered = writer.buffered(interval=3600)
            await writer.write(*rows(1))
            await buffered.write(*rows(2, 3))
            rest.schema = [{"name": "more", "type": "FLOAT"}, *SCHEMA]
            await buffered.write({"name": "good", "n": 4, "more": 0.5}, *rows(5))
            await buffered.flush()

    assert numbers(server) == [1, 2, 3, 4, 5]
    assert {row.n: row.more for row in server.rows[1:]} == {2: 0.0, 3: 0.0, 4: 0.5, 5: 0.0}
    assert server.connections == 2


async def test_an_encoded_row_that_is_refused_shows_its_values(
    opened: Opening, rest: RestServer
) -> None:
    """The dead-letter function gets what it could write again, not bytes."""
    buried: list[DeadLetters] = []
    rest.schema = [*SCHEMA, {"name": "at", "type": "TIMESTAMP"}]
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, dead_letter=buried.append)
            await writer.write(*rows(1))
            await writer.write(Row({"name": "bad", "at": moment, "n": None}, insert_id="x"))
            await writer.write({"name": 7})

    refused = [row for letters in buried for row in letters.rows]
    assert [row.values for row in refused] == [{"name": "bad", "at": moment}, {"name": 7}]
    assert [row.insert_id for row in refused] == ["x", None]
    assert refused[1].reasons == ("expected STRING (column 'name')",)


async def test_what_no_schema_could_take_is_refused_at_once(
    opened: Opening, rest: RestServer
) -> None:
    """Also when the schema is known already: the error names row and column."""
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True)
            await writer.write(*rows(1))
            for bad, said in [
                ({"name": {"hunter2"}}, "row 2: column 'name' is a set"),
                (7, "row 2: a row is a int"),
            ]:
                with pytest.raises(RowValueError, match=said):
                    await writer.write(*rows(2), bad)

    assert numbers(server) == [1]


@ONCE
async def test_a_row_that_no_column_could_hold_is_refused_alone(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """Whether the schema is known already or not."""
    rest.schema = [*SCHEMA, {"name": "at", "type": "TIMESTAMP"}]
    early = dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
    with WriteServer() as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            for first in (1, 3):
                bad = {"name": "good", "n": 9, "at": early}, {"name": "hunter2\ud800"}
                with pytest.raises(RowsRefusedError, match="2 of 4 rows refused: row 2") as caught:
                    await writer.write(*rows(first), *bad, *rows(first + 1))
                assert "row 3: column 'name' holds a lone surrogate" in str(caught.value)
                assert "hunter2" not in f"{caught.value}{caught.value.refused}"

    assert numbers(server) == [1, 2, 3, 4]


@ONCE
async def test_an_outdated_schema_is_renewed_once(
    opened: Opening, rest: RestServer, *, once: bool
) -> None:
    """A request that BigQuery finds invalid as a whole is encoded anew, and then refused."""
    invalid = saying(INVALID)
    with WriteServer(invalid, None, invalid, invalid) as server:
        async with opened(rest.url, server.address) as bigquery:
            writer = bigquery.table_writer("t", storage=True, insert_ids=once)
            await writer.write(*rows(1))
            with pytest.raises(WriteError, match="InvalidArgument"):
                await writer.write(*rows(2))

    assert numbers(server) == [1]


async def test_a_displaced_request_is_sent_again(opened: Opening, rest: RestServer) -> None:
    """Rows that missed their offset go to the next stream, and nobody hears of an outage."""
    with WriteServer(saying(OUT_OF_RANGE)) as server:
        async with opened(rest.url, server.address) as bigquery:
            await bigquery.table_writer("t", storage=True, insert_ids=True).write(*rows(1))
            bigquery.check()

    assert numbers(server) == [1]
    assert len(server.finalized) == 1


async def test_needs_the_emulator_s_second_address(opened: Opening, rest: RestServer) -> None:
    """Rows meant for an emulator must never go to Google."""
    async with opened(rest.url) as bigquery:
        with pytest.raises(ConfigError, match="BIGQUERY_EMULATOR_GRPC_HOST is missing"):
            bigquery.table_writer("t", storage=True)


async def test_names_the_missing_extra(
    opened: Opening, rest: RestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Google's second library the error gives the command that installs it."""
    importlib.import_module("google.cloud.bigquery")  # which looks for the other one, too
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery_storage_v1", None)
    async with opened(rest.url) as bigquery:
        with pytest.raises(UsageError, match=r"pip install 'msp-bigquery\[storage\]'"):
            bigquery.table_writer("t", storage=True)
