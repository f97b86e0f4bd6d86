"""The example as a process: what it answers, prints and leaves with."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from msp_core.dev import DevResources, free_port
from tests.msp_example.conftest import ExampleProcess, StartExample

STATELESS = {"STATELESS_MODE": "true"}

# What Cloud Run and the platform set for every service, beside `PORT`.
INJECTED = {
    "GOOGLE_CLOUD_PROJECT": "example-prod",
    "DIAGNOSTICS_SECRET": "0123456789abcdef",
    "EXTERNAL_DNS_NAME": "example.example.com",
    "ENVIRONMENT_ID": "prod",
    "STATELESS_MODE": "true",  # the service's own, from its specification
    "MSP": "true",
    "SSL_CERT_DIR": "/etc/ssl/certs:/etc/ssl/custom-certs",
    "SENTRY_DSN": "https://key@sentry.example.com/1",
    "K_SERVICE": "example",
    "K_REVISION": "example-00001",
    "K_CONFIGURATION": "example",
}


def messages(example: ExampleProcess) -> list[str]:
    """Return the text of each log line."""
    return [line["Body"] for line in example.lines()]


def test_answers_until_told_to_stop(start_example: StartExample, databases: dict[str, str]) -> None:
    """Started on real databases it answers, and leaves with 0 when the platform says so."""
    example = start_example(databases).ready()
    answer = example.get("/")
    probes = {path: example.get(path).status_code for path in ("/-/live", "/-/ready", "/-/healthz")}

    assert (answer.status_code, answer.text) == (200, "Variable: 13")
    assert probes == {"/-/live": 200, "/-/ready": 200, "/-/healthz": 200}
    assert example.get("/-/version").text == "0.1.0"
    assert example.stop() == 0


def test_logs_that_it_reached_its_databases(
    start_example: StartExample, databases: dict[str, str]
) -> None:
    """The start says which databases answered, and as whom."""
    example = start_example(databases).ready()
    example.stop()
    connected = [line for line in example.lines() if line["Body"] == "connected to PostgreSQL"]

    assert len(connected) == 1
    assert connected[0]["Attributes"]["user"]
    assert "connected to Redis" in messages(example)


def test_data_survive_a_restart(start_example: StartExample, databases: dict[str, str]) -> None:
    """Both databases go on counting where the last process stopped."""
    first = start_example(databases).ready()
    before = first.get("/visits").json()
    first.stop()
    after = start_example(databases).ready().get("/visits").json()

    assert after == {name: count + 1 for name, count in before.items()}
    assert set(after) == {"postgresql", "redis"}


def test_reports_visits(start_example: StartExample, databases: dict[str, str]) -> None:
    """The periodic routine beside the server says how many visits there were."""
    example = start_example(databases).ready()
    deadline = time.monotonic() + 30
    while "visits so far" not in example.printed and time.monotonic() < deadline:
        time.sleep(0.02)

    assert "visits so far" in example.printed


def test_variable_is_what_the_environment_says(start_example: StartExample) -> None:
    """`VARIABLE` is the service's own config."""
    example = start_example({**STATELESS, "VARIABLE": "seven"}).ready()

    assert example.get("/").text == "Variable: seven"


def test_stateless_mode_needs_nothing(start_example: StartExample) -> None:
    """Without any database the service starts, is healthy, and lacks what needs one."""
    example = start_example(STATELESS).ready()

    assert example.get("/").text == "Variable: 13"
    assert example.get("/-/healthz").text == "healthz: ok"
    assert example.get("/visits").status_code == 404
    assert example.stop() == 0


def test_starts_with_what_a_live_platform_injects(
    start_example: StartExample, redis_environ: Mapping[str, str]
) -> None:
    """Exactly the variables that a Cloud Run deployment with Redis sets, and no other, will do."""
    example = start_example({**INJECTED, **redis_environ}).ready()

    assert example.get("/").text == "Variable: 13"
    assert example.stop() == 0
    assert all("severity" in line for line in example.lines())


def test_starts_with_every_resource_of_a_live_platform(
    start_example: StartExample, redis_environ: Mapping[str, str]
) -> None:
    """With Cloud SQL and BigQuery injected as well, the platform's probe finds the service."""
    injected = {
        **INJECTED,
        **redis_environ,
        "PGINSTANCE": "example-prod:europe-west1:main",
        "PGUSER": "example@example-prod.iam",
        "BIGQUERY_PROJECT_ID": "example-prod",
        "BIGQUERY_DATASET_ID": "example",
    }
    example = start_example(injected).ready("/-/live")
    secret = {"Authorization": f"Bearer {INJECTED['DIAGNOSTICS_SECRET']}"}

    assert example.get("/-/healthz").status_code == 401
    assert example.get("/-/healthz", headers=secret).text == "healthz: ok"
    assert example.stop() == 0
    (started,) = [line for line in example.lines() if line.get("message") == "service started"]
    assert len(started["Attributes"]["integrations"]) == 5


def test_missing_database_ends_the_start(start_example: StartExample) -> None:
    """A service that needs a database does not start without: one error says what to set."""
    example = start_example({})

    assert example.left() == 1
    assert "PGDSN" in example.printed


def test_unreachable_database_ends_the_start(
    start_example: StartExample, databases: dict[str, str]
) -> None:
    """A database that does not answer ends the start."""
    endpoint = f"redis://127.0.0.1:{free_port()}"
    example = start_example({**databases, "REDIS_ENDPOINT": endpoint})

    assert example.left() == 1
    assert "failed to start" in example.printed


def test_unhealthy_while_a_database_is_away(
    start_example: StartExample, databases: dict[str, str], stoppable_redis: DevResources
) -> None:
    """Health follows the databases, the process goes on."""
    example = start_example({**databases, **stoppable_redis.environ}).ready()
    stoppable_redis.stop()
    status = 200
    deadline = time.monotonic() + 30
    while status == 200 and time.monotonic() < deadline:
        status = example.get("/-/healthz", timeout=10).status_code

    assert status == 500
    assert example.get("/-/live").status_code == 200


def test_help_lists_every_variable(start_example: StartExample) -> None:
    """`--help` works without any environment and lists the service's own variables first."""
    example = start_example({}, "--help")

    assert example.left() == 0
    for name in ("STATELESS_MODE", "VARIABLE", "PORT", "PGDSN", "REDIS_ENDPOINT"):
        assert f'"{name}"' in example.printed
    assert example.printed.index('"VARIABLE"') < example.printed.index('"PORT"')


@pytest.mark.parametrize("environ", [{}, {"STATELESS_MODE": "maybe"}])
def test_sanity_check(start_example: StartExample, environ: dict[str, str]) -> None:
    """An image test learns name and version whatever the environment."""
    example = start_example({**environ, "SANITY_CHECK": "true"})

    assert example.left() == 0
    # The note on stderr has no newline, so the JSON may follow it directly.
    line = example.printed[example.printed.index("{") :].splitlines()[0]
    assert json.loads(line) == {"name": "example", "version": "0.1.0"}


def test_wrong_variable_is_a_configuration_problem(start_example: StartExample) -> None:
    """A value that does not parse ends the start with 78 and is not shown."""
    example = start_example({"STATELESS_MODE": "perhaps-not"})

    assert example.left() == 78
    assert "STATELESS_MODE" in example.printed
    assert "perhaps-not" not in example.printed
