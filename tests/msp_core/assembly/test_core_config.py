"""The core's own variables: what they are when nobody sets them, and what is refused."""

from __future__ import annotations

import attrs
import pytest

from msp_core._logs.config import LogConfig
from msp_core._plugins.cache import CacheConfig
from msp_core.assembly import Environment
from msp_core.assembly._core_config import CoreConfig, ServiceVariables
from msp_core.assembly._job_variables import JobVariables
from msp_core.config import load
from msp_core.errors import ConfigError
from tests.msp_core.program import StartProgram


def test_defaults() -> None:
    """A process on a laptop, where nothing is set, belongs to no environment and is not live."""
    expected = CoreConfig(
        environment=Environment(id="unknown"),
        msp=False,
        google_cloud_project=None,
        diagnostics_secret=None,
        shutdown_budget=None,
        drain_window=None,
        declarations=CacheConfig(declaration_cache=True),
        logs=LogConfig(),
    )

    assert attrs.asdict(load(CoreConfig, {})) == attrs.asdict(expected)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("MSP_SHUTDOWN_BUDGET", "0s", "more than 0"),
        ("MSP_SHUTDOWN_BUDGET", "-1s", "more than 0"),
        ("MSP_DRAIN_WINDOW", "-1ns", "0 or more"),
    ],
)
def test_time_that_cannot_be_spent(name: str, text: str, expected: str) -> None:
    """A budget that no stop could keep is told at the start, not at the stop."""
    with pytest.raises(ConfigError) as caught:
        load(CoreConfig, {name: text})

    assert str(caught.value).startswith(f"{name} will not do: expected {expected} (")


def test_shortest_times() -> None:
    """No drain window at all is a choice; so is a budget of next to nothing."""
    config = load(CoreConfig, {"MSP_DRAIN_WINDOW": "0s", "MSP_SHUTDOWN_BUDGET": "1ms"})

    assert (config.drain_window, config.shutdown_budget) == (0, 0.001)


IDLE = """
@hookimpl
async def msp_initialize(self, contract):
    logging.getLogger("probe").warning(contract.environment_id)
    return NoopRoutine("idle")
"""


@pytest.mark.parametrize(
    ("environ", "expected"), [({}, "unknown"), ({"ENVIRONMENT_ID": "prod"}, "prod")]
)
def test_environment(program: StartProgram, environ: dict[str, str], expected: str) -> None:
    """The service and every log line name the same environment, `unknown` where none is set."""
    service = program(IDLE, environ)

    assert service.stop() == 0
    assert expected in [line["Body"] for line in service.lines]
    assert {line["Resource"]["deployment.environment.name"] for line in service.lines} == {expected}


@pytest.mark.parametrize("text", ["0", "1", "65535"])
def test_port(text: str) -> None:
    """Every port there is, and 0 for one that the system chooses."""
    assert load(ServiceVariables, {"PORT": text}).port == int(text)


@pytest.mark.parametrize("text", ["-1", "65536"])
def test_port_that_does_not_exist(text: str) -> None:
    """What no server can listen on is told in the report."""
    with pytest.raises(ConfigError, match="PORT will not do: expected a port from 0 to 65535"):
        load(ServiceVariables, {"PORT": text})


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("CLOUD_RUN_TASK_INDEX", "0"),
        ("CLOUD_RUN_TASK_COUNT", "1"),
        ("CLOUD_RUN_TASK_ATTEMPT", "0"),
        ("MSP_JOB_RETRIES", "0"),
        ("JOB_EXECUTION_DEADLINE", "1ns"),
    ],
)
def test_least_value_of_a_job(name: str, least: str) -> None:
    """The first task of one, a first attempt, no retry, and the shortest deadline are accepted."""
    assert load(JobVariables, {name: least}) is not None
