"""A BigQuery that takes every row and keeps none, so that what writing costs is the writer's own.

Streaming inserts over HTTP and the Storage Write API over gRPC, whose requests are not even parsed.
Prints its two addresses, and runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.cloud.bigquery_storage_v1 import types

SCHEMA = [
    {"name": "at", "type": "TIMESTAMP"},
    {"name": "method", "type": "STRING"},
    {"name": "path", "type": "STRING"},
    {"name": "status", "type": "INTEGER"},
    {"name": "seconds", "type": "FLOAT"},
    {"name": "price", "type": "NUMERIC"},
    {"name": "cached", "type": "BOOLEAN"},
    {"name": "visitor", "type": "STRING"},
    {"name": "referrer", "type": "STRING"},
    {"name": "agent", "type": "STRING"},
    {"name": "headers", "type": "JSON"},
]
_TABLE = {
    "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "t"},
    "schema": {"fields": SCHEMA},
}
_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request of a connection: with the table, or that all rows were taken."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            body = json.dumps(_TABLE if head.startswith(b"GET") else {}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
    except asyncio.IncompleteReadError:
        writer.close()


class Appends(grpc.GenericRpcHandler):
    """Takes all that is appended, and gives streams."""

    def __init__(self) -> None:
        stream = types.WriteStream(name="projects/p/datasets/d/tables/t/streams/s")
        made: bytes = types.WriteStream.serialize(stream)
        taken: bytes = types.AppendRowsResponse.serialize(types.AppendRowsResponse())

        def append(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
            return (taken for _ in requests)

        def create(_: bytes, __: grpc.ServicerContext) -> bytes:
            return made

        self._methods: dict[str, Any] = {
            f"/{_SERVICE}/AppendRows": grpc.stream_stream_rpc_method_handler(append),
            f"/{_SERVICE}/CreateWriteStream": grpc.unary_unary_rpc_method_handler(create),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401 - generic
        """Return what handles a call."""
        return self._methods.get(handler_call_details.method)


async def serve() -> None:
    """Serve until standard input ends."""
    http = await asyncio.start_server(answer, "127.0.0.1", 0, limit=2**20)
    appends = grpc.server(ThreadPoolExecutor(8))
    appends.add_generic_rpc_handlers((Appends(),))
    port = appends.add_insecure_port("127.0.0.1:0")
    appends.start()
    addresses = {
        "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{http.sockets[0].getsockname()[1]}",
        "BIGQUERY_EMULATOR_GRPC_HOST": f"127.0.0.1:{port}",
    }
    print(json.dumps(addresses), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    appends.stop(0).wait()


if __name__ == "__main__":
    asyncio.run(serve())
