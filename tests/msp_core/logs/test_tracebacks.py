"""Tracebacks for people: their own code, not everybody else's."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import logging
import re
import runpy
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from msp_core._logs.config import LogConfig
from msp_core._logs.tracebacks import Packages, _find_installed
from msp_core.routines._calls import call
from tests.msp_core.installed import Installed
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook")
PACKAGES = Packages(
    own=frozenset({"guestbook"}), runtime=("/src/msp_core", "/src/plugins/redis/msp_redis.py")
)


def visit(number: object) -> str:
    """Fail, in a frame of its own."""
    raise ValueError(number)


def logged(run: Callable[[], object], level: str = "info") -> str:
    """Return the console's text of what that raises."""
    with recorded(LogConfig(format="console", level=level)) as record:
        try:
            run()
        except Exception:
            logger.exception("failed")
        return record.text()


@pytest.mark.parametrize(
    ("filename", "library"),
    [
        ("/home/ann/guestbook/service.py", None),
        ("/srv/app.py", None),
        ("<string>", None),
        ("/home/ann/guestbook/.venv/lib/python3.13/site-packages/starlette/x.py", "starlette"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/opt/venv/lib/python3.13/site-packages/guestbook/service.py", None),
        ("<frozen importlib._bootstrap>", "importlib"),
        ("<frozen runpy>", "runpy"),
        (asyncio.__file__, "asyncio"),
        (json.decoder.__file__, "json"),
        (str(Path(sysconfig.get_paths()["stdlib"]) / "threading.py"), "threading"),
        (str(Path(sysconfig.get_paths()["scripts"]) / "msp"), "msp"),
        ("/src/msp_core/_life.py", "msp_core"),
        ("/src/plugins/redis/msp_redis.py", "msp_redis"),
        ("/src/tests/msp_core/life/test_life.py", None),
    ],
)
def test_whose_file_it_is(filename: str, library: str | None) -> None:
    """What is installed, Python's own and the runtime is a library; a service never is."""
    assert PACKAGES.library(filename) == library


def test_own_frames_are_shown_and_others_folded() -> None:
    """The program's frames stand there whole; those around them are one line each run."""
    text = logged(lambda: asyncio.run(call(lambda: visit(13))))

    folded = r"\n      … \d frames of asyncio, msp_core, concurrent\n      File .*, in <lambda>\n"
    assert re.search(folded, text)
    assert text.count("  File ") == 4
    assert "in visit\n        raise ValueError(number)\n    ValueError: 13\n" in text


def test_one_frame() -> None:
    """A single frame of a library is counted as one."""
    text = logged(lambda: functools.reduce(lambda *_: re.sub("x", visit, "x"), "ab"))

    assert "  … 1 frame of re\n" in text


def test_last_frame_is_shown_whoever_it_belongs_to() -> None:
    """Where the error was raised is always said."""
    text = logged(lambda: json.loads("{"))

    assert "decoder.py" in text
    assert "  … 2 frames of json\n" in text
    assert text.count("  File ") == 3


def test_machinery_of_imports_is_not_shown(tmp_path: Path) -> None:
    """A module that is no Python is shown by its own line, not by who tried to import it."""
    file = tmp_path / "damaged.py"
    file.write_text("def visit(:\n")
    text = logged(lambda: runpy.run_path(str(file)))

    assert text.count("  File ") == 3
    assert 'damaged.py", line 1\n        def visit(:\n' in text
    assert "frames of runpy" in text


def test_causes_and_groups_too() -> None:
    """Every error of a chain, and every member of a group, is folded the same way."""

    def chain() -> None:
        try:
            json.loads("{", object_hook=visit)
        except ValueError as error:
            raise ExceptionGroup("both", [error]) from error

    text = logged(chain)

    assert text.count("  … 2 frames of json\n") == 2
    assert "direct cause" in text
    assert "ExceptionGroup: both" in text


def test_error_that_was_never_raised() -> None:
    """An error without a traceback is its last line alone."""
    with recorded(LogConfig(format="console")) as record:
        logger.error("failed", exc_info=ValueError("13"))
        text = record.text()

    assert text.endswith("failed\n    ValueError: 13\n")


def test_single_frame() -> None:
    """A traceback of one frame is that frame."""
    with recorded(LogConfig(format="console")) as record:
        try:
            raise ValueError("13")  # noqa: TRY301 - to have a traceback of one frame
        except ValueError:
            logger.exception("failed")
        text = record.text()

    assert text.count("  File ") == 1
    assert text.endswith("ValueError: 13\n")


def test_service_that_is_installed_like_a_library(installed: Installed) -> None:
    """In an image the service lies among the libraries; its frames are shown all the same."""
    installed.service("guestbook", "import json\ndef read():\n    json.loads('{')\n")
    installed.module("library", "def call(function):\n    function()\n")
    _find_installed.cache_clear()
    try:
        guestbook, library = map(importlib.import_module, ("guestbook", "library"))
        text = logged(lambda: library.call(guestbook.read))
    finally:
        _find_installed.cache_clear()

    assert 'guestbook.py", line 3, in read\n' in text
    assert "  … 1 frame of library\n" in text


def test_everything_at_debug() -> None:
    """Who debugs sees every frame."""
    text = logged(lambda: json.loads("{"), level="debug")

    assert "…" not in text
    assert text.count("  File ") == 5
    assert text.endswith("(char 1)\n")


@pytest.mark.parametrize("format_name", ["json", "json_gcp"])
def test_machines_get_everything(format_name: str) -> None:
    """The JSON formats keep the traceback as Python prints it."""
    with recorded(LogConfig(format=format_name)) as record:
        try:
            json.loads("{")
        except ValueError:
            logger.exception("failed")
        line = record.line()

    assert (line.get("Stacktrace") or line["stack_trace"]).count("  File ") == 4
