"""The Storage Write API: streams of every type, offsets, and errors, over real gRPC."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.protobuf import descriptor_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]

from msp_bigquery_emulator._store.database import Database
from msp_bigquery_emulator._write_api import proto_rows as _proto_rows
from msp_bigquery_emulator.emulator import Emulator, Options
from tests.msp_bigquery_emulator.conftest import Rows, connect
from tests.msp_bigquery_emulator.writing import TABLE, Kind, Stream, descriptor, write_client

DEFAULT = f"{TABLE}/streams/_default"
A, B, C = ({"name": name} for name in "abc")
Open = Callable[..., Stream]


@pytest.fixture
def writer(emulator: Emulator, people: bigquery.Table) -> Iterator[BigQueryWriteClient]:
    """Give Google's client, when the table of people is there."""
    assert people.table_id == "people"
    with write_client(emulator.grpc) as client:
        yield client


@pytest.fixture
def stream(writer: BigQueryWriteClient) -> Iterator[Open]:
    """Give the function that opens a stream by name; it is closed after the test."""
    opened: list[Stream] = []

    def open_stream(name: str, fields: dict[str, Any] | None = None) -> Stream:
        opened.append(Stream(writer, name, fields))
        return opened[-1]

    yield open_stream
    for one in opened:
        one.close()


def create(writer: BigQueryWriteClient, kind: int) -> types.WriteStream:
    """Return a new stream of people."""
    stream = types.WriteStream(type_=kind)
    return writer.create_write_stream(parent=TABLE, write_stream=stream)


@pytest.mark.parametrize("name", [DEFAULT, f"{TABLE}/_default"])
def test_default_stream(stream: Open, rows: Rows, name: str) -> None:
    """Rows of the default stream are seen when they are answered; they have no offset."""
    one = stream(name)
    response = one.append(A, {"name": "b", "age": 2})
    with pytest.raises(exceptions.InvalidArgument, match="no offset"):
        one.append(C, offset=0)

    assert response.append_result.offset is None
    assert rows("SELECT * FROM people ORDER BY name") == [("a", None), ("b", 2)]


def test_committed_stream(writer: BigQueryWriteClient, stream: Open, rows: Rows) -> None:
    """An offset makes a row exactly one: sent again it exists, after a gap it is out of range."""
    made = create(writer, Kind.COMMITTED)
    one = stream(made.name)
    first, second = one.append(A, B, offset=0), one.append(C)
    with pytest.raises(exceptions.AlreadyExists) as existing:
        one.append(A, B, offset=0)
    with pytest.raises(exceptions.OutOfRange):
        one.append(A, offset=9)
    detail = types.StorageError.pb()()
    status: status_pb2.Status = existing.value.response.error
    status.details[0].Unpack(detail)

    assert (first.append_result.offset, second.append_result.offset) == (0, 2)
    assert detail.code == types.StorageError.StorageErrorCode.OFFSET_ALREADY_EXISTS
    assert rows("SELECT count(*) FROM people") == [(3,)]
    assert [field.name for field in made.table_schema.fields] == ["name", "age"]


def test_finalized_stream(writer: BigQueryWriteClient, stream: Open) -> None:
    """A finalized stream tells its rows and takes no more; the default one has no end."""
    name = create(writer, Kind.COMMITTED).name
    one = stream(name)
    one.append(A, B)
    finalized = writer.finalize_write_stream(name=name)
    with pytest.raises(exceptions.InvalidArgument, match="finalized"):
        one.append(C)
    with pytest.raises(exceptions.AlreadyExists):
        one.append(C, offset=1)
    with pytest.raises(exceptions.InvalidArgument):
        writer.finalize_write_stream(name=DEFAULT)

    assert finalized.row_count == 2


def test_pending_streams(writer: BigQueryWriteClient, stream: Open, rows: Rows) -> None:
    """Rows of pending streams are seen when all of the streams are committed, not before."""
    names = [create(writer, Kind.PENDING).name for _ in range(2)]
    stream(names[0]).append(A, offset=0)
    stream(names[1]).append(B, C)

    def commit() -> types.BatchCommitWriteStreamsResponse:
        request = {"parent": TABLE, "write_streams": names}
        return writer.batch_commit_write_streams(request=request)

    writer.finalize_write_stream(name=names[0])
    early = commit()
    seen_early = rows("SELECT count(*) FROM people")
    writer.finalize_write_stream(name=names[1])
    done, again = commit(), commit()

    codes = types.StorageError.StorageErrorCode
    assert [error.code for error in early.stream_errors] == [codes.INVALID_STREAM_STATE]
    assert early.stream_errors[0].entity == names[1]
    assert (seen_early, rows("SELECT count(*) FROM people")) == ([(0,)], [(3,)])
    assert done.commit_time is not None
    assert {error.code for error in again.stream_errors} == {codes.STREAM_ALREADY_COMMITTED}
    assert writer.get_write_stream(name=names[0]).commit_time is not None


