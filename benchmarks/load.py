"""A client that asks a server as fast as it answers, or at a steady rate; prints JSON.

It costs a fraction of what any server in Python costs: sockets without a library of HTTP, answers
known by their first line and last bytes. It reads the server's own processor time around the load.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time

import attrs
import psutil

OK = b"HTTP/1.1 200"
ENDS = b"}"  # of JSON, which every service here answers
SIZE = 65536


@attrs.define(eq=False)
class Connection:
    """One connection that asks again and again.

    Attributes:
        socket: to the server.
        request: what it sends.
        due: when the answer that is awaited was to be asked for.
        got: of that answer so far.
    """

    socket: socket.socket
    request: bytes
    due: float = 0.0
    got: bytes = b""

    def ask(self, due: float) -> None:
        """Send one request."""
        self.due = due
        self.socket.send(self.request)

    def answered(self) -> bool:
        """Read; return whether the answer is complete."""
        data = self.got + self.socket.recv(SIZE)
        if data.endswith(ENDS):
            if not data.startswith(OK):
                raise SystemExit(f"unexpected answer: {data.decode(errors='replace')}")
            self.got = b""
            return True
        if data == self.got:
            raise SystemExit("the server has closed a connection")
        self.got = data
        return False


@attrs.define(eq=False)
class Load:
    """Connections to one server.

    Attributes:
        connections: all of them.
        selector: tells which can be read.
        latencies: seconds of each answer since it was due.
    """

    connections: list[Connection]
    selector: selectors.BaseSelector = attrs.field(factory=selectors.DefaultSelector)
    latencies: list[float] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Listen to all connections."""
        for connection in self.connections:
            self.selector.register(connection.socket, selectors.EVENT_READ, connection)

    def read(self, timeout: float | None) -> list[Connection]:
        """Return connections whose answer is complete."""
        keys = [key for key, _ in self.selector.select(timeout)]
        ready: list[Connection] = [key.data for key in keys if key.data.answered()]
        now = time.perf_counter()
        self.latencies += [now - connection.due for connection in ready]
        return ready

    def saturate(self, seconds: float) -> None:
        """Ask again as soon as an answer is there."""
        end = (now := time.perf_counter()) + seconds
        for connection in self.connections:
            connection.ask(now)
        while (now := time.perf_counter()) < end:
            for connection in self.read(None):
                connection.ask(now)
        self.finish(len(self.connections))

    def pace(self, seconds: float, rate: float) -> None:
        """Ask at a steady rate; what comes late because all connections wait, counts as late."""
        began, number = time.perf_counter(), 0
        idle = list(self.connections)
        while number < seconds * rate:
            due = began + number / rate
            if idle and time.perf_counter() >= due:
                idle.pop().ask(due)
                number += 1
            idle += self.read(0)
        self.finish(len(self.connections) - len(idle))

    def finish(self, awaited: int) -> None:
        """Read the answers that are still awaited."""
        while awaited:
            awaited -= len(self.read(None))


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("pid", type=int, help="of the server")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rate", type=float, help="a second (default: as fast as it answers)")
    options = parser.parse_args()
    request = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
    addresses = [("127.0.0.1", options.port)] * options.connections
    connections = [Connection(socket.create_connection(address), request) for address in addresses]
    load = Load(connections)
    load.saturate(0)  # every connection has been served before the clock starts
    load.latencies.clear()
    server, before = psutil.Process(options.pid), cpu_seconds(psutil.Process(options.pid))
    began = time.perf_counter()
    if options.rate:
        load.pace(options.seconds, options.rate)
    else:
        load.saturate(options.seconds)
    seconds, latencies = time.perf_counter() - began, sorted(load.latencies)
    answer = {
        "requests": len(latencies),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds(server) - before,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
    }
    print(json.dumps(answer))


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
