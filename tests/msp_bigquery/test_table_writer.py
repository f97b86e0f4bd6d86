"""TableWriter over streaming inserts: durable or told why not, within its own time."""

from __future__ import annotations

import asyncio
import logging
import threading
from decimal import Decimal

import attrs
import pytest

from msp_bigquery import (
    JSON,
    BigQueryError,
    DeadLetters,
    RefusedRow,
    Row,
    RowsRefusedError,
    RowValueError,
    WriteError,
    WriterClosedError,
    WriteTimeoutError,
)
from msp_bigquery._check import last_writes
from msp_core.errors import UsageError
from tests.msp_bigquery.conftest import Opening
from tests.msp_bigquery.rest_server import (
    RestServer,
    cut,
    failing,
    refusing,
    smaller_than,
    spoiled_by,
    written,
)


@attrs.frozen
class Visit:
    visitor: str
    price: Decimal
    tags: tuple[str, ...] = ()


async def test_writes_what_it_is_given(opened: Opening) -> None:
    """Instances and mappings become BigQuery's JSON; a row without an id is sent without one."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits")
            await writer.write(Visit("ada", Decimal("1.50"), ("a",)), {"data": JSON({"n": [1]})})

    assert server.rows == [
        {"visitor": "ada", "price": "1.50", "tags": ["a"]},
        {"data": '{"n":[1]}'},
    ]
    assert [row.get("insertId") for row in server.bodies[0]["rows"]] == [None, None]
    assert server.bodies[0]["skipInvalidRows"] is True


async def test_needs_a_row(opened: Opening) -> None:
    """A call without rows is a mistake of the caller, as it is upstream."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(UsageError, match="no values to insert"):
                await bigquery.table_writer("visits").write()
            with pytest.raises(UsageError, match="no values to insert"):
                await bigquery.table_writer("visits").buffered().write()


async def test_refuses_what_could_not_work(opened: Opening) -> None:
    """Mistakes in the call are told where they are made, not when rows are lost."""

    async def bury(_: DeadLetters) -> None: ...

    async with opened("http://127.0.0.1:1") as bigquery:
        for name in ("", "d.visits", "p/visits"):
            with pytest.raises(UsageError, match="without project and dataset"):
                bigquery.table_writer(name)
        with pytest.raises(UsageError, match="at least 1 sender"):
            bigquery.table_writer("visits").buffered(senders=0)
        with pytest.raises(UsageError, match="cannot be async"):
            bigquery.table_writer("visits", dead_letter=bury)


