"""Logging as a whole, in processes of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from msp_core._logs.config import LogConfig
from msp_core._logs.setup import Logs
from tests.msp_core.log_lines import configured, program, recorded, run_program

MANY = 50_000

logger = logging.getLogger("guestbook")


def bodies(text: str) -> list[str]:
    """Return the messages of JSON lines; every line must be one."""
    return [json.loads(line)["Body"] for line in text.splitlines()]


def test_nothing_is_lost_at_exit() -> None:
    """A process that logs very much and leaves at once has written all of it, in order."""
    done = run_program(f"""
        configured()
        for number in range({MANY}):
            logger.info("%d", number)
    """)

    assert bodies(done.stderr) == [str(number) for number in range(MANY)]


def test_slow_reader_loses_nothing() -> None:
    """A reader that starts late and takes small bites gets every line; who logs does not wait."""
    source = f"""
        configured()
        for number in range({MANY // 10}):
            logger.info("%d", number)
        print("logged", flush=True)
    """
    with subprocess.Popen(  # noqa: S603 - source of this file
        program(source), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None

        announced = process.stdout.readline()  # while nobody has read a line
        descriptor = process.stderr.fileno()
        received = b"".join(iter(lambda: os.read(descriptor, 1_000), b""))

    assert announced == b"logged\n"
    assert bodies(received.decode()) == [str(number) for number in range(MANY // 10)]


def test_non_blocking_stderr_loses_nothing() -> None:
    """Another process may have made the shared pipe non-blocking."""
    done = run_program(f"""
        import os
        os.set_blocking(2, False)
        configured()
        for number in range({MANY // 10}):
            logger.info("%d", number)
    """)

    assert bodies(done.stderr) == [str(number) for number in range(MANY // 10)]


def test_gone_reader_disturbs_nobody() -> None:
    """When nobody reads stderr any more, the program goes on and ends as it would."""
    source = """
        logs = configured()
        input()
        for number in range(1_000):
            logger.info("%d", number)
        print(logs.flush(10), flush=True)
        logger.info("last")
    """
    with subprocess.Popen(  # noqa: S603 - source of this file
        program(source),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None

        process.stderr.close()
        process.stderr = None
        output, _ = process.communicate("\n", timeout=60)

    assert output == "False\n"
    assert process.returncode == 0


def test_lines_during_exit() -> None:
    """What is logged after the writer has ended still arrives, in the same format."""
    done = run_program("""
        import atexit
        class Late:
            def __del__(self):
                logger.info("destructor")
        atexit.register(logger.info, "registered before")
        logs = configured()
        atexit.register(logger.info, "registered after")
        late = Late()
        logger.info("end")
    """)

    assert bodies(done.stderr) == ["end", "registered after", "registered before", "destructor"]


def test_flush_before_a_hard_exit() -> None:
    """After `flush`, even `os._exit` loses nothing."""
    done = run_program("""
        import os
        logs = configured()
        for number in range(1_000):
            logger.info("%d", number)
        os._exit(0 if logs.flush(30) else 1)
    """)

    assert done.returncode == 0
    assert len(bodies(done.stderr)) == 1_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_forked_child() -> None:
    """A child writes its own lines and not again those of its parent."""
    done = run_program("""
        import os, warnings
        configured()
        for number in range(1_000):
            logger.info("parent")
        warnings.simplefilter("ignore")  # newer Pythons advise against forking with threads
        child = os.fork()
        logger.info("both")
        if child:
            os.waitpid(child, 0)
        else:
            os._exit(0)
    """)

    assert sorted(bodies(done.stderr)) == ["both"] * 2 + ["parent"] * 1_000


def test_libraries_lines_too() -> None:
    """Every library's logger ends in the same format without being asked."""
    done = run_program("""
        import asyncio
        configured(LogConfig(level="debug"))
        logging.getLogger("uvicorn.error").info("started", extra={"color_message": "x"})
        logging.getLogger("psycopg.pool").warning("slow")
        asyncio.run(asyncio.sleep(0))
    """)
    scopes = {json.loads(line)["InstrumentationScope"] for line in done.stderr.splitlines()}

    assert scopes == {"uvicorn.error", "psycopg.pool", "asyncio"}


def test_unknown_level_warns_once() -> None:
    """A value that is ignored is said to be, in the log."""
    with recorded(LogConfig(level="chatty", format="yaml")) as record:
        first, second = record.lines()

    assert first["Body"].startswith("SRC_LOG_LEVEL is ignored")
    assert second["Body"].startswith("SRC_LOG_FORMAT is ignored")


def test_configure_again() -> None:
    """After closing, logging can be configured anew in the same process."""
    for number in range(2):
        with recorded() as record:
            logger.info("%d", number)

            assert record.line()["Body"] == str(number)


def test_default_is_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines go to stderr; stdout is the program's own."""
    logs = configured()
    logger.info("x")
    logs.close()
    output, errors = capfd.readouterr()

    assert output == ""
    assert bodies(errors) == ["x"]


def test_process_without_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was started without a stderr runs as well."""
    monkeypatch.setattr(sys, "stderr", None)
    logs = configured(LogConfig(format="console"))
    logger.info("x")

    assert logs.flush(10)

    logs.close()


def test_scrub() -> None:
    """What is shown elsewhere can be scrubbed of the same secrets."""
    with recorded() as record:
        record.logs.add_secrets(["hunter2"])

        assert record.logs.scrub("is hunter2") == "is ***"


def test_emergency_takes_no_lock() -> None:
    """A watchdog can speak while other threads hold every lock that logging knows."""
    with recorded() as record:
        handled, leave = threading.Event(), threading.Event()

        def hang() -> None:
            with logging._lock:  # type: ignore[attr-defined]  # what a hung thread may hold
                handled.set()
                leave.wait(30)

        thread = threading.Thread(target=hang)
        thread.start()
        handled.wait(30)
        record.logs.add_secrets(["hunter2"])
        record.logs.add_processor(lambda record, fields: hang())
        record.logs.emergency("hangs: hunter2", scope="msp.stop", step="http", name="kept out")
        line = record.line()
        leave.set()
        thread.join()

    assert line["Body"] == "hangs: ***"
    assert line["SeverityText"] == "FATAL"
    assert line["InstrumentationScope"] == "msp.stop"
    assert line["Attributes"] == {"step": "http"}


def test_hung_formatting_silences_nobody() -> None:
    """A thread that hangs while its line is formatted does not hold up others."""
    leave, entered = threading.Event(), threading.Event()

    class Hangs:
        def __str__(self) -> str:
            entered.set()
            leave.wait(30)
            return "late"

    with recorded() as record:
        pipeline = logging.getLogger().handlers[0]
        record_of_it = logging.makeLogRecord({"msg": "%s", "args": (Hangs(),), "levelno": 20})
        thread = threading.Thread(target=pipeline.handle, args=(record_of_it,))
        thread.start()
        entered.wait(30)
        logger.info("early")
        early = record.line()
        leave.set()
        thread.join()

        assert early["Body"] == "early"
        assert [line["Body"] for line in record.lines()] == ["early", "late"]


def test_logs_is_frozen() -> None:
    """What `configure` returns is a value."""
    with recorded() as record, pytest.raises(AttributeError):
        record.logs.anything = 1  # type: ignore[attr-defined]

    assert isinstance(record.logs, Logs)