def test_commit_of_other_streams(writer: BigQueryWriteClient) -> None:
    """Only pending streams that exist can be committed."""
    names = [create(writer, Kind.COMMITTED).name, f"{TABLE}/streams/nope"]
    request = {"parent": TABLE, "write_streams": names}
    errors = writer.batch_commit_write_streams(request=request).stream_errors
    codes = types.StorageError.StorageErrorCode

    assert [one.code for one in errors] == [codes.INVALID_STREAM_TYPE, codes.STREAM_NOT_FOUND]


def test_buffered_stream(writer: BigQueryWriteClient, stream: Open, rows: Rows) -> None:
    """Rows of a buffered stream are seen up to where it was flushed."""
    name = create(writer, Kind.BUFFERED).name
    stream(name).append(A, B, C, offset=0)
    seen = []
    for offset in (0, 0, 2):
        writer.flush_rows(request={"write_stream": name, "offset": offset})
        seen.append(rows("SELECT string_agg(name, '' ORDER BY name) FROM people")[0][0])

    assert seen == ["a", "a", "abc"]
    with pytest.raises(exceptions.OutOfRange):
        writer.flush_rows(request={"write_stream": name, "offset": 3})
    with pytest.raises(exceptions.InvalidArgument):
        writer.flush_rows(request={"write_stream": DEFAULT, "offset": 0})


def test_refused_rows(stream: Open, rows: Rows) -> None:
    """One bad row stops its request, each is named, and the connection goes on."""
    one = stream(DEFAULT)
    with pytest.raises(exceptions.InvalidArgument) as refused:
        one.append(A, {"age": 1})
    with pytest.raises(exceptions.InvalidArgument) as unreadable:
        one.raw([b"\xff"])
    one.append(B)
    (error,) = refused.value.response.row_errors

    assert (error.index, error.code.name) == (1, "FIELDS_ERROR")
    assert "name" in error.message
    assert "proto schema" in unreadable.value.response.row_errors[0].message
    assert rows("SELECT name FROM people") == [("b",)]


def test_streams_outlive_the_process(options: Options) -> None:
    """After a restart a client goes on where it was: offsets and uncommitted rows are kept."""
    fields = [bigquery.SchemaField("name", "STRING"), bigquery.SchemaField("age", "INT64")]
    with Emulator(options) as emulator, connect(emulator.http) as client:
        client.create_table(bigquery.Table("project-1.d.people", fields))
        with write_client(emulator.grpc) as writer:
            names = [create(writer, kind).name for kind in (Kind.COMMITTED, Kind.PENDING)]
            for name in names:
                stream = Stream(writer, name)
                stream.append(A, offset=0)
                stream.close()
    with Emulator(options) as emulator, connect(emulator.http) as client:
        with write_client(emulator.grpc) as writer:
            stream = Stream(writer, names[0])
            with pytest.raises(exceptions.AlreadyExists):
                stream.append(A, offset=0)
            stream.close()
            writer.finalize_write_stream(name=names[1])
            request = {"parent": TABLE, "write_streams": names[1:]}
            writer.batch_commit_write_streams(request=request)

        assert len(list(client.list_rows("project-1.d.people", selected_fields=fields))) == 2


def test_schema_that_grows(
    client: bigquery.Client, people: bigquery.Table, stream: Open, rows: Rows
) -> None:
    """An open connection goes on when the table gets a column."""
    one = stream(DEFAULT)
    one.append(A)
    people.schema = [*people.schema, bigquery.SchemaField("zip", "STRING", "REPEATED")]
    client.update_table(people, ["schema"])
    one.append(B)

    assert rows("SELECT name, zip FROM people ORDER BY name") == [("a", []), ("b", [])]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (f"{TABLE}/streams/nope", exceptions.NotFound),
        ("projects/project-1/datasets/d/tables/nope/streams/_default", exceptions.NotFound),
        ("projects/other/datasets/d/tables/t/streams/_default", exceptions.NotFound),
        ("nope", exceptions.InvalidArgument),
    ],
)
def test_unknown_streams(writer: BigQueryWriteClient, name: str, error: type[Exception]) -> None:
    """A stream that does not exist is not found, by whatever part is missing."""
    with pytest.raises(error):
        writer.get_write_stream(name=name)


