"""The times that Sentry is waited for."""

from __future__ import annotations

from typing import Any

import pytest
import sentry_sdk

from msp_sentry import start_check_in
from tests.msp_sentry.conftest import Open


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the seconds that clients were closed with, of which we wait all but one."""
    given: list[float] = []
    close = sentry_sdk.Client.close

    def note(client: sentry_sdk.Client, timeout: float) -> None:
        given.append(timeout - 1)
        close(client, timeout)

    monkeypatch.setattr(sentry_sdk.Client, "close", note)
    return given


async def test_the_end_of_a_process_waits_5_seconds_at_most(
    opened: Open, waits: list[float]
) -> None:
    """As a Go service does; what is sent sooner holds nobody up."""
    async with opened():
        pass

    (seconds,) = waits
    assert 4 < seconds <= 5


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_the_end_of_a_job_waits_1_second_at_most(
    dsn: str,
    waits: list[float],
    asynchronous: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A check-in is worth no more of the time that a job has to stop."""
    environ: dict[str, Any] = {
        "SENTRY_DSN": dsn,
        "JOB_EXECUTION_CRON_SCHEDULE": "0 3 * * *",
        "JOB_EXECUTION_DEADLINE": "10m",
    }
    started = start_check_in(environ, service="nightly", version="1")
    if asynchronous:
        await started.finish_async()
    else:
        started.finish()

    (seconds,) = waits
    assert 0.5 < seconds <= 1
