"""A server that takes what OTLP exporters and Sentry's client send, and throws it away.

Its cost is small beside that of the services that send to it; it runs as a process of its own and
prints its port as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re

LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
HEADER_LIMIT = 1 << 20


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if CHUNKED.search(head):
                await skip_chunks(reader)
            elif length := LENGTH.search(head):
                await reader.readexactly(int(length[1]))
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has left
    finally:
        writer.close()


async def skip_chunks(reader: asyncio.StreamReader) -> None:
    """Read a chunked body to its end."""
    size = -1
    while size:
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        await reader.readexactly(size + 2)


async def serve() -> None:
    """Listen until the process is ended."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=HEADER_LIMIT)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
