"""A service on a terminal: what the person before it sees."""

from __future__ import annotations

import json
import re

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