def test_streams_that_cannot_be(writer: BigQueryWriteClient) -> None:
    """A stream needs a table and a type."""
    with pytest.raises(exceptions.InvalidArgument):
        create(writer, Kind.TYPE_UNSPECIFIED)
    with pytest.raises(exceptions.InvalidArgument):
        writer.create_write_stream(parent="nope", write_stream=types.WriteStream())


def append_rows(emulator: Emulator, *requests: Any) -> Any:
    """Return the first response to requests as they are, without Google's writer around."""
    with write_client(emulator.grpc) as client:
        return next(iter(client.append_rows(iter(requests), timeout=30)))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (types.AppendRowsRequest(write_stream=DEFAULT), exceptions.InvalidArgument),
        (types.AppendRowsRequest(arrow_rows={}), exceptions.MethodNotImplemented),
        (
            types.AppendRowsRequest(
                proto_rows={
                    "writer_schema": {
                        "proto_descriptor": descriptor_pb2.DescriptorProto(
                            name="Row",
                            field=[{"name": "a", "number": 1, "type": 11, "type_name": "Missing"}],  # type: ignore[list-item]
                        )
                    }
                }
            ),
            exceptions.InvalidArgument,
        ),
    ],
)
def test_first_requests_that_cannot_be(
    emulator: Emulator, request_: Any, code: type[Exception]
) -> None:
    """A connection begins with a stream and a schema that is complete."""
    with pytest.raises(code):
        append_rows(emulator, request_)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "string", "zip": "string"}, "extra fields: zip"),
        ({"name": "bytes"}, "of another type"),
        ({"name": "string", "age": "double"}, "of another type"),
        ({"name": ["string"]}, "it is repeated"),
    ],
)
def test_schemas_that_do_not_fit(
    emulator: Emulator, people: bigquery.Table, fields: dict[str, Any], message: str
) -> None:
    """Messages that do not fit the table are refused before any row."""
    schema = types.ProtoSchema(proto_descriptor=descriptor("Row", fields))
    data = types.AppendRowsRequest.ProtoData(writer_schema=schema)
    request = types.AppendRowsRequest(write_stream=DEFAULT, proto_rows=data)

    assert people.table_id == "people"
    with pytest.raises(exceptions.InvalidArgument, match=message):
        append_rows(emulator, request)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionAbortedError(), grpc.StatusCode.UNAVAILABLE),
        (RuntimeError(), grpc.StatusCode.UNIMPLEMENTED),
    ],
)
def test_calls_that_break(
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    expected: grpc.StatusCode,
) -> None:
    """A fault of the emulator is not tried again for minutes; a stop is."""

    def fail(_: Database) -> None:
        raise error

    monkeypatch.setattr(Database, "read", fail)
    with (
        write_client(emulator.grpc) as client,
        pytest.raises(exceptions.GoogleAPICallError) as raised,
    ):
        client.get_write_stream(name=DEFAULT, retry=None)

    assert raised.value.grpc_status_code == expected


def test_rows_that_the_database_refuses(
    emulator: Emulator, people: bigquery.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only DuckDB finds wrong is the client's mistake too."""
    monkeypatch.setattr(_proto_rows.ProtoRows, "read", lambda *_: ([{"name": None, "age": 1}], {}))
    schema = types.ProtoSchema(proto_descriptor=descriptor("Row", {"name": "string"}))
    data = types.AppendRowsRequest.ProtoData(writer_schema=schema)

    assert people.table_id == "people"
    with pytest.raises(exceptions.InvalidArgument, match="NOT NULL"):
        append_rows(emulator, types.AppendRowsRequest(write_stream=DEFAULT, proto_rows=data))


def test_client_that_leaves(
    emulator: Emulator, people: bigquery.Table, capfd: pytest.CaptureFixture[str]
) -> None:
    """A client that leaves in the middle of a stream is no fault of anybody."""
    schema = types.ProtoSchema(proto_descriptor=descriptor("Row", {"name": "string"}))
    data = types.AppendRowsRequest.ProtoData(writer_schema=schema)
    request = types.AppendRowsRequest(write_stream=DEFAULT, proto_rows=data)
    left = threading.Event()

    def requests() -> Iterator[types.AppendRowsRequest]:
        yield request
        left.wait(30)

    with write_client(emulator.grpc) as client:
        call = client.append_rows(requests(), timeout=30)
        next(iter(call))
        cast("grpc.Call", call).cancel()
        left.set()
    emulator.__exit__(None, None, None)

    assert people.table_id == "people"
    assert "Traceback" not in capfd.readouterr().err
