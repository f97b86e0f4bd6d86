"""configure_sentry: the same reporting in a program without the runtime."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration

from msp_core import ConfigError
from msp_sentry import configure_sentry
from msp_sentry._error_lines import ErrorLines
from msp_sentry._receiver.server import Receiver
from tests.msp_sentry.conftest import raised
from tests.search_path import search_path

Events = Callable[[], list[dict[str, Any]]]

logger = logging.getLogger("script")


def configure(**environ: str) -> bool:
    """Configure Sentry for a script."""
    return configure_sentry(environ, service="script", version="2")


def handlers() -> list[ErrorLines]:
    """Return the handlers that report."""
    return [each for each in logging.getLogger().handlers if isinstance(each, ErrorLines)]


def test_enabled(dsn: str, events: Events) -> None:
    """With a DSN, errors are reported as in a service, and the answer is True."""
    enabled = configure_sentry(
        {"SENTRY_DSN": dsn, "ENVIRONMENT_ID": "test"},
        service="script",
        version="2",
        scrub=lambda text: text.replace("hunter2", "***"),
    )
    logger.error("hunter2", exc_info=raised(OSError()))
    sentry_sdk.flush(30)

    (event,) = events()
    assert enabled
    assert event["logentry"]["message"] == "***"
    assert (event["release"], event["environment"]) == ("2", "test")
    assert event["tags"]["resource.service.name"] == "script"


def test_not_configured() -> None:
    """Without a DSN nothing happens, and the answer is False."""
    assert not configure()
    assert not handlers()


@pytest.mark.parametrize("malformed", ["https://nobody-knows", ""])
def test_malformed(dsn: str, malformed: str, caplog: pytest.LogCaptureFixture) -> None:
    """A malformed DSN is one warning, and what was configured before stays."""
    configure(SENTRY_DSN=dsn)
    client = sentry_sdk.get_client()
    enabled = configure(SENTRY_DSN=malformed)

    assert not enabled
    assert sentry_sdk.get_client() is client
    assert len(handlers()) == 1
    (line,) = caplog.records
    assert (line.levelname, line.variable) == ("WARNING", "SENTRY_DSN")  # type: ignore[attr-defined]
    assert "expected https://key@host/project" in line.getMessage() or not malformed
    assert "nobody-knows" not in caplog.text


def test_rate(dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    """A sample rate that is none is one warning, and its default counts."""
    assert configure(SENTRY_DSN=dsn, SENTRY_SAMPLE_RATE="often")

    assert sentry_sdk.get_client().options["sample_rate"] == 1.0
    assert [line.variable for line in caplog.records] == ["SENTRY_SAMPLE_RATE"]  # type: ignore[attr-defined]


def test_environment() -> None:
    """An environment that is set to nothing is a mistake."""
    with pytest.raises(ConfigError, match="ENVIRONMENT_ID"):
        configure(ENVIRONMENT_ID="")


def test_again(dsn: str, events: Events) -> None:
    """Called again, the new variables replace the old ones; nothing is reported twice."""
    configure(SENTRY_DSN=dsn)
    configure(SENTRY_DSN=dsn, ENVIRONMENT_ID="second")
    logger.error("x", exc_info=raised(OSError()))
    sentry_sdk.flush(30)

    (event,) = events()
    assert event["environment"] == "second"


SCRIPT = """
import logging, os, sys, threading
from msp_sentry import configure_sentry

assert configure_sentry(os.environ, service="script", version="2")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise LookupError("at the end")
"""


def run(text: str, tmp_path: Path, dsn: str) -> subprocess.CompletedProcess[str]:
    """Run a script until it ends."""
    script = tmp_path / "script.py"
    script.write_text(text)
    kept = {name: text for name, text in os.environ.items() if name.startswith("COV")}
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, script],
        env={**kept, **search_path(), "SENTRY_DSN": dsn},
        check=False,
        capture_output=True,
        text=True,
    )


def test_process(tmp_path: Path, dsn: str, receiver: Receiver) -> None:
    """Uncaught exceptions of a script and its threads arrive although it ends at once."""
    done = run(SCRIPT, tmp_path, dsn)

    types = [each["exception"]["values"][0]["type"] for each in receiver.kept.payloads("event")]
    assert types == ["ZeroDivisionError", "LookupError"]
    assert done.returncode == 1
    assert "Sentry" not in done.stdout + done.stderr


FLASK = """
import flask, os
from sentry_sdk.integrations.flask import FlaskIntegration
from msp_sentry import configure_sentry

assert configure_sentry(
    os.environ, service="script", version="2", integrations=[FlaskIntegration()]
)
app = flask.Flask("script")

@app.post("/pay")
def pay():
    return str(1 // (len(flask.request.get_json()) - 1))

assert app.test_client().post("/pay", json={"card": "-".join(["4711", "0815"])}).status_code == 500
"""


def test_request_body(tmp_path: Path, dsn: str, receiver: Receiver) -> None:
    """The body of a request, which the SDK's integrations know, never leaves; nor is a session."""
    done = run(FLASK, tmp_path, dsn)

    assert (done.returncode, done.stderr.count("Traceback")) == (0, 1)
    (event,) = receiver.kept.payloads("event")
    assert event["exception"]["values"][-1]["type"] == "ZeroDivisionError"
    assert event["request"]["method"] == "POST"
    assert "4711-0815" not in str(event)
    assert receiver.kept.counts() == {"event": 1}


def test_patience_at_exit(dsn: str) -> None:
    """A script that ends waits five seconds at most for what is unsent."""
    configure(SENTRY_DSN=dsn)

    assert sentry_sdk.get_client().options["shutdown_timeout"] == 5


def test_silent_at_exit(dsn: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Waiting for events at exit prints nothing, unlike the SDK's own way."""
    configure(SENTRY_DSN=dsn)
    integration = sentry_sdk.get_client().get_integration(AtexitIntegration)
    assert integration is not None
    integration.callback(3, 5)

    assert capfd.readouterr() == ("", "")


def test_with_integration(dsn: str, events: Events) -> None:
    """An integration of the SDK can be added; what it and the log both report is sent once."""
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415 - this test's

    configure_sentry(
        {"SENTRY_DSN": dsn}, service="script", version="2", integrations=[LoggingIntegration()]
    )
    logger.error("x", exc_info=raised(OSError()))
    sentry_sdk.flush(30)

    assert len(events()) == 1