async def test_many_buffers_keep_their_connections(
    opened: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    """More threads than the library's pool has room for make no flood of its warnings."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            buffers = [bigquery.table_writer(f"t{n}").buffered(interval=0) for n in range(8)]
            for _ in range(10):
                await asyncio.gather(*(one.write({"n": 1}) for one in buffers for _ in range(4)))
            await asyncio.gather(*(one.flush() for one in buffers))

    assert len(server.rows) == 320
    assert not caplog.records


async def test_retries_what_passes_with_the_same_ids(
    opened: Opening, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage is one warning; ids made on request stay, so that nothing is written twice."""
    caplog.set_level(logging.INFO, "msp.bigquery")
    answers = (failing(500), cut, failing(403, "rateLimitExceeded"), failing(429), written)
    with RestServer(*answers) as server:
        async with opened(server.url) as bigquery:
            await bigquery.table_writer("visits", insert_ids=True).write({"n": 1}, {"n": 2})
            await last_writes(bigquery)

    ids = [[row["insertId"] for row in body["rows"]] for body in server.bodies]
    levels = [record.levelname for record in caplog.records if record.name == "msp.bigquery"]
    assert len(ids) == 5
    assert len(set(ids[0])) == 2
    assert all(others == ids[0] for others in ids)
    assert levels == ["WARNING", "INFO"]


async def test_a_row_s_own_id_wins(opened: Opening) -> None:
    """Whoever knows what a row is says so."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits", insert_ids=True)
            await writer.write(Row({"n": 1}, insert_id="first"), {"n": 2})

    ids = [row["insertId"] for row in server.bodies[0]["rows"]]
    assert ids[0] == "first"
    assert ids[1] not in (None, "first")


async def test_gives_up_in_time(opened: Opening) -> None:
    """Google's library would go on for ten minutes; the error is a TimeoutError and says why."""
    with RestServer(failing(503)) as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits", timeout=0.3)
            with pytest.raises(WriteTimeoutError, match=r"gave up after 0.3 s.*503") as caught:
                await writer.write({"n": 1})
            with pytest.raises(BigQueryError, match=r"'visits' fails since 0 s: .*503"):
                await last_writes(bigquery)

    assert isinstance(caught.value, TimeoutError)
    assert caught.value.durable == 0


async def test_a_hanging_bigquery_blocks_no_loop(opened: Opening) -> None:
    """Requests wait in threads of the plugin's own, so that the loop and its threads stay free."""
    with RestServer() as server:
        server.answers[0] = server.hang
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits")
            writes = [asyncio.create_task(writer.write({"n": n})) for n in range(20)]
            await asyncio.to_thread(server.asked.acquire)
            async with asyncio.timeout(10):
                await asyncio.gather(*(asyncio.to_thread(int) for _ in range(8)))
            server.released.set()
            await asyncio.gather(*writes)

    assert sorted(row["n"] for row in server.rows) == list(range(20))


async def test_a_missing_table_is_told_at_once(opened: Opening) -> None:
    """No retry makes a table; the error says what is wrong without project or request."""
    with RestServer(failing(404, "notFound", "Not found: Table p:d.visits")) as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(WriteError, match="it does not exist, or") as caught:
                await bigquery.table_writer("visits").write({"n": "hunter2"})

    assert len(server.bodies) == 1
    assert "p:d" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_names_refused_rows_without_their_content(opened: Opening) -> None:
    """One error names the numbers and the reasons of all refused rows; the others are durable."""
    said = {"reason": "invalid", "location": "age", "message": "bad value: hunter2"}
    with RestServer(refusing({1: [said], 2: [{"reason": "", "message": "?"}]})) as server:
        async with opened(server.url) as bigquery:
            rows = [{"age": 1}, {"age": "hunter2"}, {"age": "hunter2"}]
            with pytest.raises(RowsRefusedError) as caught:
                await bigquery.table_writer("visits").write(*rows)

    text = "table 'visits': 2 of 3 rows refused: row 2: invalid (column 'age'); row 3: refused"
    assert str(caught.value) == text
    assert "hunter2" not in repr(caught.value.refused)
    assert caught.value.refused[0].values == {"age": "hunter2"}
    assert caught.value.refused[0].details == ("bad value: hunter2",)


def test_many_refused_rows_make_a_short_text() -> None:
    """A log line with a thousand reasons would help nobody."""
    refused = [
        RefusedRow(number=number, reasons=("no",), values={}, insert_id=None)
        for number in range(1, 9)
    ]

    assert str(RowsRefusedError("t", refused, 9)).endswith("row 5: no; and 3 more")


async def test_a_dead_letter_function_takes_refused_rows(opened: Opening) -> None:
    """With somebody to take them, refused rows are no error."""
    buried: list[DeadLetters] = []
    with RestServer(refusing({0: [{"reason": "invalid"}]})) as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits", dead_letter=buried.append)
            await writer.write(Row({"n": 1}, insert_id="x"), {"n": 2})

    (letters,) = buried
    assert (letters.table, letters.rows[0].insert_id) == ("visits", "x")
    assert letters.rows[0].number == 1


async def test_parts_what_is_too_large(opened: Opening) -> None:
    """Many rows go in several requests, and what BigQuery finds too large is halved."""
    with RestServer(smaller_than(300)) as server:
        async with opened(server.url) as bigquery:
            await bigquery.table_writer("visits").write(*({"n": n} for n in range(501)))

    sizes = [len(body["rows"]) for body in server.bodies]
    assert sizes == [500, 250, 250, 1]


async def test_a_single_row_that_is_too_large_is_refused(opened: Opening) -> None:
    """There is nothing left to part; the numbers of the others stay right."""
    with RestServer(failing(413), failing(413), written) as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(RowsRefusedError, match="row 1: too large for one request"):
                await bigquery.table_writer("visits").write({"n": 1}, {"n": 2})
    with RestServer(failing(413), written, failing(413)) as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(RowsRefusedError, match="row 2: too large"):
                await bigquery.table_writer("visits").write({"n": 1}, {"n": 2})


async def test_heavy_rows_go_in_requests_of_their_own(opened: Opening) -> None:
    """A request stays below BigQuery's limit by bytes, too."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            heavy = {"text": "x" * 3_000_000}
            await bigquery.table_writer("visits").write(heavy, heavy, {"n": 1})

    assert [len(body["rows"]) for body in server.bodies] == [1, 2]


async def test_says_how_much_is_durable(opened: Opening) -> None:
    """A call that fails half-way tells which part need not be sent again."""
    with RestServer(written, failing(400, "invalid")) as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(WriteError, match="500 of 700 rows") as caught:
                await bigquery.table_writer("visits").write(*({"n": n} for n in range(700)))

    assert caught.value.durable == 500
    assert not isinstance(caught.value, TimeoutError)


async def test_only_rows_that_no_column_could_hold_send_nothing(opened: Opening) -> None:
    """The error names each; there is nothing to send."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(RowsRefusedError, match="2 of 2 rows refused: row 1: column 'n'"):
                await bigquery.table_writer("visits").write({"n": "\ud800"}, {"n": "\udfff"})

    assert not server.bodies


async def test_a_row_that_spoils_its_request_is_named(opened: Opening) -> None:
    """BigQuery refuses the request as a whole; the others are durable, and the error says which."""
    with RestServer(spoiled_by("bad")) as server:
        async with opened(server.url) as bigquery:
            rows = [{"n": 1}, {"bad": 2}, {"n": 3}]
            with pytest.raises(RowsRefusedError, match="1 of 3 rows refused: row 2: BadRequest"):
                await bigquery.table_writer("visits").write(*rows)

    assert [len(body["rows"]) for body in server.bodies] == [3, 1, 2, 1, 1]


async def test_an_unfit_value_is_told_before_anything_is_sent(opened: Opening) -> None:
    """The error names row and column, never the value."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            with pytest.raises(RowValueError, match="row 2: column 'n' is a object"):
                await bigquery.table_writer("visits").write({"n": 1}, {"n": object()})

    assert not server.bodies


def test_works_in_plain_and_threaded_code(opened: Opening) -> None:
    """Threads and code without an event loop write with the same writer."""
    with RestServer() as server:

        async def main() -> None:
            async with opened(server.url) as bigquery:
                writer = bigquery.table_writer("visits")
                threads = [
                    threading.Thread(target=writer.write_sync, args=({"n": n},)) for n in range(6)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    await asyncio.to_thread(thread.join)

        asyncio.run(main())

    assert sorted(row["n"] for row in server.rows) == list(range(6))


async def test_nothing_is_written_after_the_service_has_stopped(opened: Opening) -> None:
    """What comes late is an error, and opens nothing."""
    with RestServer() as server:
        async with opened(server.url) as bigquery:
            writer = bigquery.table_writer("visits")
            client = bigquery.client()

        with pytest.raises(WriterClosedError):
            writer.write_sync({"n": 1})
        with pytest.raises(WriterClosedError):
            writer.buffered()
        with pytest.raises(WriterClosedError):
            bigquery.client()

    assert client.project == "p"
    assert not server.bodies


async def test_a_write_that_retries_ends_with_the_service(opened: Opening) -> None:
    """A stopping service does not wait for a call's own timeout."""
    with RestServer(failing(500)) as server:
        async with opened(server.url) as bigquery:
            write = asyncio.create_task(bigquery.table_writer("visits").write({"n": 1}))
            await asyncio.to_thread(server.asked.acquire)

        with pytest.raises(WriteError, match="the service stops"):
            async with asyncio.timeout(10):
                await write
