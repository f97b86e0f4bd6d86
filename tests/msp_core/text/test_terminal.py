"""A service on a terminal: what the person before it sees."""

from __future__ import annotations

import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.msp_core.program import Program, StartProgram

IDLE = """
@hookimpl
async def msp_initialize(self, contract):
    return NoopRoutine("idle")
"""
LEVEL = "\x1b[32mINFO \x1b[0m"


def test_lines_are_for_people(program: StartProgram) -> None:
    """A plain start on a terminal logs for the person who reads along, in colour."""
    service = program(IDLE, {"TERM": "xterm"}, terminal=True)

    assert service.stop() == 0
    assert LEVEL in service.stderr
    assert not re.search("^{", service.stderr, re.MULTILINE)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(program: StartProgram, environ: dict[str, str]) -> None:
    """Who wants no colours, or has a terminal without, gets the same lines plain."""
    service = program(IDLE, environ, terminal=True)

    assert service.stop() == 0
    assert "INFO  " in service.stderr
    assert "\x1b" not in service.stderr


def test_colours_on_request(program: StartProgram) -> None:
    """Who reads through a pipe that shows colours can ask for them."""
    service = program(IDLE, {"FORCE_COLOR": "1", "SRC_LOG_FORMAT": "console"})

    assert service.stop() == 0
    assert LEVEL in service.stderr


@pytest.mark.parametrize(
    "environ",
    [
        {"MSP": "true"},
        {"K_SERVICE": "probe"},
        {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "MSP_DRAIN_WINDOW": "0s"},
        {"SRC_LOG_FORMAT": "json"},
        {"SRC_DEVELOPMENT": "false"},
    ],
)
def test_platforms_and_who_says_so_get_json(program: StartProgram, environ: dict[str, str]) -> None:
    """A platform's collector, and who asks for JSON, get it from a terminal, too."""
    service = program(IDLE, environ, terminal=True)

    assert service.stop() == 0
    assert all(isinstance(json.loads(line), dict) for line in service.stderr.splitlines())


HTTP = """
@hookimpl
async def msp_initialize(self, contract):
    from msp_core.http import HTTPServer
    return HTTPServer(self.app, contract)
async def app(self, scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        logging.getLogger("probe").info("slow begins")
        await asyncio.sleep(1000)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def url(service: Program) -> str:
    """Return where the service answers."""
    service.until("service started")
    found = re.search(r"port=(\d+)", service.stderr)
    assert found
    return f"http://127.0.0.1:{found[1]}"


def test_access_line(program: StartProgram) -> None:
    """A request is one short line, with what finds its trace."""
    service = program(HTTP, {"NO_COLOR": "1"}, terminal=True)
    httpx.get(f"{url(service)}/todos", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    assert service.stop() == 0
    (line,) = [line for line in service.stderr.splitlines() if "GET" in line]
    assert re.fullmatch(r"[\d:.]+ INFO  GET /todos 200 \d+(\.\d)? m?s trace=4bf92f35", line)


def test_stop_says_at_once_what_it_waits_for(program: StartProgram) -> None:
    """Who presses Ctrl-C learns what is waited for, while it is, and how to leave."""
    service = program(HTTP, {"NO_COLOR": "1"}, terminal=True)
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(httpx.get, f"{url(service)}/slow", timeout=60) for _ in range(2)]
        service.until("slow begins", times=2)
        service.signal(signal.SIGINT)
        service.until("INFO  stopping: 2 requests in flight, Ctrl-C again to leave\n")
        service.signal(signal.SIGINT)
        code = service.code()

    assert code == 0
    assert all(isinstance(answer.exception(), httpx.TransportError) for answer in answers)


def test_stop_without_requests(program: StartProgram) -> None:
    """Where nothing is waited for, no number is told; the lines of start and stop say it all."""
    service = program(IDLE, {"NO_COLOR": "1"}, terminal=True)

    assert service.stop() == 0
    said = [line[13:] for line in service.stderr.splitlines()]
    assert re.fullmatch(r"INFO  service started in \d+(\.\d+)? m?s", said[-3])
    assert said[-2] == "INFO  stopping, Ctrl-C again to leave"
    assert re.fullmatch(r"INFO  service stopped by SIGTERM in .* s: idle .* s", said[-1])


def test_exit_code_that_is_not_0(program: StartProgram) -> None:
    """A service that stops for a failure says what it leaves with, to people, too."""
    body = """
    @hookimpl
    async def msp_initialize(self, contract):
        return CallbackRoutine("short", start=self.end)
    async def end(self):
        raise OSError("disk on fire")
    """
    service = program(body, {"NO_COLOR": "1"}, terminal=True)

    assert service.code() == 1
    assert re.search(r'service stopped by routine "short" in .*; exit code 1\n$', service.stderr)
    assert "Ctrl-C" not in service.stderr


def test_job(program: StartProgram) -> None:
    """A job's lines say what a person asks: it starts, it came out so, after so long."""
    body = """
    @hookimpl
    async def msp_execute(self, contract):
        return {"rows": 3}
    """
    job = program(body, {"NO_COLOR": "1"}, terminal=True)

    assert job.code() == 0
    said = [line[13:] for line in job.stderr.splitlines()]
    assert said[0] == "INFO  execution starting"
    assert re.fullmatch(r'INFO  execution succeeded \([\d.]+ m?s\) summary=\{"rows": 3\}', said[1])
