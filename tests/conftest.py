"""Real servers for tests, from the same dev resources that `msp dev` starts."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from msp_core.dev import DevResource, DevResources
from tests.distributions import build_all
from tests.fresh_environment import FreshEnvironment
from tests.msp_core.program import Program, StartProgram

ROOT = Path(__file__).parent.parent
# Time per example says how busy the machine is, not how good the code is.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

# What a shell lets its background jobs ignore, and with them every program that a test starts.
IGNORED_IN_BACKGROUND = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)

PLATFORM = ("CLOUD_RUN_JOB", "K_SERVICE", "KUBERNETES_SERVICE_HOST", "MSP", "PORT")


def pytest_configure() -> None:
    """Let signals work as on a terminal, though the tests may run in the background."""
    for number in IGNORED_IN_BACKGROUND:
        if signal.getsignal(number) is signal.SIG_IGN:
            interrupt = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupt else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def on_a_laptop() -> Iterator[None]:
    """Hide the platform that runs the tests: dev resources refuse to start on one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in PLATFORM:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_kept() -> Iterator[None]:
    """Keep what tests declare in this process out of the environment they run in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("msp_core._plugins.cache._is_site", lambda _: False)
        yield


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """Give a folder that every user can enter: as root, servers run as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="msp-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with every wheel and source distribution of this repository."""
    base = tmp_path_factory.getbasetemp()
    in_worker = "PYTEST_XDIST_WORKER" in os.environ
    return build_all((base.parent if in_worker else base) / "distributions")


@pytest.fixture
def fresh_environment(open_folder: Path, distributions: Path) -> FreshEnvironment:
    """Give an empty virtual environment; only our wheels and an index to install from."""
    return FreshEnvironment.make(open_folder / "environment", distributions)


def environ_of(name: str, resource: DevResource, folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the variables of a dev resource while it runs."""
    with DevResources({name: resource}, folder) as resources:
        yield resources.environ


@pytest.fixture(scope="session")
def postgresql_environ(open_folder: Path) -> Iterator[Mapping[str, str]]:
    """Give `PGDSN` (and `MSP=false`) of a PostgreSQL with a database `primary`."""
    from msp_cloudsql._dev import postgresql  # noqa: PLC0415 - only tests that use it need it

    yield from environ_of("postgresql", postgresql, open_folder)


@pytest.fixture(scope="session")
def redis_environ(open_folder: Path) -> Iterator[Mapping[str, str]]:
    """Give `REDIS_ENDPOINT` (and `MSP=false`) of a Redis."""
    from msp_redis._dev import redis_server  # noqa: PLC0415 - only tests that use it need it

    yield from environ_of("redis", redis_server, open_folder)


@pytest.fixture(scope="session")
def bigquery_environ(open_folder: Path) -> Iterator[Mapping[str, str]]:
    """Give the variables of a BigQuery with the example's tables (and `MSP=false`)."""
    from msp_bigquery._dev import bigquery_emulator  # noqa: PLC0415 - only tests that use it need it

    emulator = functools.partial(bigquery_emulator, schemas=ROOT / "example" / "bigquery")
    yield from environ_of("bigquery", emulator, open_folder)


@pytest.fixture(scope="session")
def sentry_environ(open_folder: Path) -> Iterator[Mapping[str, str]]:
    """Give `SENTRY_DSN` (and `MSP=false`) of a receiver of Sentry's events."""
    from msp_sentry._dev import sentry_receiver  # noqa: PLC0415 - only tests that use it need it

    yield from environ_of("sentry", sentry_receiver, open_folder)


@pytest.fixture(scope="session")
def opentelemetry_environ(open_folder: Path) -> Iterator[Mapping[str, str]]:
    """Give `OTEL_EXPORTER_OTLP_ENDPOINT` (and `MSP=false`) of a receiver of telemetry."""
    from msp_opentelemetry._dev import receiver  # noqa: PLC0415 - only tests that use it need it

    yield from environ_of("opentelemetry", receiver, open_folder)


@pytest.fixture
def stoppable_postgresql(tmp_path: Path, open_folder: Path) -> Iterator[DevResources]:
    """Give a running PostgreSQL of the test's own: `stop()`, `start()`, `environ`; port stays."""
    from msp_cloudsql._dev import postgresql  # noqa: PLC0415 - only tests that use it need it

    folder = Path(tempfile.mkdtemp(dir=open_folder))
    folder.chmod(0o711)
    with DevResources({"postgresql": postgresql}, folder) as resources:
        yield resources


@pytest.fixture
def stoppable_redis(tmp_path: Path) -> Iterator[DevResources]:
    """Give a running Redis of the test's own: `stop()`, `start()`, `environ`; port stays."""
    from msp_redis._dev import redis_server  # noqa: PLC0415 - only tests that use it need it

    with DevResources({"redis": redis_server}, tmp_path) as resources:
        yield resources


@pytest.fixture
def program(tmp_path: Path) -> Iterator[StartProgram]:
    """Give a function (body, environ, *arguments, head=, terminal=) that starts a program."""
    started: list[Program] = []

    def start(*arguments: object, **options: Any) -> Program:
        started.append(Program(tmp_path, *arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.code()
