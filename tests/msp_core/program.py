"""Program: a service or a job written inside a test, run as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.search_path import search_path

# Seconds; only reached when something is broken.
PATIENCE = 60.0

HEAD = """
import asyncio, logging, sys, threading, time
from contextlib import asynccontextmanager
from msp_core import *
from msp_core.config import env

class Service:
    name, version = "probe", "1.2.3"
"""

FOOT = (
    '(execute_job if hasattr(Service, "msp_execute") else start)'
    '(Service(), plugins=PLUGINS if "PLUGINS" in globals() else ())'
)


class Program:
    """A service, or with `msp_execute` a job, whose class body is the given text.

    Args:
        folder: to write it to.
        body: of the class `Service`, indented by nothing.
        environ: its variables, besides `PORT=0`.
        arguments: of the command line.
        head: put before the class; may define `PLUGINS`.
        foot: what the program does.
        terminal: whether its stderr is a terminal, not a pipe.
    """

    def __init__(
        self,
        folder: Path,
        body: str,
        environ: Mapping[str, str] | None = None,
        *arguments: str,
        head: str = "",
        foot: str = FOOT,
        terminal: bool = False,
    ) -> None:
        file = folder / "probe.py"
        inner = textwrap.indent(textwrap.dedent(body), "    ")
        main = f'\nif __name__ == "__main__":\n    {foot}\n'
        file.write_text(textwrap.dedent(head) + HEAD + inner + main)
        # What coverage needs to see into the process, and nothing else of ours.
        kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
        given = environ or {}
        ours, theirs = pty.openpty() if terminal else (None, subprocess.PIPE)
        self.process = subprocess.Popen(  # noqa: S603 - the program of this test
            [sys.executable, str(file), *arguments],
            env={**kept, "PORT": "0", **given, **search_path(given.get("PYTHONPATH", ""))},
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
        )
        if ours is not None:
            os.close(theirs)
            self.process.stderr = os.fdopen(ours)
        self.stdout = self.stderr = ""
        self._grown = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(n,)) for n in ("stdout", "stderr")
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        # A terminal that no program holds any more is read as an error.
        with contextlib.suppress(OSError), getattr(self.process, name) as pipe:
            for line in pipe:
                with self._grown:
                    setattr(self, name, getattr(self, name) + line)
                    self._grown.notify_all()

    def until(self, text: str, *, times: int = 1) -> None:
        """Wait until the program has printed the text that many times."""
        end = time.monotonic() + PATIENCE
        with self._grown:
            while (self.stdout + self.stderr).count(text) < times:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"never printed {text!r}: {self.stdout}{self.stderr}")
                self._grown.wait(0.1)

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def code(self) -> int:
        """Wait until the program is gone; return its exit code."""
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def stop(self, *, after: str = "service started") -> int:
        """Send SIGTERM once the program has printed the text; return its exit code."""
        self.until(after)
        self.signal()
        return self.code()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON log lines so far."""
        return [json.loads(line) for line in self.stderr.splitlines()]

    def errors(self) -> list[str]:
        """Return the texts of its error lines."""
        return [line["Body"] for line in self.lines if line["SeverityText"] in {"ERROR", "FATAL"}]

    def line(self, body: str) -> dict[str, Any]:
        """Return the one line with that text: its level, its stack trace, its attributes."""
        (line,) = [line for line in self.lines if line["Body"] == body]
        known = {"level": line["SeverityText"], "trace": line.get("Stacktrace", "")}
        return {**known, **line.get("Attributes", {})}

    def ledger(self) -> dict[str, Any]:
        """Return the one ledger line's attributes."""
        (line,) = [line for line in self.lines if "exit_code" in line.get("Attributes", {})]
        attributes: dict[str, Any] = line["Attributes"]
        return attributes


StartProgram = Callable[..., Program]
