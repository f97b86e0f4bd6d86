"""Recorded: the lines that logging writes while a block runs."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, TextIO

import attrs

from msp_core._logs.config import LogConfig
from msp_core._logs.setup import Logs, configure
from msp_core.contract import Origin
from msp_core.platforms import Platform


@attrs.frozen
class Recorded:
    """What is written, as text and as JSON."""

    logs: Logs
    stream: io.StringIO

    def text(self) -> str:
        """Return everything logged so far, as it is written."""
        assert self.logs.flush(10)

        return self.stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        """Return every line as the JSON object it must be."""
        return [json.loads(line) for line in self.text().splitlines()]

    def line(self) -> dict[str, Any]:
        """Return the only line."""
        (line,) = self.lines()
        return line


def configured(
    config: LogConfig | None = None,
    *,
    stream: TextIO | None = None,
    platform: Platform = Platform.LOCAL,
    project: str | None = "acme-prod",
    colour: bool = False,
    watched: bool = False,
) -> Logs:
    """Configure logging for a made-up service."""
    return configure(
        config or LogConfig(),
        origin=Origin(
            name="guestbook", version="1.2.3", environment_id="prod", instance_id="instance-1"
        ),
        platform=platform,
        project=project,
        stream=stream,
        colour=colour,
        watched=watched,
    )


@contextlib.contextmanager
def recorded(config: LogConfig | None = None, **changes: Any) -> Iterator[Recorded]:
    """Configure logging into memory, and undo it after the block."""
    stream = io.StringIO()
    logs = configured(config, stream=stream, **changes)
    try:
        yield Recorded(logs, stream)
    finally:
        logs.close()


PROGRAM = """
import logging
from tests.msp_core.log_lines import LogConfig, configured
logger = logging.getLogger("program")
"""


def program(source: str) -> list[str]:
    """Return the command of a Python program; it finds `logger` and `configured` there."""
    return [sys.executable, "-c", PROGRAM + textwrap.dedent(source)]


def run_program(source: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; stderr is where it logs."""
    return subprocess.run(  # noqa: S603 - source of a test
        program(source), check=False, capture_output=True, text=True, timeout=60
    )
