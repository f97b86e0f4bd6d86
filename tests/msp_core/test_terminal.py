"""A service on a terminal: what the person before it sees."""

from __future__ import annotations

import json
import re

import pytest

from tests.msp_core.program import StartProgram

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
