"""What the runtime is told about Sentry, and what importing the plugin costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from msp_core import Origin, open_contract
from msp_core.errors import ConfigError
from msp_core.integration import FailedStart
from msp_sentry import Sentry, SentryConfig, msp_integration, msp_start_failed
from tests.msp_sentry.conftest import Open, Service, note_waits


def test_describes_the_integration() -> None:
    """The record names what a service asks for, and that Sentry outlives the resources."""
    integration = msp_integration()

    assert integration.name == "sentry"
    assert integration.client is Sentry
    assert integration.config is SentryConfig
    assert integration.telemetry
    assert integration.dev is not None


def test_importing_it_imports_no_sdk() -> None:
    """A plugin that is declared but not configured costs nothing."""
    code = (
        "import sys, msp_sentry; msp_sentry.msp_integration(); print('sentry_sdk' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code

    assert done.stdout == "False\n"


async def test_middleware(opened: Open) -> None:
    """Applications are wrapped only where Sentry works."""
    async with opened() as contract:
        assert contract.middleware[0](_app) is not _app
        assert contract[Sentry].enabled
        assert contract[Sentry].client().is_active()
        assert not contract[Sentry].tracing
    async with opened(SENTRY_DSN="nonsense", SENTRY_TRACES_SAMPLE_RATE="1") as contract:
        assert contract.middleware[0](_app) is _app
        assert not contract[Sentry].tracing
    async with open_contract({"PORT": "0"}, Service(), plugins=("sentry",)) as plain:
        assert plain.middleware[0](_app) is _app


def test_failed_start_without_a_dsn(caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody asks for Sentry a failed start is not reported, and nothing is said of it."""
    failure = FailedStart(
        origin=Origin(name="guestbook", version="1", environment_id="unknown", instance_id="i"),
        environ={"SENTRY_SAMPLE_RATE": "often"},
        error=ConfigError([]),
        scrub=str,
    )
    msp_start_failed(failure)

    assert caplog.records == []


async def test_patience(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop of a service waits five seconds at most for what is unsent; the SDK one more."""
    async with opened() as contract:
        waits = note_waits(monkeypatch, contract[Sentry].client())

    (seconds,) = waits
    assert 5.0 < seconds <= 6.0


async def _app(scope: object, receive: object, send: object) -> None:
    raise AssertionError
