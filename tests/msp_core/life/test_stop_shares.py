"""How the seconds of a stop are divided among its steps."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from msp_core import (
    CallbackRoutine,
    Routine,
    ServiceContract,
    StopHandle,
    deadline,
    hookimpl,
    run,
)
from tests.msp_core.installed import Installed

RESOURCE = """
from contextlib import asynccontextmanager
import attrs
from msp_core import Integration, env, hookimpl

@attrs.frozen
class Config:
    url: str = env("URL", help="where it is", default="here")

class Client: ...

@asynccontextmanager
async def open_client(config, contract):
    yield Client()

@hookimpl
def msp_integration():
    return Integration(name="NAME", config=Config, client=Client, open=open_client)

@hookimpl
def msp_job_execution(contract, execution):
    return around()

@asynccontextmanager
async def around():
    yield
"""


class Draining:
    """A service whose routine is over when the drain begins, so that nobody waits for it."""

    name, version = "draining", "1"

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    @hookimpl
    def msp_initialize(self) -> Routine:
        async def work() -> None:
            await self.asked.wait()

        return CallbackRoutine("worker", start=work)

    def leave(self, contract: ServiceContract) -> None:
        """Ask for the stop."""
        contract.stop("the end of the test")
        self.asked.set()


class Slow:
    """A service whose start takes for ever."""

    name, version = "slow", "1"

    @hookimpl
    async def msp_initialize(self) -> Routine:
        await asyncio.Event().wait()
        raise AssertionError


class Brief:
    """A job that is done at once."""

    name, version = "brief", "1"

    @hookimpl
    def msp_execute(self) -> None: ...


@pytest.fixture(autouse=True)
def _clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no deadline come nearer, so that shares are exact."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: 1000.0))


def shares(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, float]]:
    """Return name and seconds of each step in the ledger line."""
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (steps,) = [line["Attributes"]["steps"] for line in lines if "exit_code" in line["Attributes"]]
    return [(step["name"], step["share"]) for step in steps]


@pytest.mark.parametrize(
    ("budget", "drain", "routine", "closing"),
    [("30s", 19.8, 19.8, (14.85, 29.7)), ("1s", 0.5333, 0.5333, (0.4, 0.8))],
    ids=["three tenths of a second are kept back", "a fifth of a small budget is"],
)
def test_service(
    capfd: pytest.CaptureFixture[str],
    installed: Installed,
    budget: str,
    drain: float,
    routine: float,
    closing: tuple[float, float],
) -> None:
    """Drain and routine have two thirds; the rest closes resources, each by a fair share."""
    for name in ("one", "two"):
        installed.plugin(name, RESOURCE.replace("NAME", name))
    environ = {"PORT": "0", "MSP_SHUTDOWN_BUDGET": budget, "MSP_DRAIN_WINDOW": "1000s"}
    service = Draining()
    run(service, environ=environ, plugins=("one", "two"), on_ready=service.leave)

    assert shares(capfd) == [
        ("drain", drain),
        ("worker", routine),
        ("two", closing[0]),
        ("one", closing[1]),
    ]


def test_abandoned_start(capfd: pytest.CaptureFixture[str]) -> None:
    """A start that a stop has overtaken has a third to be given up; the rest is for closing."""
    handle = StopHandle()
    handle.stop("haste")
    environ = {"PORT": "0", "MSP_SHUTDOWN_BUDGET": "30s"}
    run(Slow(), environ=environ, plugins=(), stop=handle)

    assert shares(capfd) == [("start", 10)]


def test_job(capfd: pytest.CaptureFixture[str], installed: Installed) -> None:
    """A job's stop is over a tenth of the margin before its deadline; all of it has its part."""
    installed.plugin("one", RESOURCE.replace("NAME", "one"))
    environ = {"JOB_EXECUTION_DEADLINE": "1000s", "MSP_SHUTDOWN_BUDGET": "1000s"}
    run(Brief(), environ=environ, plugins=("one",))

    # The margin is a fifth: 200 s, of which 20 are left; 0.3 s are kept back for the last lines.
    assert shares(capfd) == [("execution", 653.1333), ("one execution", 489.85), ("one", 979.7)]
