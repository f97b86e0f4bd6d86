"""What Python would print by itself arrives as log lines, once."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import sys
import threading
import types
import warnings
from typing import Any

import pytest

from msp_core._logs.capture import log_loop_exception
from msp_core._logs.config import LogConfig
from tests.msp_core.log_lines import recorded, run_program


def lines_of(source: str) -> list[dict[str, Any]]:
    """Return the lines that a program writes; all of stderr must be JSON."""
    return [json.loads(line) for line in run_program(source).stderr.splitlines()]


def test_uncaught_exception() -> None:
    """What ends the program is a line like any other."""
    (line,) = lines_of("configured()\nraise ValueError('broken')")

    assert line["SeverityText"] == "FATAL"
    assert line["InstrumentationScope"] == "msp.uncaught"
    assert line["Stacktrace"].endswith("ValueError: broken")


def test_uncaught_exception_in_thread() -> None:
    """A thread that dies says so, with its name; one that exits says nothing."""
    (line,) = lines_of("""
        import sys, threading
        configured()
        for target in (sys.exit, lambda: 1 / 0):
            thread = threading.Thread(target=target, name="counter")
            thread.start()
            thread.join()
    """)

    assert line["Body"] == "uncaught exception in thread counter"
    assert line["Stacktrace"].endswith("ZeroDivisionError: division by zero")
    assert line["Attributes"] == {"thread_name": "counter"}


def test_task_that_nobody_waited_for() -> None:
    """A task's exception is not lost with the task."""
    (line,) = lines_of("""
        import asyncio, gc
        from msp_core._logs.capture import log_loop_exception
        configured()
        async def fail():
            raise ValueError("broken")
        async def main():
            asyncio.get_running_loop().set_exception_handler(log_loop_exception)
            task = asyncio.create_task(fail(), name="entry")
            await asyncio.wait([task])
            del task
            gc.collect()
        asyncio.run(main())
    """)

    assert line["InstrumentationScope"] == "asyncio"
    assert line["Body"] == "Task exception was never retrieved"
    assert "entry" in line["Attributes"]["loop"]["future"]
    assert line["Stacktrace"].endswith("ValueError: broken")


def test_loop_report_without_exception() -> None:
    """What a loop reports without an exception, or without a message, is still a line."""
    loop = asyncio.new_event_loop()
    with recorded() as record:
        log_loop_exception(loop, {"message": "pending", "handle": 1})
        log_loop_exception(loop, {})
        pending, nothing = record.lines()
    loop.close()

    assert (pending["Body"], pending["Attributes"]) == ("pending", {"loop": {"handle": "1"}})
    assert nothing["Body"] == "unhandled exception in the event loop"
    assert nothing["Attributes"] == {}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_left_the_loop_is_told_elsewhere(error: BaseException) -> None:
    """Who runs the loop logs why it ended; a second line would hide that."""
    loop = asyncio.new_event_loop()
    with recorded() as record:
        log_loop_exception(loop, {"message": "left", "exception": error})
        log_loop_exception(loop, {"message": "pending"})
        line = record.line()
    loop.close()

    assert line["Body"] == "pending"


def test_unraisable() -> None:
    """An exception in a destructor is a line."""

    class Fails:
        def __del__(self) -> None:
            raise ValueError("broken")

    with recorded() as record:
        Fails()
        gc.collect()
        line = record.line()

    assert "Fails.__del__" in line["Body"]
    assert line["Stacktrace"].endswith("ValueError: broken")


def test_unraisable_without_exception() -> None:
    """Python documents that there may be no exception value."""
    report: Any = types.SimpleNamespace(
        exc_type=ValueError, exc_value=None, exc_traceback=None, err_msg="closing", object="x"
    )
    with recorded() as record:
        sys.unraisablehook(report)
        line = record.line()

    assert line["Body"] == "closing: 'x'"


def test_thread_report_without_value() -> None:
    """Python documents that there may be no exception value and no thread."""
    with recorded() as record:
        arguments = threading.ExceptHookArgs((KeyError, None, None, None))
        threading.excepthook(arguments)
        line = record.line()

    assert line["Body"] == "uncaught exception in thread unknown"
    assert line["Stacktrace"] == "KeyError"


def test_warning() -> None:
    """A warning is a line that points at what it is about."""
    with recorded() as record:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("100% careful", UserWarning, stacklevel=1)
        line = record.line()

    assert line["SeverityText"] == "WARN"
    assert line["InstrumentationScope"] == "py.warnings"
    assert line["Body"] == "UserWarning: 100% careful"
    assert line["Caller"].startswith("logs/test_capture.py:")


def test_warning_below_the_level() -> None:
    """Warnings obey the level."""
    with recorded(LogConfig(level="error")) as record:
        warnings.showwarning("x", UserWarning, "file.py", 1)

        assert record.text() == ""


def test_warning_for_a_file() -> None:
    """A warning that somebody has printed elsewhere goes there."""
    file = io.StringIO()
    with recorded() as record:
        warnings.showwarning("x", UserWarning, "file.py", 1, file)

        assert record.text() == ""

    assert "file.py:1: UserWarning: x" in file.getvalue()


@pytest.mark.parametrize("module", [sys, threading, warnings])
def test_hooks_are_put_back(module: Any) -> None:
    """After closing, Python reports as before."""
    names = {"excepthook", "unraisablehook", "showwarning"} & set(vars(module))
    before = {name: getattr(module, name) for name in names}
    with recorded():
        during = {name: getattr(module, name) for name in names}
    after = {name: getattr(module, name) for name in names}

    assert before == after
    assert not set(before.values()) & set(during.values())
